//! What every offline store promises. Tests of the store in memory and of DuckDB take it, and those of clusters: they name
//! feastr, give the stores over some rows, of which the first one is held to be right, and say how many random cases there
//! are.

use std::{collections::BTreeSet, ops::ControlFlow, sync::Arc};

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _, Float32Array, Int64Array, RecordBatch, TimestampMicrosecondArray},
    compute::concat_batches,
    datatypes::{Float32Type, Int64Type, SchemaRef, TimestampMicrosecondType},
};
use proptest::prelude::*;

use super::{
    CASES,
    feastr::{
        model::{DataSource, DataType, FeatureView, Field, FileSource, Interval, SourceKind, Timestamp, Ttl},
        offline::{
            BatchSink, Cancel, Counted, EntityQuery, EntitySource, Examined, HistoricalQuery, NewestQuery,
            OfflineStore, Progress,
        },
        problem::Kind,
        retrieval::{Entities, JoinKey, Retrieval, SelectedFeature, SelectedView, Shown},
    },
    stores,
};

const SECOND: i64 = 1_000_000;

/// A row of a source: driver, event, creation, and the value of `x`; times in seconds.
pub(super) type Row = (Option<i64>, Option<i64>, Option<i64>, f32);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * SECOND)
}

fn times(seconds: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(seconds.map(|second| second.map(|second| second * SECOND)).collect::<TimestampMicrosecondArray>())
}

