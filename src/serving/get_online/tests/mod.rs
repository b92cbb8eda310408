//! Online features over a store in memory, and over one that only notes what it is asked.

mod computed;
mod keys;

use std::{
    future::ready,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use arrow::{
    array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray},
    datatypes::Schema,
};
use prost::Message as _;

use super::*;
use crate::{
    feast::values::{
        WireValue,
        value::{Kind, NULL_TIMESTAMP, Value},
    },
    model::{
        DataType, FeatureService, FeatureView, Field, Object, Ttl,
        samples::{registered, service},
    },
    online::{EncodedRow, MemoryOnlineStore, OnlineStore, Reading, Replace, ViewLayout},
    problem::Kind as ProblemKind,
    retrieval::{Entities, Purpose, Selection, resolve},
    serving::Status,
};

const SECOND: i64 = 1_000_000;
const NOW: Timestamp = Timestamp::from_micros(1_000 * SECOND);

/// A view with the features `f` and `g` of the entities with the key `k`, or of the whole project.
fn view(name: &str, key: Option<DataType>) -> FeatureView {
    let features = ["f", "g"].map(|name| Field::new(name, DataType::Int64)).into();
    let (entities, entity_columns) = match key {
        Some(dtype) => (vec!["driver".to_owned()], vec![Field::new("k", dtype)]),
        None => (Vec::new(), Vec::new()),
    };
    FeatureView { entities, entity_columns, features, ..FeatureView::new(name) }
}

fn at(seconds_ago: i64) -> Timestamp {
    NOW.minus(seconds_ago * SECOND)
}

/// Stores the values of `f` and `g` of an entity.
fn put(store: &MemoryOnlineStore, view: &FeatureView, key: KeyPart<'_>, values: [Value; 2], event: Timestamp) {
    put_bytes(store, view, key, &values.map(|value| value.encode_to_vec()), event);
}

fn put_bytes(store: &MemoryOnlineStore, view: &FeatureView, key: KeyPart<'_>, values: &[Vec<u8>], event: Timestamp) {
    let layout = ViewLayout::of("p", view);
    let mut bytes = Vec::new();
    EntityKeyEncoder::new(&layout.join_keys).unwrap().encode(&[key], &mut bytes).unwrap();
    let values = values.iter().map(Vec::as_slice).collect();
    let row = EncodedRow { key: &bytes, event, created: None, values };
    assert_eq!(store.put(&layout, Replace::Outdated, &[row]).unwrap().written, 1);
}

fn number(number: i64) -> Value {
    Kind::Int64(number).into()
}

/// Rows of texts for the key `k`.
fn keys(keys: &[&str]) -> Entities {
    let rows = keys.iter().map(|key| vec![("k".to_owned(), (*key).to_owned())]);
    Entities::of_texts(&rows.collect::<Vec<_>>()).unwrap()
}

