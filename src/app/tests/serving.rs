//! Features of entities, online and of the past, and stores that many ask at a time.

use std::{
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use arrow::{
    array::AsArray as _,
    datatypes::{Float32Type, SchemaRef},
};

use super::*;
use crate::{
    app::{
        catalogue,
        get_historical::{About, HistoricalJoin},
        get_online::{Request, get_online},
        plan::plan,
    },
    clients::runtime::wait,
    offline::{BatchSink, Cancel, Progress},
    retrieval::{Entities, FeatureRequest, Selection},
    serving::{Answer, Status},
};

pub(super) fn features(names: &[&str]) -> FeatureRequest {
    let references = names.iter().map(|name| name.parse().unwrap()).collect();
    FeatureRequest { selection: Selection::of_features(references), full_feature_names: true }
}

pub(super) fn driver(driver: i64) -> Entities {
    Entities::of_texts(&[vec![("driver_id".to_owned(), driver.to_string())]]).unwrap()
}

pub(super) fn ask(
    store: &Arc<FeatureStore>,
    features: &FeatureRequest,
    entities: &Entities,
) -> Result<Answer, Failure> {
    let deadline = Instant::now() + Duration::from_secs(60);
    wait(get_online(store, &caller(), Request { features, entities: entities.into(), deadline }))
}

fn statuses(answer: &Answer) -> Vec<Status> {
    answer.columns[answer.keys..].iter().map(|column| column.values[0].status).collect()
}

/// A house whose store is held, and looks at the registry again after so long.
fn held(period: Duration) -> House {
    let config = StoreConfig { registry_cache: RegistryCache { period, by_itself: false }, ..config() };
    let house = House::with(config, Some(Box::new(MemoryOnlineStore::default())));
    let store = Arc::into_inner(house.store).unwrap().held().unwrap();
    House { store: Arc::new(store), ..house }
}

/// What somebody else applies to the registry of a house.
fn apply_elsewhere(house: &House, views: &[&str]) {
    House::sharing(house.registry.with(Locking::default()), config(), None).apply(&with_views(views)).unwrap();
}

#[test]
fn what_was_materialized_is_served() {
    let house = House::applied(&with_views(&["a", "b"]), &[(1, 10, 1.5)]);
    house.materialize(fixed(0, NOW)).unwrap();
    let answer = ask(&house.store, &features(&["b:x", "a:x"]), &driver(1)).unwrap();
    let names: Vec<&str> = answer.columns.iter().map(|column| &*column.name).collect();
    assert_eq!(names, ["driver_id", "b__x", "a__x"]);
    assert_eq!(answer.columns[1].value(0).unwrap().to_json(), 1.5);
}

#[test]
fn the_ttl_is_measured_by_the_clock_of_the_store() {
    let of_ttl = |ttl| {
        let view = FeatureView { ttl: Ttl::from_micros(ttl * SECOND), ..view("a", &["x"]) };
        let house = House::applied(&repo(vec![view], Vec::new()), &[(1, NOW - 50, 1.0)]);
        house.materialize(fixed(0, NOW)).unwrap();
        statuses(&ask(&house.store, &features(&["a:x"]), &driver(1)).unwrap())
    };
    assert_eq!([of_ttl(50), of_ttl(49)], [[Status::Present], [Status::OutsideMaxAge]]);
}

#[test]
fn failures_of_a_question_have_their_kinds() {
    let house = House::applied(&with_views(&["a"]), &[]);
    let kind = |house: &House, names: &[&str], entities: &Entities| {
        problem(ask(&house.store, &features(names), entities).unwrap_err())
    };
    assert_eq!(kind(&house, &["b:x"], &driver(1)).kind, Kind::NotFound);
    assert_eq!(kind(&house, &["a:x"], &Entities::of_texts(&[]).unwrap()).kind, Kind::Invalid);
    let nothing = kind(&House::new(), &["a:x"], &driver(1));
    assert_eq!((nothing.kind, nothing.advice), (Kind::NotFound, Some(Advice::Apply)));
    let offline = kind(&House::with(config(), None), &["a:x"], &driver(1));
    assert_eq!((offline.kind, offline.message.as_str()), (Kind::Unsupported, "this repo has no online store"));
}

#[test]
fn columns_of_a_file_that_nobody_asks_for_are_told() {
    let house = House::applied(&with_views(&["a"]), &[]);
    let file = Entities::of_stream(&mut &b"driver_id,label,at\n1,2,3\n"[..], "rows.csv").unwrap();
    ask(&house.store, &features(&["a:x"]), &file).unwrap();
    assert_eq!(*house.events(), ["rows.csv: label at"]);
}

/// Keeps what it is given.
#[derive(Default)]
struct Collected(Vec<RecordBatch>);

impl BatchSink for Collected {
    fn start(&mut self, _: &SchemaRef) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        self.0.push(batch.clone());
        ControlFlow::Continue(())
    }
}