/// The rows of the source `stats`, whose file is `data/stats.parquet`.
pub(super) fn batch(rows: &[Row]) -> RecordBatch {
    let columns: [(&str, ArrayRef); 4] = [
        ("driver_id", Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>())),
        ("event_timestamp", times(rows.iter().map(|row| row.1))),
        ("created", times(rows.iter().map(|row| row.2))),
        ("x", Arc::new(rows.iter().map(|row| Some(row.3)).collect::<Float32Array>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
}

/// The parquet file `data/NAME.parquet`.
fn source(name: &str) -> DataSource {
    let file = FileSource { path: format!("data/{name}.parquet"), ..FileSource::default() };
    DataSource { timestamp_field: "event_timestamp".to_owned(), ..DataSource::new(name, SourceKind::File(file)) }
}

fn drivers() -> FeatureView {
    FeatureView {
        entities: vec!["driver".to_owned()],
        entity_columns: vec![Field::new("driver_id", DataType::Int64)],
        features: vec![Field::new("x", DataType::Float32)],
        source: Some(source("stats")),
        ..FeatureView::new("drivers")
    }
}

/// The same, whose source knows when a row was written.
fn with_created() -> FeatureView {
    let mut view = drivers();
    view.source.as_mut().unwrap().created_timestamp_column = "created".to_owned();
    view
}

fn query(view: &FeatureView, start: i64, end: i64) -> NewestQuery<'_> {
    NewestQuery::of(view, Interval { start: at(start), end: at(end) })
}

/// Keeps what it is given, and breaks off after some batches.
struct Collected {
    batches: Vec<RecordBatch>,
    most: usize,
}

impl BatchSink for Collected {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        self.batches.push(RecordBatch::new_empty(Arc::clone(schema)));
        ControlFlow::Continue(())
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        self.batches.push(batch.clone());
        if self.batches.len() > self.most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Collected {
    fn new() -> Self {
        Self { batches: Vec::new(), most: usize::MAX }
    }

    fn whole(&self) -> RecordBatch {
        match self.batches.as_slice() {
            [] => RecordBatch::new_empty(Arc::new(arrow::datatypes::Schema::empty())),
            batches => concat_batches(&batches[0].schema(), batches).unwrap(),
        }
    }
}

/// A newest row: driver, event, creation and value.
type Newest = (i64, i64, Option<i64>, f32);

/// The newest rows by driver, and how many rows gave way.
fn newest(store: &dyn OfflineStore, query: &NewestQuery<'_>) -> (Vec<Newest>, u64) {
    let mut sink = Collected::new();
    let read = store.newest(query, &mut sink).unwrap();
    let found = sink.whole();
    if found.num_rows() == 0 {
        return (Vec::new(), read.ties);
    }
    let drivers = found.column(0).as_primitive::<Int64Type>();
    let [events, created] = [1, 2].map(|column| found.column(column).as_primitive::<TimestampMicrosecondType>());
    let values = found.column(3).as_primitive::<Float32Type>();
    let row = |row| {
        let created = created.is_valid(row).then(|| created.value(row) / SECOND);
        (drivers.value(row), events.value(row) / SECOND, created, values.value(row))
    };
    let mut rows: Vec<_> = (0..found.num_rows()).map(row).collect();
    rows.sort_by_key(|row| row.0);
    (rows, read.ties)
}

#[test]
fn the_newest_row_of_each_entity_is_given_with_both_ends_of_the_interval() {
    let rows = [
        (Some(1), Some(10), None, 1.0),
        (Some(1), Some(20), None, 2.0),
        (Some(1), Some(21), None, 3.0),
        (Some(2), Some(10), None, 4.0),
        (Some(3), Some(9), None, 5.0),
        (None, Some(15), None, 6.0),
        (Some(4), None, None, 7.0),
    ];
    let (stores, _folder) = stores(&rows);
    for store in stores {
        let found = newest(store.as_ref(), &query(&drivers(), 10, 20));
        assert_eq!(found, (vec![(1, 20, None, 2.0), (2, 10, None, 4.0)], 0));
    }
}

#[test]
fn of_one_moment_the_row_that_was_written_last_is_the_newest() {
    let rows = [
        (Some(1), Some(10), Some(30), 1.0),
        (Some(1), Some(10), Some(40), 2.0),
        (Some(1), Some(10), None, 3.0),
        (Some(2), Some(10), Some(30), 4.0),
        (Some(2), Some(10), Some(30), 4.0),
    ];
    let (stores, _folder) = stores(&rows);
    for store in stores {
        let found = newest(store.as_ref(), &query(&with_created(), 0, 99));
        assert_eq!(found, (vec![(1, 10, Some(40), 2.0), (2, 10, Some(30), 4.0)], 1));
        assert_eq!(store.ties(&with_created()).unwrap(), 1);
        assert_eq!(store.ties(&drivers()).unwrap(), 3);
    }
}

#[test]
fn rows_are_counted_with_what_they_lack() {
    let rows = [
        (Some(1), Some(10), None, 1.0),
        (Some(1), Some(20), None, 2.0),
        (None, Some(20), None, 3.0),
        (Some(2), Some(30), None, 4.0),
        (Some(2), None, None, 4.0),
    ];
    let (stores, _folder) = stores(&rows);
    for store in stores {
        let counted = store.count(&query(&drivers(), 10, 20)).unwrap();
        assert_eq!((counted.rows, counted.null_keys, counted.without_time, counted.is_empty), (3, 1, 1, false));
        let none = store.count(&query(&drivers(), 40, 50)).unwrap();
        assert_eq!((none.rows, none.entities, none.is_empty), (0, 0, false));
        assert_eq!(store.first_event(&drivers()).unwrap(), Some(at(10)));
    }
}

#[test]
fn a_source_without_rows_or_times_is_told_from_one_without_new_ones() {
    let (empty, _folder) = stores(&[]);
    for store in empty {
        assert!(store.count(&query(&drivers(), 0, 99)).unwrap().is_empty);
        assert_eq!(store.first_event(&drivers()).unwrap(), None);
        assert_eq!(newest(store.as_ref(), &query(&drivers(), 0, 99)), (Vec::new(), 0));
    }
    let (without_times, _folder) = stores(&[(Some(1), None, None, 1.0)]);
    for store in without_times {
        assert!(store.count(&query(&drivers(), 0, 99)).unwrap().is_empty);
        assert_eq!(store.first_event(&drivers()).unwrap_err().kind, Kind::Invalid);
    }
}

#[test]
fn what_checks_ask_is_about_the_interval_and_the_future_is_everywhere() {
    let rows = [
        (Some(1), Some(10), None, 1.0),
        (None, Some(20), None, 2.0),
        (None, Some(15), None, 3.0),
        (None, Some(40), None, 3.0),
        (Some(1), Some(50), None, 4.0),
        (Some(1), Some(60), None, 4.0),
        (Some(1), None, None, 4.0),
    ];
    let (stores, _folder) = stores(&rows);
    for store in stores {
        let examined = store.examine(&query(&drivers(), 10, 30), at(49)).unwrap();
        let expected = Examined { rows: 3, null_keys: 2, null_key_at: Some(at(15)), future: 2, latest: Some(at(60)) };
        assert_eq!(examined, expected);
        let now = store.examine(&query(&drivers(), 60, 60), at(60)).unwrap();
        assert_eq!((now.rows, now.future, now.latest), (1, 0, None), "now is not the future");
    }
}

fn retrieval(view: FeatureView) -> Retrieval {
    let selected = SelectedView {
        join_keys: vec![JoinKey { field: view.entity_columns[0].clone(), column: "driver_id".to_owned() }],
        features: vec![SelectedFeature {
            field: view.features[0].clone(),
            output: "drivers__x".into(),
            shown: Shown::Always,
        }],
        name: view.name.clone(),
        view,
    };
    Retrieval { views: vec![selected], ..Retrieval::default() }
}

/// The values for drivers at moments in seconds.
fn historical(
    store: &dyn OfflineStore,
    view: FeatureView,
    asked: &[(i64, i64)],
    filter_by_created_timestamp: bool,
) -> Vec<Option<f32>> {
    let columns: [(&str, ArrayRef); 2] = [
        ("driver_id", Arc::new(asked.iter().map(|(driver, _)| Some(*driver)).collect::<Int64Array>())),
        ("event_timestamp", times(asked.iter().map(|(_, at)| Some(*at)))),
    ];
    let rows = RecordBatch::try_from_iter(columns).unwrap();
    let (entities, retrieval) = (Entities::of_batches(rows.schema(), vec![rows]), retrieval(view));
    let mut sink = Collected::new();
    let query = HistoricalQuery {
        entities: &entities,
        retrieval: &retrieval,
        filter_by_created_timestamp,
        progress: &Progress::default(),
    };
    store.historical(&query, &mut sink).unwrap();
    let found = sink.whole();
    let names: Vec<_> = found.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["driver_id", "event_timestamp", "drivers__x"]);
    let drivers: Vec<i64> = found.column(0).as_primitive::<Int64Type>().values().to_vec();
    assert_eq!(drivers, asked.iter().map(|(driver, _)| *driver).collect::<Vec<_>>());
    found.column(2).as_primitive::<Float32Type>().iter().collect()
}

#[test]
fn every_entity_row_gets_what_was_known_at_its_time() {
    let rows =
        [(Some(1), Some(10), Some(10), 1.0), (Some(1), Some(20), Some(50), 2.0), (Some(2), Some(10), Some(10), 3.0)];
    let asked = [(2, 15), (1, 20), (1, 9), (1, 19), (1, 40), (3, 40), (1, 20)];
    let (stores, _folder) = stores(&rows);
    for store in stores {
        let values = historical(store.as_ref(), drivers(), &asked, false);
        assert_eq!(values, [Some(3.0), Some(2.0), None, Some(1.0), Some(2.0), None, Some(2.0)]);
        // Nobody had written the newer one by then.
        let values = historical(store.as_ref(), with_created(), &[(1, 20), (1, 50)], true);
        assert_eq!(values, [Some(1.0), Some(2.0)]);
        let short = FeatureView { ttl: Ttl::from_micros(5 * SECOND), ..drivers() };
        assert_eq!(
            historical(store.as_ref(), short, &[(1, 15), (1, 16), (1, 25)], false),
            [Some(1.0), None, Some(2.0)]
        );
    }
}

#[test]
fn who_breaks_off_is_given_no_more() {
    let (stores, _folder) = stores(&[(Some(1), Some(10), None, 1.0), (Some(2), Some(10), None, 2.0)]);
    for store in stores {
        let mut sink = Collected { batches: Vec::new(), most: 1 };
        let _ = store.newest(&query(&drivers(), 0, 99), &mut sink);
        assert_eq!(sink.batches.len(), 2, "the columns, and one batch");
    }
}

#[test]
fn what_was_called_off_is_told_so() {
    let (stores, _folder) = stores(&[(Some(1), Some(10), None, 1.0)]);
    for store in stores {
        let cancel = Cancel::default();
        let called_off = store.cancelled_by(&cancel);
        cancel.cancel();
        let problem = called_off.newest(&query(&drivers(), 0, 99), &mut Collected::new()).unwrap_err();
        assert_eq!(problem.kind, Kind::Cancelled);
        assert!(store.newest(&query(&drivers(), 0, 99), &mut Collected::new()).is_ok());
    }
}

#[test]
fn columns_of_a_source_are_known_without_its_rows() {
    let (stores, _folder) = stores(&[]);
    for store in stores {
        let opened = store.inspect(drivers().source.as_ref().unwrap()).unwrap();
        let names: Vec<&str> = opened.columns().columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["driver_id", "event_timestamp", "created", "x"]);
    }
}

