//! Aggregates beside a model that looks at every row for every moment, and SQL over sources.

mod model;

use std::{collections::BTreeMap, fs::File, ops::ControlFlow, path::Path, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
        TimestampNanosecondArray,
    },
    compute::concat_batches,
    datatypes::{Float64Type, Int64Type, Schema, SchemaRef, TimestampMicrosecondType},
};
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use tempfile::TempDir;

use self::model::{Aggregate, Row, known_at};
use super::*;
use crate::{
    clients::buckets::Buckets,
    model::{
        AGGREGATIONS_TAG, Aggregation, DataType, Field, Object, SQL_TAG, Timestamp, TransformationPart, Ttl,
        samples::{registered, view},
    },
    offline::{BatchSink, EntityQuery, EntitySource, HistoricalQuery, NewestQuery, OfflineStore, Progress},
    retrieval::{Entities, Purpose, Retrieval, Selection, resolve},
    sources::Whereabouts,
};

const SECOND: i64 = 1_000_000;

const FUNCTIONS: [&str; 10] = ["sum", "count", "min", "max", "mean", "count_distinct", "std", "var", "first", "last"];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * SECOND)
}

fn times(seconds: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(seconds.map(|second| second.map(|second| second * SECOND)).collect::<TimestampMicrosecondArray>())
}

