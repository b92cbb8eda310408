//! Rows that are pushed: all of them are checked for all views before anything is written.

use std::ops::RangeInclusive;

use arrow::{
    array::{RecordBatchOptions, StringArray, TimestampMicrosecondArray},
    datatypes::{DataType as ArrowType, Field as ArrowField, Schema, TimeUnit},
};

use super::{
    serving::{ask, driver, features},
    *,
};
use crate::{
    app::push::{Request, push},
    model::{DataSource, LabelView, Object, PushSource, SourceKind, samples},
    online::watched::Call,
    push::{LeftOut, PushReport, To, ViewReport},
    retrieval::Entities,
    serving::Status,
};

const SOURCE: &str = "fresh";

fn push_source() -> DataSource {
    let batch_source = Some(Box::new(samples::source("stats")));
    DataSource::new(SOURCE, SourceKind::Push(PushSource { batch_source }))
}

fn fed(view: FeatureView) -> FeatureView {
    FeatureView { stream_source: Some(push_source()), ..view }
}

/// A repo with these views, fed by the push source.
fn repo_of(views: Vec<FeatureView>) -> Repo {
    repo(views.into_iter().map(fed).collect(), Vec::new()).with([push_source()])
}

fn house(views: Vec<FeatureView>) -> House {
    let house = House::new();
    house.apply(&repo_of(views)).unwrap();
    house
}

/// Rows of drivers at seconds, with a feature `x`.
pub(super) fn rows(rows: &[(Option<i64>, Option<i64>, Option<f32>)]) -> Entities {
    let columns: [(&str, ArrayRef); 3] = [
        ("driver_id", Arc::new(rows.iter().map(|(driver, ..)| *driver).collect::<Int64Array>())),
        (
            "event_timestamp",
            Arc::new(
                rows.iter()
                    .map(|(_, event, _)| event.map(|event| event * SECOND))
                    .collect::<TimestampMicrosecondArray>(),
            ),
        ),
        ("x", Arc::new(rows.iter().map(|(.., value)| *value).collect::<Float32Array>())),
    ];
    of_batch(RecordBatch::try_from_iter(columns).unwrap())
}

fn of_batch(batch: RecordBatch) -> Entities {
    Entities::of_batches(batch.schema(), vec![batch]).called("the pushed rows")
}

fn row(driver: i64, event: i64, value: f32) -> (Option<i64>, Option<i64>, Option<f32>) {
    (Some(driver), Some(event), Some(value))
}

fn push_to(house: &House, rows: &Entities, to: To) -> Result<PushReport, Failure> {
    push(&house.store, &caller(), request(rows, to))
}

fn request(rows: &Entities, to: To) -> Request<'_> {
    Request { source: SOURCE, rows, to, allow_future: false, compute: true, look: false }
}

fn online(house: &House, rows: &Entities) -> Result<PushReport, Failure> {
    push_to(house, rows, To::Online)
}

fn value(house: &House, of_driver: i64, feature: &str) -> serde_json::Value {
    let answer = ask(&house.store, &features(&[feature]), &driver(of_driver)).unwrap();
    answer.columns[1].value(0).unwrap().to_json()
}

fn report(view: &str, written: u64, older: u64) -> ViewReport {
    ViewReport { view: view.to_owned(), written, older, out_of_range: 0 }
}

#[test]
fn the_newest_row_of_each_entity_is_stored_for_all_views() {
    let house = house(vec![view("a", &["x"]), view("b", &["x"])]);
    let pushed = rows(&[row(1, 10, 1.0), row(2, 10, 2.0), row(1, 12, 3.0), row(1, 11, 4.0)]);
    let told = online(&house, &pushed).unwrap();
    assert_eq!((told.rows, told.views), (4, vec![report("a", 2, 2), report("b", 2, 2)]));
    assert_eq!([value(&house, 1, "a:x"), value(&house, 2, "b:x")], [3.0, 2.0]);
    // What is older than the stored row stays away, and what is as new corrects it.
    let told = online(&house, &rows(&[row(1, 11, 9.0), row(2, 10, 8.0)])).unwrap();
    assert_eq!(told.views, [report("a", 1, 1), report("b", 1, 1)]);
    assert_eq!([value(&house, 1, "a:x"), value(&house, 2, "a:x")], [3.0, 8.0]);
}