#[test]
fn a_source_that_is_missing_is_a_problem() {
    let (stores, _folder) = stores(&[]);
    let mut gone = drivers();
    gone.source = Some(source("gone"));
    for store in stores {
        assert!(store.count(&query(&gone, 0, 99)).is_err() && store.first_event(&gone).is_err());
        assert!(store.inspect(gone.source.as_ref().unwrap()).is_err());
    }
}

/// Rows of few drivers and moments, so that there are many of each. Equally new ones have equal values, where creation
/// times count and where not.
fn rows(created_counts: bool) -> impl Strategy<Value = Vec<Row>> {
    let moment = || prop_oneof![1 => Just(None), 6 => (0..6i64).prop_map(Some)];
    let driver = prop_oneof![1 => Just(None), 6 => (1..4i64).prop_map(Some)];
    let value = move |(driver, event, created): (Option<i64>, Option<i64>, Option<i64>)| {
        let part = |number: Option<i64>| f32::from(number.map_or(9, |number| i8::try_from(number).unwrap()));
        let of_creation = if created_counts { part(created) } else { 0.0 };
        (driver, event, created, 100.0 * part(driver) + 10.0 * part(event) + of_creation)
    };
    proptest::collection::vec((driver, moment(), moment()).prop_map(value), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_stores_say_the_same(
        (created, rows) in any::<bool>().prop_flat_map(|created| (Just(created), rows(created))),
        (start, length) in (0..6i64, 0..6i64), now in 0..6i64, ttl in 0..4i64,
        asked in proptest::collection::vec((1..5i64, 0..8i64), 1..20), by_created in any::<bool>(),
    ) {
        let view = if created { with_created() } else { drivers() };
        let view = FeatureView { ttl: Ttl::from_micros(ttl * SECOND), ..view };
        let query = query(&view, start, start + length);
        let (stores, _folder) = stores(&rows);
        let said: Vec<_> = stores.iter().map(|store| {
            let counted = store.count(&query).unwrap();
            let has_times = rows.iter().any(|row| row.1.is_some());
            (
                newest(store.as_ref(), &query),
                Counted { entities: 0, ..counted },
                store.examine(&query, at(now)).unwrap(),
                store.ties(&view).unwrap(),
                has_times.then(|| store.first_event(&view).unwrap()),
                historical(store.as_ref(), view.clone(), &asked, by_created),
            )
        }).collect();
        for other in &said[1..] {
            prop_assert_eq!(&said[0], other);
        }
    }

    #[test]
    fn everybody_in_a_range_is_everybody_who_has_a_row_there(
        rows in rows(true), (start, length) in (0..6i64, 0..6i64), ttl in 0..4i64, by_created in any::<bool>(),
    ) {
        let view = FeatureView { ttl: Ttl::from_micros(ttl * SECOND), ..with_created() };
        let (stores, _folder) = stores(&rows);
        let (interval, end) = (Interval { start: at(start), end: at(start + length) }, start + length);
        let known = |row: &&Row| {
            let counts = !by_created || row.2.is_some_and(|created| created <= end);
            counts && row.1.is_some_and(|event| (start..=end).contains(&event))
        };
        // Each at each of their moments, with the value that a person would ask for.
        let moments = rows.iter().filter(known).filter_map(|row| Some((row.1?, row.0?)));
        let moments: BTreeSet<(i64, i64)> = moments.collect();
        let asked: Vec<(i64, i64)> = moments.iter().map(|(event, driver)| (*driver, *event)).collect();
        let expected = |asked: Vec<(i64, i64)>| -> Vec<_> {
            let values = match asked.as_slice() {
                [] => Vec::new(),
                asked => historical(stores[0].as_ref(), view.clone(), asked, false),
            };
            asked.into_iter().zip(values).collect()
        };
        let at_their_moments = expected(asked);
        // All of them at one moment.
        let drivers: BTreeSet<i64> = moments.into_iter().map(|(_, driver)| driver).collect();
        let at_one = expected(drivers.into_iter().map(|driver| (driver, 9)).collect());
        for store in &stores[1..] {
            let found = |moment| everybody(store.as_ref(), &view, interval, (moment, by_created));
            prop_assert_eq!(found(None), at_their_moments.clone());
            prop_assert_eq!(found(Some(9)), at_one.clone());
        }
    }
}

/// Who has a row in an interval, at which moments (all at one, if that is given), and the values then.
fn everybody(
    store: &dyn OfflineStore,
    view: &FeatureView,
    interval: Interval,
    (moment, by_created): (Option<i64>, bool),
) -> Vec<((i64, i64), Option<f32>)> {
    let retrieval = retrieval(view.clone());
    let keys = retrieval.views[0].join_keys.clone();
    let source = EntitySource { view: view.clone(), keys, interval, by_created };
    let query = EntityQuery { sources: vec![source], at: moment.map(at) };
    let entities = store.entities_of(&query).unwrap();
    let entities = if let Some(moment) = query.at { entities.at(moment) } else { entities };
    let progress = Progress::default();
    let query = HistoricalQuery {
        entities: &entities,
        retrieval: &retrieval,
        filter_by_created_timestamp: false,
        progress: &progress,
    };
    let mut sink = Collected::new();
    store.historical(&query, &mut sink).unwrap();
    let found = sink.whole();
    if found.num_rows() == 0 {
        return Vec::new();
    }
    assert_eq!(progress.joined.get().0, found.num_rows() as u64);
    let drivers = found.column(0).as_primitive::<Int64Type>();
    let times = found.column(1).as_primitive::<TimestampMicrosecondType>();
    let values = found.column(2).as_primitive::<Float32Type>();
    let row = |row| ((drivers.value(row), times.value(row) / SECOND), values.is_valid(row).then(|| values.value(row)));
    (0..found.num_rows()).map(row).collect()
}