fn rows(columns: Vec<(&str, ArrayRef)>) -> Entities {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    Entities::of_batches(batch.schema(), vec![batch])
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn references(names: &[&str]) -> Selection {
    Selection::of_features(names.iter().map(|name| name.parse().unwrap()).collect())
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// What is selected of some views at a moment, under full names.
fn ask(
    store: &dyn Reader,
    views: &[&FeatureView],
    selection: &Selection,
    entities: &Entities,
    now: Timestamp,
) -> Result<Answer, Problem> {
    let state = registered(views.iter().map(|view| Object::FeatureView((*view).clone())));
    let retrieval = Arc::new(resolve(&state, selection, true, Purpose::Serving)?);
    wait(OnlineFeatures::new("p", retrieval, store, &Arc::default())?.of(entities, now, soon()))
}

/// The feature `f` of each view at [`NOW`].
fn answer(store: &dyn Reader, views: &[&FeatureView], entities: &Entities) -> Result<Answer, Problem> {
    let names: Vec<String> = views.iter().map(|view| format!("{}:f", view.name)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    ask(store, views, &references(&names), entities, NOW)
}

fn statuses(column: &AnswerColumn) -> Vec<Status> {
    column.values.iter().map(|answered| answered.status).collect()
}

fn names(answer: &Answer) -> Vec<&str> {
    answer.columns.iter().map(|column| &*column.name).collect()
}

#[test]
fn values_have_the_status_of_what_is_stored() {
    let store = MemoryOnlineStore::default();
    let drivers = FeatureView { ttl: Ttl::from_micros(60 * SECOND), ..view("drivers", Some(DataType::Int64)) };
    put(&store, &drivers, KeyPart::Int64(1), [number(7), number(0)], at(60));
    put(&store, &drivers, KeyPart::Int64(2), [number(8), number(0)], at(61));
    put(&store, &drivers, KeyPart::Int64(3), [Value::NULL, number(0)], at(0));
    let answer = answer(&store, &[&drivers], &keys(&["1", "2", "3", "4"])).unwrap();
    assert_eq!((names(&answer), answer.keys), (vec!["k", "drivers__f"], 1));
    let expected = [Status::Present, Status::OutsideMaxAge, Status::NullValue, Status::NotFound];
    assert_eq!(statuses(&answer.columns[1]), expected);
    // An old value is told all the same, with its time.
    assert_eq!(
        answer.columns[1].values[1],
        Answered { value: (&number(8)).into(), status: expected[1], event: at(61) }
    );
    let nothing = Answered { value: WireValue::NULL, status: expected[3], event: Timestamp::from_micros(0) };
    assert_eq!(answer.columns[1].values[3], nothing);
}

#[test]
fn the_null_of_times_is_null() {
    let store = MemoryOnlineStore::default();
    let drivers = view("drivers", Some(DataType::Int64));
    put(&store, &drivers, KeyPart::Int64(1), [Kind::UnixTimestamp(NULL_TIMESTAMP).into(), number(0)], at(0));
    let answer = answer(&store, &[&drivers], &keys(&["1"])).unwrap();
    assert_eq!(statuses(&answer.columns[1]), [Status::NullValue]);
}

#[test]
fn an_old_null_is_old() {
    let store = MemoryOnlineStore::default();
    let drivers = FeatureView { ttl: Ttl::from_micros(SECOND), ..view("drivers", Some(DataType::Int64)) };
    put(&store, &drivers, KeyPart::Int64(1), [Value::NULL, number(0)], at(9));
    let answer = answer(&store, &[&drivers], &keys(&["1"])).unwrap();
    assert_eq!(statuses(&answer.columns[1]), [Status::OutsideMaxAge]);
}

/// The status of a value with a ttl, an event and a moment of asking in microseconds.
fn status(ttl: i64, event: i64, now: i64) -> Status {
    let store = MemoryOnlineStore::default();
    let drivers = FeatureView { ttl: Ttl::from_micros(ttl), ..view("drivers", Some(DataType::Int64)) };
    put(&store, &drivers, KeyPart::Int64(1), [number(7), number(0)], Timestamp::from_micros(event));
    let now = Timestamp::from_micros(now);
    let answer = ask(&store, &[&drivers], &references(&["drivers:f"]), &keys(&["1"]), now).unwrap();
    answer.columns[1].values[0].status
}

/// Some stores know no more of a time.
#[test]
fn the_age_of_values_is_the_difference_of_whole_seconds() {
    for (event, now, expected) in [
        (0, 60 * SECOND, Status::Present),
        (0, 61 * SECOND - 1, Status::Present),
        (0, 61 * SECOND, Status::OutsideMaxAge),
        (SECOND - 1, 61 * SECOND - 1, Status::Present),
        (SECOND - 1, 61 * SECOND, Status::OutsideMaxAge),
        // Before 1970, too.
        (-1, 60 * SECOND - 1, Status::Present),
        (-1, 60 * SECOND, Status::OutsideMaxAge),
    ] {
        assert_eq!(status(60 * SECOND, event, now), expected, "{event} {now}");
    }
}

#[test]
fn a_ttl_of_less_than_a_second_ends_with_the_second() {
    assert_eq!(status(1, 0, SECOND - 1), Status::Present);
    assert_eq!(status(SECOND - 1, 0, SECOND), Status::OutsideMaxAge);
}

#[test]
fn without_a_ttl_no_value_is_too_old() {
    assert_eq!(status(0, i64::MIN, i64::MAX), Status::Present);
}

#[test]
fn values_of_the_future_are_present() {
    assert_eq!(status(SECOND, 100 * SECOND, 0), Status::Present);
    assert_eq!(status(SECOND, i64::MAX, i64::MIN), Status::Present);
}

#[test]
fn views_with_other_types_of_a_key_and_without_any_are_read_together() {
    let store = MemoryOnlineStore::default();
    let views = [view("numbers", Some(DataType::Int64)), view("texts", Some(DataType::String)), view("whole", None)];
    put(&store, &views[0], KeyPart::Int64(7), [number(1), number(0)], at(1));
    put(&store, &views[1], KeyPart::String("7"), [number(2), number(0)], at(1));
    put(&store, &views[2], KeyPart::String(""), [number(3), number(0)], at(1));
    let answer = answer(&store, &[&views[0], &views[1], &views[2]], &keys(&["7", "7"])).unwrap();
    assert_eq!(names(&answer), ["k", "numbers__f", "texts__f", "whole__f"]);
    for (column, value) in answer.columns[1..].iter().zip(1..) {
        assert_eq!(statuses(column), [Status::Present, Status::Present]);
        assert_eq!(column.value(1).unwrap(), number(value));
    }
}

#[test]
fn features_stand_behind_the_keys_in_the_order_of_the_question() {
    let store = MemoryOnlineStore::default();
    let (a, b) = (view("a", Some(DataType::Int64)), view("b", Some(DataType::Int64)));
    put(&store, &a, KeyPart::Int64(1), [number(1), number(2)], at(1));
    put(&store, &b, KeyPart::Int64(1), [number(3), number(4)], at(1));
    let answer = ask(&store, &[&a, &b], &references(&["b:g", "a:g", "a:f"]), &keys(&["1"]), NOW).unwrap();
    assert_eq!(names(&answer), ["k", "b__g", "a__g", "a__f"]);
    let values: Vec<Value> = answer.columns[1..].iter().map(|column| column.value(0).unwrap()).collect();
    assert_eq!(values, [number(4), number(2), number(1)]);
}

#[test]
fn entities_are_answered_in_their_order_as_often_as_they_are_asked_about() {
    let store = MemoryOnlineStore::default();
    let drivers = view("drivers", Some(DataType::Int64));
    for key in [1, 2] {
        put(&store, &drivers, KeyPart::Int64(key), [number(10 * key), number(0)], at(1));
    }
    let answer = answer(&store, &[&drivers], &keys(&["2", "1", "2"])).unwrap();
    let values: Vec<Value> = (0..3).map(|row| answer.columns[1].value(row).unwrap()).collect();
    assert_eq!(values, [number(20), number(10), number(20)]);
}

/// A store that notes what it is asked and knows nothing.
#[derive(Default)]
struct Asked(Arc<Mutex<Questions>>);

#[derive(Default, Clone)]
struct Questions {
    views: Vec<ViewFeatures>,
    keys: Vec<Vec<Vec<u8>>>,
    deadline: Option<Instant>,
}

impl Asked {
    fn questions(&self) -> Questions {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Reader for Asked {
    fn prepare(&self, _: &str, views: Vec<ViewFeatures>) -> Box<dyn PreparedRead> {
        self.0.lock().unwrap().views = views;
        Box::new(Self(Arc::clone(&self.0)))
    }
}

impl PreparedRead for Asked {
    fn read<'a>(&'a self, keys: &'a [Vec<Vec<u8>>], deadline: Instant) -> Reading<'a> {
        let mut questions = self.0.lock().unwrap();
        (questions.keys, questions.deadline) = (keys.to_vec(), Some(deadline));
        let late = Problem::new(ProblemKind::Deadline, "the store did not answer in time", None);
        Box::pin(ready(Err(late)))
    }
}

/// A service over one view under the keys of these columns, which asks about it twice under the last one.
fn under_columns(view: &FeatureView, columns: &[&str]) -> FeatureService {
    let mut service = service("s", &vec![view; columns.len()]);
    for (index, (member, column)) in service.features.iter_mut().zip(columns).enumerate() {
        member.name_alias = Some(format!("v{index}"));
        member.join_key_map.insert("k".to_owned(), (*column).to_owned());
    }
    service
}

#[test]
fn views_with_the_same_keys_share_a_list_of_them() {
    let views = [view("a", Some(DataType::Int64)), view("b", Some(DataType::String)), view("c", Some(DataType::Int64))];
    let store = Asked::default();
    answer(&store, &[&views[0], &views[1], &views[2]], &keys(&["1", "2"])).unwrap_err();
    let Questions { views, keys, .. } = store.questions();
    assert_eq!(views.iter().map(|view| view.keys).collect::<Vec<_>>(), [0, 1, 0]);
    assert_eq!(keys.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
}

#[test]
fn one_view_under_several_columns_has_a_list_for_each() {
    let drivers = view("drivers", Some(DataType::Int64));
    let service = under_columns(&drivers, &["from", "to", "from"]);
    let state = registered([Object::FeatureView(drivers), Object::FeatureService(service)]);
    let retrieval = Arc::new(resolve(&state, &Selection::of_service("s".to_owned()), true, Purpose::Serving).unwrap());
    let store = Asked::default();
    let columns: Vec<(&str, ArrayRef)> =
        vec![("to", Arc::new(Int64Array::from(vec![2]))), ("from", Arc::new(Int64Array::from(vec![1])))];
    let features = OnlineFeatures::new("p", retrieval, &store, &Arc::default()).unwrap();
    wait(features.of(&rows(columns), NOW, soon())).unwrap_err();
    let Questions { views, keys, .. } = store.questions();
    assert_eq!(views.iter().map(|view| view.keys).collect::<Vec<_>>(), [0, 1, 0]);
    // Where the values are stored, the key has the view's own name.
    let key = |number| {
        let mut key = Vec::new();
        EntityKeyEncoder::new(&["k"]).unwrap().encode(&[KeyPart::Int64(number)], &mut key).unwrap();
        key
    };
    assert_eq!(keys, [[key(1)], [key(2)]]);
}

#[test]
fn a_store_that_is_late_is_told_so_and_knew_the_deadline() {
    let drivers = view("drivers", Some(DataType::Int64));
    let retrieval = Arc::new(
        resolve(&registered([Object::FeatureView(drivers)]), &references(&["drivers:f"]), true, Purpose::Serving)
            .unwrap(),
    );
    let (store, deadline) = (Asked::default(), Instant::now());
    let features = OnlineFeatures::new("p", retrieval, &store, &Arc::default()).unwrap();
    let problem = wait(features.of(&keys(&["1"]), NOW, deadline)).unwrap_err();
    assert_eq!((problem.kind, store.questions().deadline), (ProblemKind::Deadline, Some(deadline)));
}

#[test]
fn of_no_entities_there_are_columns_without_values() {
    let store = MemoryOnlineStore::default();
    let drivers = view("drivers", Some(DataType::Int64));
    let none = rows(vec![("k", Arc::new(Int64Array::from(Vec::<i64>::new())))]);
    let answer = answer(&store, &[&drivers], &none).unwrap();
    assert_eq!((names(&answer), answer.columns[1].values.len()), (vec!["k", "drivers__f"], 0));
}

#[test]
fn a_question_about_the_whole_project_alone_has_one_answer() {
    let (store, whole) = (MemoryOnlineStore::default(), view("whole", None));
    put(&store, &whole, KeyPart::String(""), [number(3), number(0)], at(1));
    let answer = answer(&store, &[&whole], &Entities::of_texts(&[]).unwrap()).unwrap();
    assert_eq!((names(&answer), statuses(&answer.columns[0])), (vec!["whole__f"], vec![Status::Present]));
}

#[test]
fn a_wrong_question_is_told_from_a_store_that_is_away() {
    let problem = answer(&Asked::default(), &[&view("drivers", Some(DataType::Int64))], &keys(&["x"])).unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Invalid);
    assert_eq!(problem.message, "`x`, the join key `k` of entity 1, is not an Int64");
}

#[test]
fn a_damaged_value_is_told_with_the_feature() {
    let store = MemoryOnlineStore::default();
    let drivers = view("drivers", Some(DataType::Int64));
    put_bytes(&store, &drivers, KeyPart::Int64(1), &[b"\xff".to_vec(), Vec::new()], at(1));
    let problem = answer(&store, &[&drivers], &keys(&["1"])).unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Internal);
    assert!(problem.message.starts_with("the stored value of drivers:f is damaged"), "{problem:?}");
    // Nobody asks about the others.
    assert!(ask(&store, &[&drivers], &references(&["drivers:g"]), &keys(&["1"]), NOW).is_ok());
}