#[test]
fn of_rows_that_are_equally_new_the_greatest_values_count() {
    let house = house(vec![view("a", &["x"])]);
    for order in [[1.0, 7.0, 3.0], [7.0, 3.0, 1.0]] {
        let told = online(&house, &rows(&order.map(|value| row(1, 10, value)))).unwrap();
        assert_eq!((told.views, value(&house, 1, "a:x")), (vec![report("a", 1, 2)], 7.0.into()));
    }
    let with_null = [(Some(2), Some(10), None), row(2, 10, -1.0)];
    online(&house, &rows(&with_null)).unwrap();
    assert_eq!(value(&house, 2, "a:x"), -1.0);
}

#[test]
fn nulls_are_values() {
    let house = house(vec![view("a", &["x"])]);
    online(&house, &rows(&[(Some(1), Some(10), None)])).unwrap();
    let answer = ask(&house.store, &features(&["a:x"]), &driver(1)).unwrap();
    assert_eq!(answer.columns[1].values[0].status, Status::NullValue);
}

/// What is wrong, of a push after which nothing is stored.
fn refused(house: &House, rows: &Entities) -> Problem {
    let refused = problem(online(house, rows).unwrap_err());
    let answer = ask(&house.store, &features(&["a:x"]), &driver(1)).unwrap();
    assert_eq!(answer.columns[1].values[0].status, Status::NotFound);
    refused
}

#[test]
fn rows_are_right_in_all_views_or_nothing_is_written() {
    let house = house(vec![view("a", &["x"]), view("b", &["x", "y"])]);
    let missing = refused(&house, &rows(&[row(1, 10, 1.0)]));
    assert_eq!(missing.message, "the pushed rows: there is no column `y`, which view `b` needs");
    let house = self::house(vec![view("a", &["x"])]);
    let wrong = |rows: &[(Option<i64>, Option<i64>, Option<f32>)]| {
        let problem = refused(&house, &self::rows(rows));
        (problem.kind, problem.message)
    };
    let good = row(1, 10, 1.0);
    let no_key = "row 2 of the pushed rows, column `driver_id`: it is missing, and every row needs a join key";
    assert_eq!(wrong(&[good, (None, Some(10), Some(1.0))]), (Kind::Invalid, no_key.to_owned()));
    let no_time =
        "row 3 of the pushed rows, column `event_timestamp`: it is missing, and every row needs an event time";
    assert_eq!(wrong(&[good, good, (Some(1), None, None)]), (Kind::Invalid, no_time.to_owned()));
    let future = "row 2 of the pushed rows, column `event_timestamp`: 1970-01-01T00:17:41Z is in the future";
    assert_eq!(wrong(&[good, row(2, NOW + 61, 1.0)]), (Kind::Refused, future.to_owned()));
    let early = "row 1 of the pushed rows, column `event_timestamp`: it is before year 1 or after year 9999";
    assert_eq!(wrong(&[row(1, -70_000_000_000, 1.0)]), (Kind::Invalid, early.to_owned()));
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["much"]));
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![1]));
    let keys: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let batch = RecordBatch::try_from_iter([("driver_id", keys), ("event_timestamp", times), ("x", texts)]).unwrap();
    let wrong_type = refused(&house, &of_batch(batch));
    assert_eq!(
        wrong_type.message,
        "cannot read the pushed rows: column `x` holds text values, which cannot become Float32"
    );
}