fn batch(rows: &[Row]) -> RecordBatch {
    let columns: [(&str, ArrayRef); 5] = [
        ("driver_id", Arc::new(rows.iter().map(|row| row.driver).collect::<Int64Array>())),
        ("event_timestamp", times(rows.iter().map(|row| row.event))),
        ("created", times(rows.iter().map(|row| row.created))),
        ("x", Arc::new(rows.iter().map(|row| row.x).collect::<Int64Array>())),
        ("text", Arc::new(rows.iter().map(|row| row.x.map(|x| x.to_string())).collect::<StringArray>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
}

fn write(folder: &Path, rows: &[Row]) {
    write_batch(folder, &batch(rows));
}

fn write_batch(folder: &Path, batch: &RecordBatch) {
    let file = File::create(folder.join("data/stats.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

fn store(rows: &[Row]) -> (DuckDbStore, TempDir) {
    store_of("1GB", rows)
}

fn store_of(memory: &str, rows: &[Row]) -> (DuckDbStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    write(folder.path(), rows);
    let whereabouts = Whereabouts {
        repo: folder.path().to_owned(),
        postgres: None,
        buckets: Buckets::default(),
        environment: |_| None,
    };
    (DuckDbStore::new(Arc::new(whereabouts), memory.parse().unwrap()), folder)
}

/// A view whose features are aggregates of `x`.
fn aggregated(aggregates: &[Aggregate], ttl: i64, has_keys: bool) -> FeatureView {
    let aggregation = |(function, window): &Aggregate| Aggregation {
        column: "x".to_owned(),
        function: (*function).to_owned(),
        time_window: Ttl::from_micros(window * SECOND),
        slide_interval: Ttl::from_micros(window * SECOND),
        name: String::new(),
    };
    let aggregations: Vec<_> = aggregates.iter().map(aggregation).collect();
    let mut view = with_created();
    view.features = aggregations.iter().map(|made| Field::new(made.output(), DataType::Float64)).collect();
    view.tags.insert(AGGREGATIONS_TAG.to_owned(), serde_json::to_string(&aggregations).unwrap());
    view.ttl = Ttl::from_micros(ttl * SECOND);
    if !has_keys {
        view.entities.clear();
    }
    view
}

fn with_created() -> FeatureView {
    let mut view = view("drivers", &[]);
    view.source.as_mut().unwrap().created_timestamp_column = "created".to_owned();
    view
}

/// A view whose rows SQL makes.
fn by_sql(sql: &str, features: &[(&str, DataType)]) -> FeatureView {
    let mut view = with_created();
    view.features = features.iter().map(|(name, dtype)| Field::new(*name, dtype.clone())).collect();
    view.tags.insert(SQL_TAG.to_owned(), sql.to_owned());
    view
}

#[derive(Default)]
struct Collected(Vec<RecordBatch>);

impl BatchSink for Collected {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        self.0.push(RecordBatch::new_empty(Arc::clone(schema)));
        ControlFlow::Continue(())
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        self.0.push(batch.clone());
        ControlFlow::Continue(())
    }
}

impl Collected {
    fn whole(&self) -> RecordBatch {
        let schema = self.0.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
        concat_batches(&schema, &self.0).unwrap()
    }
}

/// The values of rows in the columns behind some.
fn values(found: &RecordBatch, first: usize) -> Vec<Vec<Option<f64>>> {
    let columns: Vec<&Float64Array> =
        found.columns()[first..].iter().map(AsArray::as_primitive::<Float64Type>).collect();
    let value = |row: usize| columns.iter().map(|column| column.is_valid(row).then(|| column.value(row))).collect();
    (0..found.num_rows()).map(value).collect()
}

fn historical(
    store: &DuckDbStore,
    view: &FeatureView,
    asked: &[(i64, i64)],
    by_created: bool,
) -> Vec<Vec<Option<f64>>> {
    values_at(store, view, entity_rows(asked), by_created)
}

fn values_at(store: &DuckDbStore, view: &FeatureView, rows: RecordBatch, by_created: bool) -> Vec<Vec<Option<f64>>> {
    let (entities, retrieval) = question(view, rows);
    let query = HistoricalQuery {
        entities: &entities,
        retrieval: &retrieval,
        filter_by_created_timestamp: by_created,
        progress: &Progress::default(),
    };
    let mut found = Collected::default();
    OfflineStore::historical(store, &query, &mut found).unwrap();
    values(&found.whole(), 2)
}

/// The same by the statement that people are shown, and to so many digits that the order of summands does not matter.
fn said_in_sql(
    store: &DuckDbStore,
    folder: &Path,
    view: &FeatureView,
    asked: &[(i64, i64)],
    by_created: bool,
) -> Vec<Vec<Option<i64>>> {
    let (entities, retrieval) = question(view, entity_rows(asked));
    let query = HistoricalQuery {
        entities: &entities,
        retrieval: &retrieval,
        filter_by_created_timestamp: by_created,
        progress: &Progress::default(),
    };
    let said = OfflineStore::explain(store, &query).unwrap().sql;
    let connection = duckdb::Connection::open_in_memory().unwrap();
    let rows = asked
        .iter()
        .enumerate()
        .map(|(row, (driver, at))| format!("({row}, {driver}, make_timestamp({at} * 1000000))"));
    let rows = rows.collect::<Vec<_>>().join(", ");
    connection
        .execute_batch(&format!(
            "SET file_search_path = '{}'; \
             CREATE TABLE entity_rows AS FROM (VALUES {rows}) t(row, driver_id, event_timestamp)",
            folder.display()
        ))
        .unwrap();
    let features = view
        .features
        .iter()
        .map(|feature| format!("(round(\"drivers__{}\" :: DOUBLE, 6) * 1000000) :: BIGINT", feature.name));
    let features = features.collect::<Vec<_>>().join(", ");
    let mut statement = connection.prepare(&format!("SELECT {features} FROM ({said}) ORDER BY row")).unwrap();
    let read = |row: &duckdb::Row<'_>| (0..view.features.len()).map(|column| row.get(column)).collect();
    statement.query_map([], read).unwrap().collect::<Result<_, _>>().unwrap()
}

fn close(values: &[Vec<Option<f64>>]) -> Vec<Vec<Option<i64>>> {
    let close = |value: &Option<f64>| value.map(|value| (value * 1e6).round() as i64);
    values.iter().map(|row| row.iter().map(close).collect()).collect()
}

/// Entity rows for drivers at moments.
fn entity_rows(asked: &[(i64, i64)]) -> RecordBatch {
    let columns: [(&str, ArrayRef); 2] = [
        ("driver_id", Arc::new(asked.iter().map(|(driver, _)| Some(*driver)).collect::<Int64Array>())),
        ("event_timestamp", times(asked.iter().map(|(_, at)| Some(*at)))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// Entity rows, and all features of a view.
fn question(view: &FeatureView, rows: RecordBatch) -> (Entities, Retrieval) {
    let features = view.features.iter().map(|feature| format!("drivers:{}", feature.name).parse().unwrap());
    let selection = Selection::of_features(features.collect());
    let retrieval =
        resolve(&registered([Object::FeatureView(view.clone())]), &selection, true, Purpose::Training).unwrap();
    (Entities::of_batches(rows.schema(), vec![rows]), retrieval)
}

/// The newest rows of an interval by driver: when they changed, and the values.
fn newest(
    store: &DuckDbStore,
    view: &FeatureView,
    interval: Interval,
) -> BTreeMap<Option<i64>, (i64, Vec<Option<f64>>)> {
    let mut found = Collected::default();
    OfflineStore::newest(store, &NewestQuery::of(view, interval), &mut found).unwrap();
    let found = found.whole();
    if found.num_rows() == 0 {
        return BTreeMap::new();
    }
    let keys = view.join_keys().len();
    let events = found.column(keys).as_primitive::<TimestampMicrosecondType>();
    let driver = |row: usize| (keys > 0).then(|| found.column(0).as_primitive::<Int64Type>().value(row));
    let values = values(&found, keys + 2).into_iter().enumerate();
    values.map(|(row, values)| (driver(row), (events.value(row) / SECOND, values))).collect()
}

fn assert_close(found: &[Option<f64>], expected: &[Option<f64>], about: &str) {
    let close = |(one, other): (&Option<f64>, &Option<f64>)| match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() < 1e-9,
        (one, other) => one == other,
    };
    assert!(found.len() == expected.len() && found.iter().zip(expected).all(close), "{about}: {found:?} {expected:?}");
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let moment = || prop_oneof![1 => Just(None), 8 => (-3..12i64).prop_map(Some)];
    let driver = prop_oneof![1 => Just(None), 8 => (1..4i64).prop_map(Some)];
    let x = prop_oneof![1 => Just(None), 5 => (0..4i64).prop_map(Some)];
    let row = (driver, moment(), moment(), x);
    proptest::collection::vec(row.prop_map(|(driver, event, created, x)| Row { driver, event, created, x }), 1..30)
}

fn aggregates() -> impl Strategy<Value = Vec<Aggregate>> {
    proptest::collection::btree_set((proptest::sample::select(&FUNCTIONS[..]), 0..6i64), 1..5)
        .prop_map(|aggregates| aggregates.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn aggregates_are_those_of_the_rows_in_the_window(
        rows in rows(), aggregates in aggregates(), ttl in 0..5i64, has_keys in any::<bool>(), by_created in any::<bool>(),
        asked in proptest::collection::vec((1..5i64, -2..20i64), 1..20), (start, length) in (-3..12i64, 0..8i64),
    ) {
        let view = aggregated(&aggregates, ttl, has_keys);
        let (store, folder) = store(&rows);
        let entity = |driver: i64| has_keys.then_some(driver);
        // Those who are in nobody's rows are not known without keys either.
        let found = historical(&store, &view, &asked, by_created);
        prop_assert_eq!(said_in_sql(&store, folder.path(), &view, &asked, by_created), close(&found));
        for ((driver, moment), found) in asked.iter().zip(found) {
            let known = known_at(&rows, (entity(*driver), *moment), &aggregates, by_created);
            let known = known.filter(|(changed, _)| ttl == 0 || moment - changed <= ttl);
            let expected = known.map_or_else(|| vec![None; aggregates.len()], |(_, values)| values);
            assert_close(&found, &expected, &format!("driver {driver} at {moment}"));
        }
        // What is served after a materialization is what was known at its end.
        let (interval, end) = (Interval { start: at(start), end: at(start + length) }, start + length);
        let drivers: Vec<Option<i64>> = if has_keys { (1..5).map(Some).collect() } else { vec![None] };
        let known = |driver: Option<i64>| known_at(&rows, (driver, end), &aggregates, false);
        let expected: BTreeMap<_, _> = drivers
            .iter()
            .filter_map(|driver| Some((*driver, known(*driver)?)))
            .filter(|(_, (changed, _))| *changed >= start)
            .collect();
        let found = newest(&store, &view, interval);
        prop_assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (driver, (changed, values)) in found {
            let (expected_change, expected) = &expected[&driver];
            prop_assert_eq!(changed, *expected_change);
            assert_close(&values, expected, &format!("driver {driver:?} in {interval:?}"));
        }
        let counted = OfflineStore::count(&store, &NewestQuery::of(&view, interval)).unwrap();
        prop_assert!(counted.rows > 0 || expected.is_empty(), "nothing is written where no row is counted");
    }
}

fn row(driver: i64, event: i64, created: i64, x: i64) -> Row {
    Row { driver: Some(driver), event: Some(event), created: Some(created), x: Some(x) }
}

#[test]
fn sql_makes_rows_of_those_of_its_source() {
    let (store, _folder) = store(&[row(1, 0, 0, 1), row(1, 1, 9, 2), row(1, 60, 60, 3), row(2, 61, 61, 4)]);
    // Per minute, known when the last of its rows was written.
    let view = by_sql(
        "SELECT driver_id, max(event_timestamp) AS event_timestamp, max(created) AS created, sum(x) AS total,
           upper('a' || any_value(text)) AS shout
         FROM stats WHERE text IS NOT NULL GROUP BY driver_id, date_trunc('minute', event_timestamp); -- that is all",
        &[("total", DataType::Float64)],
    );
    let found = |asked: &[(i64, i64)], by_created: bool| {
        historical(&store, &view, asked, by_created).into_iter().map(|values| values[0]).collect::<Vec<_>>()
    };
    let asked = [(1, 0), (1, 1), (1, 59), (1, 60), (2, 60), (2, 61), (3, 99)];
    assert_eq!(found(&asked, false), [None, Some(3.0), Some(3.0), Some(3.0), None, Some(4.0), None]);
    assert_eq!(found(&[(1, 8), (1, 9)], true), [None, Some(3.0)]);
    let interval = |start, end| Interval { start: at(start), end: at(end) };
    let expected = BTreeMap::from([(Some(1), (60, vec![Some(3.0)]))]);
    assert_eq!(newest(&store, &view, interval(2, 60)), expected);
    let count = |start, end| OfflineStore::count(&store, &NewestQuery::of(&view, interval(start, end)));
    assert_eq!(count(2, 61).unwrap().rows, 2);
    assert_eq!((count(2, 3).unwrap().rows, count(2, 3).unwrap().is_empty), (0, false));
    assert_eq!(OfflineStore::first_event(&store, &view).unwrap(), Some(at(1)));
    let examined = OfflineStore::examine(&store, &NewestQuery::of(&view, interval(0, 60)), at(60));
    assert_eq!(examined.map(|examined| (examined.rows, examined.future)).unwrap(), (2, 1));
}

#[test]
fn what_sql_gives_is_computed_once_for_those_who_go_on_asking() {
    let (store, folder) = store(&[row(1, 5, 5, 1)]);
    let view = by_sql("SELECT * FROM source", &[("x", DataType::Float64)]);
    let first_events = |store: &dyn OfflineStore| {
        write(folder.path(), &[row(1, 5, 5, 1)]);
        let before = store.first_event(&view).unwrap();
        write(folder.path(), &[row(1, 3, 3, 1)]);
        [before, store.first_event(&view).unwrap()]
    };
    assert_eq!(first_events(OfflineStore::keeping(&store).as_ref()), [Some(at(5)), Some(at(5))]);
    assert_eq!(first_events(&store), [Some(at(5)), Some(at(3))]);
}

#[test]
fn aggregates_may_be_of_what_sql_gives() {
    let (store, _folder) = store(&[row(1, 0, 0, 1), row(1, 1, 1, 2), row(1, 1, 1, 2), row(1, 5, 5, 7)]);
    let mut view = aggregated(&[("sum", 5), ("count", 0)], 0, true);
    // Each row once.
    view.tags.insert(SQL_TAG.to_owned(), "SELECT DISTINCT * FROM source".to_owned());
    let found = historical(&store, &view, &[(1, 1), (1, 5), (1, 6), (1, 11)], false);
    let expected = [(Some(3.0), 2.0), (Some(9.0), 3.0), (Some(7.0), 3.0), (None, 3.0)];
    assert_eq!(found, expected.map(|(sum, count)| vec![sum, Some(count)]));
    assert_eq!(OfflineStore::ties(&store, &view).unwrap(), 0);
    let interval = Interval { start: at(6), end: at(6) };
    assert_eq!(newest(&store, &view, interval), BTreeMap::from([(Some(1), (6, vec![Some(7.0), Some(3.0)]))]));
    let counted = OfflineStore::count(&store, &NewestQuery::of(&view, interval)).unwrap();
    assert_eq!(counted.rows, 3, "any of them may be in a window without an end");
}

#[test]
fn rows_count_from_the_microsecond_on_that_is_not_before_them() {
    let (store, folder) = store(&[]);
    let events = TimestampNanosecondArray::from(vec![SECOND * 1000, SECOND * 1000 + 1, SECOND * 1000 + 1001]);
    let columns: [(&str, ArrayRef); 4] = [
        ("driver_id", Arc::new(Int64Array::from(vec![1, 1, 1]))),
        ("event_timestamp", Arc::new(events.clone())),
        ("created", Arc::new(events)),
        ("x", Arc::new(Int64Array::from(vec![1, 2, 4]))),
    ];
    write_batch(folder.path(), &RecordBatch::try_from_iter(columns).unwrap());
    let sql = by_sql(
        "SELECT *, sum(x) OVER (ORDER BY event_timestamp) AS total FROM source",
        &[("total", DataType::Float64)],
    );
    let after = |view: &FeatureView, micros: [i64; 4], by_created: bool| {
        let moments = micros.map(|micros| Some(SECOND + micros));
        let columns: [(&str, ArrayRef); 2] = [
            ("driver_id", Arc::new(Int64Array::from(vec![1; 4]))),
            ("event_timestamp", Arc::new(TimestampMicrosecondArray::from(moments.to_vec()))),
        ];
        values_at(&store, view, RecordBatch::try_from_iter(columns).unwrap(), by_created)
    };
    let known = [None, Some(1.0), Some(3.0), Some(7.0)].map(|sum| vec![sum]);
    assert_eq!(after(&sql, [-1, 0, 1, 2], false), known);
    let summed = aggregated(&[("sum", 1)], 0, true);
    assert_eq!(after(&summed, [-1, 0, 1, 2], false), known);
    assert_eq!(after(&summed, [-1, 0, 1, 2], true), known);
    let gone = [Some(7.0), Some(6.0), Some(4.0), None].map(|sum| vec![sum]);
    assert_eq!(after(&summed, [SECOND - 1, SECOND, SECOND + 1, SECOND + 2], false), gone);
}

#[test]
fn many_entity_rows_are_asked_in_chunks() {
    let (store, _folder) = store_of("8MB", &[row(1, 0, 0, 1), row(1, 3, 3, 2), row(2, 20_000, 20_000, 3)]);
    let sql = by_sql("SELECT * EXCLUDE (x), x * 10 AS x FROM source", &[("x", DataType::Float64)]);
    let summed = aggregated(&[("sum", 2)], 0, true);
    let asked: Vec<(i64, i64)> = (0..40_000).map(|moment| (1 + moment % 2, moment / 2)).collect();
    let found = |view: &FeatureView| historical(&store, view, &asked, false).into_iter().map(|values| values[0]);
    for (view, expected) in [(&sql, [Some(20.0), None]), (&summed, [None, None])] {
        let all: Vec<_> = found(view).collect();
        assert_eq!([all[39_998], all[39_999]], expected);
        assert_eq!(all.len(), asked.len());
    }
    assert_eq!(found(&summed).take(10).collect::<Vec<_>>(), {
        let one = [Some(1.0), Some(1.0), None, Some(2.0), Some(2.0)];
        one.into_iter().flat_map(|sum| [sum, None]).collect::<Vec<_>>()
    });
}

#[test]
fn who_is_known_by_aggregates_is_known_as_long_as_they_change() {
    let (store, _folder) = store(&[row(1, 0, 0, 1), row(2, 3, 3, 2)]);
    let view = aggregated(&[("count", 5)], 2, true);
    let everybody = |start: i64, end: i64, moment: Option<i64>| {
        let selection = Selection::of_features(vec!["drivers:count_x_5s".parse().unwrap()]);
        let retrieval =
            resolve(&registered([Object::FeatureView(view.clone())]), &selection, true, Purpose::Training).unwrap();
        let keys = retrieval.views[0].join_keys.clone();
        let interval = Interval { start: at(start), end: at(end) };
        let source = EntitySource { view: view.clone(), keys, interval, by_created: false };
        let query = EntityQuery { sources: vec![source], at: moment.map(at) };
        let rows = OfflineStore::entities_of(&store, &query).unwrap().open().unwrap();
        rows.columns().rows.unwrap()
    };
    assert_eq!(everybody(0, 9, None), 2, "rows of the source");
    assert_eq!([everybody(1, 3, Some(3)), everybody(2, 4, Some(4)), everybody(3, 5, Some(5))], [1, 1, 2]);
}

#[test]
fn a_query_sees_its_source_and_nothing_else() {
    let (store, _folder) = store(&[row(1, 0, 0, 1)]);
    let found = |sql: &str| {
        let view = by_sql(sql, &[("x", DataType::Int64)]);
        let opened = OfflineStore::inspect(&store, view.source.as_ref().unwrap()).unwrap();
        match OfflineStore::check_transformation(&store, &view, Some(&opened)) {
            Ok(()) => String::new(),
            Err(WrongTransformation::Problem(problem)) => problem.message,
            Err(WrongTransformation::Wrong { part: TransformationPart::Sql(place), message, help }) => {
                let place = place.map_or("", |(start, end)| &sql[start..end]);
                format!("{message} [{place}] {}", help.unwrap_or_default())
            }
            Err(wrong) => panic!("{wrong:?}"),
        }
    };
    for right in [
        "SELECT * FROM source",
        "FROM stats",
        "WITH a AS (FROM source), source AS (FROM a) SELECT * EXCLUDE (text) FROM source",
        "SELECT s.*, u FROM source s, unnest([1, 2]) AS t(u) WHERE x < (SELECT max(x) FROM stats) OR true",
        "SELECT DRIVER_ID, event_timestamp, created, count(*) OVER (PARTITION BY driver_id) AS x FROM source",
        "SELECT driver_id, event_timestamp::DATE AS event_timestamp, created, x::DOUBLE AS x FROM source",
    ] {
        assert_eq!(found(right), "", "{right}");
    }
    let wrong = [
        "-- nothing",
        "DELETE FROM source",
        "SELECT * FROM source; SELECT 1",
        "SELECT * FRM source",
        "SELECT driver_id, event_timestamp, created, y AS x FROM source",
        "SELECT driver_id, event_timestamp, created, upper(x) AS x FROM source",
        "SELECT driver_id, event_timestamp, created FROM source",
        "SELECT driver_id, created, x FROM source",
        "SELECT *, 1 AS x FROM source",
        "SELECT driver_id, event_timestamp, created, 'a' || text AS x, 'ü', now() FROM source",
        "SELECT driver_id, event_timestamp, created, [x] AS x FROM source",
        "SELECT * FROM source WHERE event_timestamp < current_timestamp",
        "SELECT * FROM source WHERE random() < 0.5",
        "SELECT * FROM source USING SAMPLE 10%",
        "SELECT * FROM 'data/stats.parquet'",
        "SELECT * FROM read_parquet('data/stats.parquet')",
        "SELECT * FROM sources",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM feastr_scan(1)",
        "SELECT * FROM source WHERE x = $1",
        "DESCRIBE source",
    ];
    let told: Vec<String> = wrong.iter().map(|sql| format!("{sql}\n    {}", found(sql))).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    -- nothing
        it is empty [] 
    DELETE FROM source
        it is no question, and only those are asked [] 
    SELECT * FROM source; SELECT 1
        it is more than one [] 
    SELECT * FRM source
        syntax error at or near "source" [source] 
    SELECT driver_id, event_timestamp, created, y AS x FROM source
        Referenced column "y" not found in FROM clause [y] Candidate bindings: "created"
    SELECT driver_id, event_timestamp, created, upper(x) AS x FROM source
        No function matches the given name and argument types 'upper(BIGINT)'. You might need to add explicit type casts. [upper(x)] Candidate functions: upper(string VARCHAR) -> VARCHAR
    SELECT driver_id, event_timestamp, created FROM source
        the result of the query has no column `x` [] there are `driver_id`, `event_timestamp`, `created`
    SELECT driver_id, created, x FROM source
        the result of the query has no column `event_timestamp` [] there are `driver_id`, `created`, `x`
    SELECT *, 1 AS x FROM source
        the result of the query has several columns `x` [] choose one of them; `* EXCLUDE (…)` leaves out a column of the source
    SELECT driver_id, event_timestamp, created, 'a' || text AS x, 'ü', now() FROM source
        `now` depends on when it is called [now()] its result would be another one each time; take times and values from the rows
    SELECT driver_id, event_timestamp, created, [x] AS x FROM source
        cannot read what is computed of feature view `drivers`: column `x` holds list of int64 values, which cannot become Int64
    SELECT * FROM source WHERE event_timestamp < current_timestamp
        `current_timestamp` depends on when it is asked [current_timestamp] its result would be another one each time; take times and values from the rows
    SELECT * FROM source WHERE random() < 0.5
        `random` depends on when it is called [random()] its result would be another one each time; take times and values from the rows
    SELECT * FROM source USING SAMPLE 10%
        a sample is another one each time [] choose rows by their values
    SELECT * FROM 'data/stats.parquet'
        there is no table `data/stats.parquet` ['data/stats.parquet'] there are `source`, `stats`
    SELECT * FROM read_parquet('data/stats.parquet')
        `read_parquet` reads something else than the source [read_parquet('data/stats.parquet')] a view sees the rows of its source, as `source`
    SELECT * FROM sources
        there is no table `sources` [sources] did you mean `source`?
    SELECT * FROM information_schema.tables
        there is no table `tables` [information_schema.tables] there are `source`, `stats`
    SELECT * FROM feastr_scan(1)
        `feastr_scan` reads something else than the source [feastr_scan(1)] a view sees the rows of its source, as `source`
    SELECT * FROM source WHERE x = $1
        nobody gives the query parameters [$1] write their values
    DESCRIBE source
        only SELECT gives rows here [] write SELECT … FROM source
    "#);
}

#[test]
fn aggregates_that_cannot_be_computed_are_named() {
    let (store, _folder) = store(&[row(1, 0, 0, 1)]);
    let found = |change: &dyn Fn(&mut Aggregation), dtype: DataType| {
        let mut view = aggregated(&[("count", 5), ("sum", 5)], 0, true);
        let mut made: Vec<Aggregation> = serde_json::from_str(&view.tags[AGGREGATIONS_TAG]).unwrap();
        change(&mut made[1]);
        view.features[1] = Field::new(made[1].output(), dtype);
        view.tags.insert(AGGREGATIONS_TAG.to_owned(), serde_json::to_string(&made).unwrap());
        let opened = OfflineStore::inspect(&store, view.source.as_ref().unwrap()).unwrap();
        match OfflineStore::check_transformation(&store, &view, Some(&opened)) {
            Ok(()) => String::new(),
            Err(WrongTransformation::Problem(problem)) => problem.message,
            Err(WrongTransformation::Wrong { part, message, help }) => {
                assert_eq!(part, TransformationPart::Aggregation(1));
                format!("{message} ({})", help.unwrap_or_default())
            }
        }
    };
    assert_eq!(found(&|_| {}, DataType::Int64), "");
    assert_eq!(found(&|made| (made.column, made.function) = ("text".into(), "max".into()), DataType::String), "");
    let told = [
        found(&|made| made.column = "y".to_owned(), DataType::Int64),
        found(&|made| made.function = "summ".to_owned(), DataType::Int64),
        found(&|made| made.column = "created".to_owned(), DataType::Int64),
        found(&|_| {}, DataType::Bytes),
        found(&|made| made.column = "text".to_owned(), DataType::Int64),
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
    there is no column `y` to be aggregated (did you mean `x`?)
    there is no aggregate function `summ` (there are sum, count, min, max, mean, avg, count_distinct, nunique, std, stddev, var, variance, first, last)
    `sum` cannot be computed of column `created` (No function matches the given name and argument types 'sum(TIMESTAMP WITH TIME ZONE)'. You might need to add explicit type casts)
    cannot read what is computed of feature view `drivers`: column `sum_x_5s` holds decimal128(38, 0) values, which cannot become Bytes
    `sum` cannot be computed of column `text` (No function matches the given name and argument types 'sum(VARCHAR)'. You might need to add explicit type casts)
    "#);
}