#[test]
fn features_of_the_past_are_those_of_each_rows_time() {
    let house = House::applied(&with_views(&["a"]), &[(1, 10, 1.0), (1, 20, 2.0), (2, 10, 3.0)]);
    let columns: [(&str, ArrayRef); 2] = [
        ("driver_id", Arc::new(Int64Array::from(vec![1, 1, 2, 1]))),
        (
            "event_timestamp",
            Arc::new(TimestampMicrosecondArray::from(
                vec![15, 20, 99, 9].into_iter().map(|at| at * SECOND).collect::<Vec<_>>(),
            )),
        ),
    ];
    let rows = RecordBatch::try_from_iter(columns).unwrap();
    let entities = Entities::of_batches(rows.schema(), vec![rows]);
    let mut collected = Collected::default();
    let join = HistoricalJoin::plan(&house.store, &caller(), &features(&["a:x"]), false).unwrap();
    let cancel = Cancel::default();
    join.run(&entities, (&cancel, &Progress::default()), &mut collected).unwrap();
    let found = arrow::compute::concat_batches(&collected.0[0].schema(), &collected.0).unwrap();
    let names: Vec<_> = found.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["driver_id", "event_timestamp", "a__x"]);
    let values: Vec<Option<f32>> = found.column(2).as_primitive::<Float32Type>().iter().collect();
    assert_eq!(values, [Some(1.0), Some(2.0), Some(3.0), None]);

    cancel.cancel();
    let called_off = join.run(&entities, (&cancel, &Progress::default()), &mut Collected::default()).unwrap_err();
    assert_eq!(called_off.kind(), Kind::Cancelled);
}

#[test]
fn the_past_of_something_unknown_is_not_looked_for() {
    let house = House::applied(&with_views(&["a"]), &[]);
    let plan = |names| HistoricalJoin::plan(&house.store, &caller(), &features(names), false).map(|_| ());
    assert_eq!(plan(&["b:x"]).unwrap_err().kind(), Kind::NotFound);
    assert!(plan(&["a:x"]).is_ok());
}

#[test]
fn a_store_that_is_held_knows_changes_after_its_period() {
    for (period, expected) in [(Duration::ZERO, true), (Duration::from_secs(600), false)] {
        let house = held(period);
        house.apply(&with_views(&["a"])).unwrap();
        ask(&house.store, &features(&["a:x"]), &driver(1)).unwrap();
        apply_elsewhere(&house, &["a", "b"]);
        assert_eq!(ask(&house.store, &features(&["b:x"]), &driver(1)).is_ok(), expected, "{period:?}");
        // Plans are not made of what is remembered.
        assert!(plan(&house.store, &caller(), &with_views(&["a", "b"])).unwrap().is_empty());
    }
}

#[test]
fn a_store_that_is_held_does_not_answer_for_views_that_are_gone() {
    let house = held(Duration::ZERO);
    house.apply(&with_views(&["a"])).unwrap();
    ask(&house.store, &features(&["a:x"]), &driver(1)).unwrap();
    apply_elsewhere(&house, &["b"]);
    assert_eq!(ask(&house.store, &features(&["a:x"]), &driver(1)).unwrap_err().kind(), Kind::NotFound);
}

#[test]
fn many_threads_share_one_store() {
    let rows: Vec<(i64, i64, f32)> = (0..50).map(|driver| (driver, 10, 1.0)).collect();
    let house = House::applied(&with_views(&["a", "b"]), &rows);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 0..4 {
            let (store, done) = (&house.store, &done);
            scope.spawn(move || {
                let wanted = features(&["a:x", "b:x"]);
                let mut answers = 0;
                while !done.load(Ordering::Relaxed) || answers < 20 {
                    let answer = ask(store, &wanted, &driver(number)).unwrap();
                    assert!(
                        statuses(&answer).iter().all(|status| [Status::Present, Status::NotFound].contains(status))
                    );
                    assert_eq!(catalogue::features(store, &caller()).unwrap().features.len(), 2);
                    answers += 1;
                }
            });
        }
        for end in 1..20 {
            assert_eq!(house.materialize(fixed(0, 10 * end)).unwrap().failed(), 0);
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(statuses(&ask(&house.store, &features(&["a:x", "b:x"]), &driver(49)).unwrap()), [Status::Present; 2]);
}

#[test]
fn two_who_apply_at_a_time_come_one_after_the_other() {
    let registry = Memory::default();
    let house = || House::sharing(registry.with(Locking::default()), config(), None);
    let (one, two) = (house(), house());
    thread::scope(|scope| {
        for (house, views) in [(&one, &["a", "b"]), (&two, &["b", "c"])] {
            scope.spawn(move || {
                for _ in 0..10 {
                    house.apply(&with_views(views)).unwrap();
                }
            });
        }
    });
    let views: Vec<String> = one.store.registered().unwrap().views().map(|view| view.name.to_owned()).collect();
    assert!(views == ["a", "b"] || views == ["b", "c"], "{views:?}");
}

#[test]
fn everybody_is_looked_for_where_that_can_be() {
    let house = House::applied(&with_views(&["a"]), &[]);
    let join = HistoricalJoin::plan(&house.store, &caller(), &features(&["a:x"]), false).unwrap();
    let at = Timestamp::from_micros;
    let refused = |about: About| problem(join.entities(about, &Cancel::default()).map(|_| ()).unwrap_err());
    let range = refused(About::Range { start: Some(at(2)), end: at(1) });
    assert_eq!((range.kind, range.help().as_deref()), (Kind::Invalid, Some("swap them")));
    let from = |name: &str| About::From { name: name.to_owned(), start: None, end: None, at: None };
    let missing = refused(from("aa"));
    assert_eq!((missing.kind, missing.help().as_deref()), (Kind::NotFound, Some("did you mean `a`?")));
    assert!(["a", "stats"].map(|name| join.entities(from(name), &Cancel::default()).is_ok()) == [true; 2]);
}