#[test]
fn clocks_differ_and_the_future_may_be_wanted() {
    let house = house(vec![view("a", &["x"])]);
    assert_eq!(online(&house, &rows(&[row(1, NOW + 60, 1.0)])).unwrap().views, [report("a", 1, 0)]);
    let later = rows(&[row(1, NOW + 61, 2.0)]);
    assert_eq!(problem(online(&house, &later).unwrap_err()).advice, Some(Advice::AllowFutureRows));
    let request = Request { allow_future: true, ..request(&later, To::Online) };
    push(&house.store, &caller(), request).unwrap();
    assert_eq!(value(&house, 1, "a:x"), 2.0);
}

#[test]
fn columns_that_nobody_needs_are_told() {
    let house = house(vec![view("a", &["x"])]);
    let names = ["driver_id", "event_timestamp", "x", "z"];
    let column = |name: &str| {
        let kind = if name == "event_timestamp" {
            ArrowType::Timestamp(TimeUnit::Microsecond, None)
        } else {
            ArrowType::Int64
        };
        ArrowField::new(name, kind, true)
    };
    let schema = Arc::new(Schema::new(names.map(column).to_vec()));
    let told = online(&house, &Entities::of_batches(schema, Vec::new())).unwrap();
    assert_eq!((told.rows, told.ignored_columns), (0, vec!["z".to_owned()]));
    assert_eq!(told.views, [report("a", 0, 0)]);
}

#[test]
fn a_view_without_entities_has_one_newest_row() {
    let global = FeatureView { entities: Vec::new(), entity_columns: Vec::new(), ..view("a", &["x"]) };
    let house = house(vec![global]);
    let told = online(&house, &rows(&[row(1, 10, 1.0), row(2, 11, 2.0)])).unwrap();
    assert_eq!(told.views, [report("a", 1, 1)]);
}

#[test]
fn views_that_take_no_values_online_are_left_out() {
    let hidden = FeatureView { online: false, ..view("b", &["x"]) };
    let disabled = FeatureView { enabled: false, ..view("c", &["x"]) };
    let house = house(vec![view("a", &["x"]), hidden.clone(), disabled]);
    let told = online(&house, &rows(&[row(1, 10, 1.0)])).unwrap();
    let left = |view: &str, reason: &str| LeftOut { view: view.to_owned(), reason: reason.to_owned() };
    assert_eq!(told.left_out, [left("b", "it is not for the online store"), left("c", "it is disabled")]);
    assert_eq!(told.views, [report("a", 1, 0)]);
    let alone = self::house(vec![hidden]);
    let refused = problem(online(&alone, &rows(&[row(1, 10, 1.0)])).unwrap_err());
    assert_eq!(
        (refused.kind, refused.help().unwrap()),
        (Kind::Conflict, "`b`: it is not for the online store".to_owned())
    );
}

#[test]
fn streams_and_labels_are_fed_too() {
    let stream = samples::stream_view(&fed(view("stream", &["x"])));
    let stream = crate::model::StreamFeatureView { stream_source: Some(push_source()), ..stream };
    let labels = LabelView {
        source: Some(push_source()),
        features: view("labels", &["x"]).features,
        ..samples::label_view("labels")
    };
    let house = House::new();
    let repo = repo_of(vec![view("a", &["x"]), view("direct", &["x"])]);
    let repo = repo.with([Object::from(stream), labels.into(), view("direct", &["x"]).into()]);
    house.apply(&repo).unwrap();
    let told = online(&house, &rows(&[row(1, 10, 1.0)])).unwrap();
    assert_eq!(told.views, [report("a", 1, 0), report("stream", 1, 0), report("labels", 1, 0)]);
    assert_eq!(value(&house, 1, "stream:x"), 1.0);
}

#[test]
fn rows_are_pushed_to_push_sources() {
    let house = house(vec![view("a", &["x"])]);
    let wrong = |source: &str| {
        let pushed = rows(&[row(1, 10, 1.0)]);
        let request = Request { source, ..request(&pushed, To::Online) };
        let problem = problem(push(&house.store, &caller(), request).unwrap_err());
        (problem.kind, problem.message.clone(), problem.help().unwrap())
    };
    let unknown = (Kind::NotFound, "there is no push source `fresch`".to_owned(), "did you mean `fresh`?".to_owned());
    assert_eq!(wrong("fresch"), unknown);
    let file = "data source `stats` is of type file, and rows are pushed to those of type push".to_owned();
    assert_eq!(wrong("stats"), (Kind::Invalid, file, "push to `fresh`, which is in front of it".to_owned()));
    let idle = House::new();
    idle.apply(&repo_of(Vec::new())).unwrap();
    let none = problem(online(&idle, &rows(&[row(1, 10, 1.0)])).unwrap_err());
    assert_eq!((none.kind, none.message.as_str()), (Kind::NotFound, "push source `fresh` feeds no view"));
}

#[test]
fn a_push_needs_an_online_store_only_if_it_goes_there() {
    let house = House::with(config(), None);
    house.apply(&repo_of(vec![view("a", &["x"])])).unwrap();
    let pushed = rows(&[row(1, 10, 1.0)]);
    assert_eq!(problem(online(&house, &pushed).unwrap_err()).message, "this repo has no online store");
    house.put(&[(1, 5, 1.0)]);
    // The rows in memory are in no file to which others could be added.
    let offline = problem(push_to(&house, &pushed, To::Offline).unwrap_err());
    assert_ne!(offline.message, "this repo has no online store");
}

/// A store of which the second view cannot be written.
#[test]
fn what_was_written_before_a_store_failed_is_said() {
    let fails = |call: Call| match call {
        Call::Write(view, _) if view == "b" => Err(Problem::new(Kind::Unavailable, "the store is away", None)),
        _ => Ok(()),
    };
    let house = House::with(config(), Some(Box::new(WatchedOnline::new(fails))));
    house.apply(&repo_of(vec![view("a", &["x"]), view("b", &["x"])])).unwrap();
    let failed = problem(online(&house, &rows(&[row(1, 10, 1.0)])).unwrap_err());
    assert_eq!(failed.message, "the store is away; the online values of `a` are written already");
}

/// Few rows are put one by one, many go through a writer, and both say the same.
#[test]
fn many_rows_are_written_as_few_are() {
    const MANY: RangeInclusive<i64> = 1..=1_001;
    for (count, calls) in [(1_000, 1), (1_001, 1)] {
        let heard = Arc::<Mutex<Vec<Call>>>::default();
        let hears = Arc::clone(&heard);
        let watched = WatchedOnline::new(move |call| {
            hears.lock().unwrap().push(call);
            Ok(())
        });
        let house = House::with(config(), Some(Box::new(watched)));
        house.apply(&repo_of(vec![view("a", &["x"])])).unwrap();
        heard.lock().unwrap().clear();
        let pushed: Vec<_> = MANY.take(count).map(|driver| row(driver, 10, driver as f32)).collect();
        let told = online(&house, &rows(&pushed)).unwrap();
        assert_eq!(told.views, [report("a", count as u64, 0)]);
        assert_eq!(value(&house, count as i64, "a:x"), count as f64);
        let writes = heard.lock().unwrap().iter().filter(|call| matches!(call, Call::Write(..))).count();
        assert_eq!(writes, calls);
    }
}

#[test]
fn rows_without_columns_are_no_rows_of_a_view() {
    let house = house(vec![view("a", &["x"])]);
    let options = RecordBatchOptions::new().with_row_count(Some(3));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options).unwrap();
    let missing = refused(&house, &of_batch(batch)).message;
    assert_eq!(
        missing,
        "the pushed rows: there are no columns `driver_id`, `event_timestamp`, `x`, which view `a` needs"
    );
}
