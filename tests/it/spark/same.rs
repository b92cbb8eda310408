//! A repo that is moved to a cluster by its settings gives the same values as before: Spark and Sail beside DuckDB, over the
//! same files.

use std::{collections::BTreeSet, fs::File, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch,
        StringArray, TimestampMicrosecondArray,
    },
    datatypes::Int32Type,
};
use parquet::arrow::ArrowWriter;

use crate::{
    servers::spark::{TOKEN, sail, spark},
    support::{Output, Project, settings},
};

const HOUR: i64 = 3_600_000_000;

/// 2024-03-01, in microseconds.
const BEGIN: i64 = 1_709_251_200_000_000;

/// The settings of a repo that reads its sources itself.
pub(super) const OWN: &str = "duckdb";

/// Numbers that look like chance and are the same each time.
pub(super) struct Numbers(pub u64);

impl Numbers {
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// One of these; now and then nothing.
    fn some(&mut self, end: u64) -> Option<i64> {
        let number = self.below(end + end.div_ceil(8));
        (number < end).then(|| number.cast_signed())
    }
}

fn moments(hours: impl Iterator<Item = Option<i64>>) -> TimestampMicrosecondArray {
    hours.map(|hour| hour.map(|hour| BEGIN + hour * HOUR)).collect()
}

/// Writes a parquet file of these columns.
pub(super) fn write(project: &Project, path: &str, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    let batch = batch.unwrap();
    let path = project.path(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Trips of drivers: events, creations, and values of many types; few hours, so that many rows are equally new.
fn trips(project: &Project, path: &str, rows: usize, seed: u64) {
    let mut numbers = Numbers(seed);
    let mut column = |end: u64| -> Vec<Option<i64>> { (0..rows).map(|_| numbers.some(end)).collect() };
    let (drivers, events, created) = (column(7), column(40), column(50));
    let [counts, scores, words, flags, lists] = [column(9), column(5), column(6), column(2), column(4)];
    let list =
        |number: &Option<i64>| number.map(|length| (0..length).map(|item| Some(item as i32)).collect::<Vec<_>>());
    write(
        project,
        path,
        vec![
            ("driver_id", Arc::new(Int64Array::from(drivers))),
            ("event_timestamp", Arc::new(moments(events.into_iter()).with_timezone("UTC"))),
            ("created", Arc::new(moments(created.into_iter()).with_timezone("UTC"))),
            ("trips", Arc::new(Int64Array::from(counts))),
            (
                "score",
                Arc::new(scores.iter().map(|score| score.map(|score| score as f32 / 3.0)).collect::<Float32Array>()),
            ),
            ("word", Arc::new(words.iter().map(|word| word.map(|word| format!("w`{word}'"))).collect::<StringArray>())),
            ("flag", Arc::new(flags.iter().map(|flag| flag.map(|flag| flag == 1)).collect::<BooleanArray>())),
            ("places", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists.iter().map(list)))),
        ],
    );
}

/// Weather of cities, by two keys, whose events have no zone and whose columns are called otherwise.
fn weather(project: &Project, path: &str, seed: u64) {
    let mut numbers = Numbers(seed);
    let mut column = |end: u64| -> Vec<Option<i64>> { (0..150).map(|_| numbers.some(end)).collect() };
    let (ids, cities, events, degrees) = (column(7), column(3), column(40), column(30));
    write(
        project,
        path,
        vec![
            ("id", Arc::new(ids.iter().map(|id| id.map(|id| id as i32)).collect::<Int32Array>())),
            (
                "town",
                Arc::new(cities.iter().map(|city| city.map(|city| format!("city {city}"))).collect::<StringArray>()),
            ),
            ("at", Arc::new(moments(events.into_iter()))),
            (
                "degrees",
                Arc::new(degrees.iter().map(|degrees| degrees.map(|d| d as f64 / 2.0)).collect::<Float64Array>()),
            ),
        ],
    );
}

const DEFINITIONS: &str = "
entities:
  - {name: driver, join_keys: [driver_id], value_type: INT64}
  - {name: city, join_keys: [city], value_type: STRING}
data_sources:
  - {name: trips, type: file, path: data/trips.parquet, timestamp_field: event_timestamp, created_timestamp_column: created}
  - {name: weather, type: file, path: data/weather, timestamp_field: at, field_mapping: {id: driver_id, town: city}}
feature_views:
  - {name: trips, entities: [driver], ttl: 6h, source: trips}
  - name: all_trips
    entities: [driver]
    schema: [{name: word, dtype: String}, {name: trips, dtype: Int32}]
    source: trips
  - {name: history, entities: [driver], source: trips}
  - name: weather
    entities: [driver, city]
    ttl: 1d
    schema: [{name: degrees, dtype: Float64}]
    source: weather
  - {name: latest, entities: [], ttl: 2h, schema: [{name: score, dtype: Float32}], source: trips}
on_demand_feature_views:
  - name: computed
    sources: [trips]
    schema: [{name: doubled, dtype: Int64, sql: trips * 2}]
  - name: shouted
    sources: [history]
    schema: [{name: loud, dtype: String, sql: upper(word)}]
";

const FEATURES: &str = "trips:trips,trips:score,trips:word,trips:flag,trips:places,all_trips:word,all_trips:trips,weather:degrees,\
                        latest:score,history:flag,history:places,history:score";

/// A repo with trips, weather and rows that ask about them.
pub(super) fn repo() -> Project {
    let project = repo_of(DEFINITIONS);
    trips(&project, "data/trips.parquet", 400, 1);
    weather(&project, "data/weather/a.parquet", 2);
    weather(&project, "data/weather/b.parquet", 3);
    let mut numbers = Numbers(4);
    let mut column = |end: u64| -> Vec<Option<i64>> { (0..300).map(|_| numbers.some(end)).collect() };
    let (drivers, cities, times, others) = (column(8), column(3), column(48), column(1000));
    write(
        &project,
        "rows.parquet",
        vec![
            ("other", Arc::new(Int64Array::from(others))),
            ("driver_id", Arc::new(Int64Array::from(drivers))),
            (
                "city",
                Arc::new(cities.iter().map(|city| city.map(|city| format!("city {city}"))).collect::<StringArray>()),
            ),
            ("event_timestamp", Arc::new(moments(times.into_iter()).with_timezone("UTC"))),
        ],
    );
    project
}

/// A repo of such definitions, with settings beside its own for each server.
pub(super) fn repo_of(definitions: &str) -> Project {
    let mut project = Project::new(&[("feature_store.yaml", &settings("same")), ("features.yaml", definitions)]);
    project.environment.push(("SPARK_CONNECT_AUTHENTICATE_TOKEN", TOKEN.to_owned()));
    for (name, server) in [("spark", spark()), ("sail", sail())] {
        let store = format!("offline_store:\n  type: spark\n  spark_conf: {{spark.remote: '{}'}}\n", server.address());
        let settings = settings("same").replace("offline_store:\n  type: duckdb\n", &store);
        // All files that end with .yaml are definitions.
        project.write(&format!("{name}.settings"), settings.replace("online_store.db", &format!("{name}.db")));
    }
    project
}

/// The same, whose sources are what Spark calls so: a table, a query and a folder.
fn of_spark(project: &Project) -> String {
    let [trips, weather] = ["data/trips.parquet", "data/weather"].map(|path| project.path(path).display().to_string());
    let query = format!("SELECT id AS driver_id, town AS city, at, degrees FROM parquet.`{weather}`");
    let (file, folder) = ("type: file, path: data/trips.parquet", "type: file, path: data/weather");
    let renamed = ", field_mapping: {id: driver_id, town: city}";
    assert!([file, folder, renamed].iter().all(|part| DEFINITIONS.contains(part)));
    let table = format!("type: spark, table: 'parquet.`{trips}`'");
    let definitions = DEFINITIONS.replace(file, &table).replace(renamed, "");
    definitions.replace(folder, &format!("type: spark, query: '{query}'"))
}

pub(super) fn by(project: &Project, name: &str, args: &[&str]) -> Output {
    project.feastr(&[&["--feature-store-yaml", &settings_of(name)][..], args].concat())
}

pub(super) fn settings_of(name: &str) -> String {
    if name == OWN { "feature_store.yaml".to_owned() } else { format!("{name}.settings") }
}

/// What a command prints, which is the same over DuckDB and both servers.
fn same(project: &Project, args: &[&str]) -> String {
    let ours = by(project, OWN, args).ok().stdout;
    for server in ["sail", "spark"] {
        assert_eq!(by(project, server, args).ok().stdout, ours, "{server}: {args:?}");
    }
    ours
}

#[test]
fn training_data_are_the_same() {
    let project = repo();
    project.feastr(&["apply", "--yes"]).ok();
    let rows = ["get-historical", "--entities", "rows.parquet", "--features", FEATURES, "--full-feature-names"];
    let all = same(&project, &[&rows[..], &["--format", "jsonl"]].concat());
    assert_eq!(all.lines().count(), 300);
    assert!(all.lines().filter(|line| line.contains("\"trips__word\":\"w")).count() > 50, "{all}");
    same(&project, &[&rows[..], &["--format", "jsonl", "--filter-by-created-timestamp"]].concat());
    same(&project, &[&rows[..], &["--dry-run"]].concat());
    // What is computed of features.
    let computed = ["get-historical", "--entities", "rows.parquet", "--features", "trips:trips,computed:doubled"];
    same(&project, &[&computed[..], &["--format", "jsonl"]].concat());
    // Everybody in a range, and at one time.
    let range = ["--start", "2024-03-01T05:00:00Z", "--end", "2024-03-02", "--format", "jsonl"];
    let of_trips = ["get-historical", "--features", "trips:trips,trips:word,latest:score", "--full-feature-names"];
    assert!(same(&project, &[&of_trips[..], &range].concat()).lines().count() > 50);
    same(&project, &[&["get-historical", "--features", "weather:degrees,trips:score"][..], &range].concat());
    same(&project, &[&of_trips[..], &["--as-of", "2024-03-02", "--format", "jsonl"]].concat());
    let from = ["--entities-from", "weather", "--start", "2024-03-01", "--end", "2024-03-02", "--format", "jsonl"];
    same(&project, &[&["get-historical", "--features", "weather:degrees,all_trips:word"][..], &from].concat());
}

#[test]
fn tables_queries_and_paths_are_sources() {
    let project = repo();
    project.feastr(&["apply", "--yes"]).ok();
    let rows = ["get-historical", "--entities", "rows.parquet", "--features", FEATURES, "--full-feature-names"];
    let rows = [&rows[..], &["--format", "jsonl"]].concat();
    let ours = project.feastr(&rows).ok().stdout;
    project.write("features.yaml", of_spark(&project));
    for server in ["sail", "spark"] {
        by(&project, server, &["apply", "--yes"]).ok();
        assert_eq!(by(&project, server, &rows).ok().stdout, ours, "{server}");
    }
    let path = project.path("data/trips.parquet").display().to_string();
    let definitions = of_spark(&project)
        .replace(&format!("table: 'parquet.`{path}`'"), &format!("path: '{path}', file_format: parquet"));
    project.write("features.yaml", definitions);
    by(&project, "sail", &["apply", "--yes"]).ok();
    assert_eq!(by(&project, "sail", &rows).ok().stdout, ours);
}

#[test]
fn what_cannot_be_asked_for_is_said_with_what_to_do() {
    let project = repo();
    for (from, to, said, help) in [
        ("path: data/trips.parquet", "path: data/gone.parquet", "data source `trips`", "from the cluster"),
        ("type: file, path: data/trips.parquet", "type: spark, table: gone", "gone", "catalog"),
        (
            "type: file, path: data/weather",
            "type: file, file_format: csv, path: data/w.csv",
            "not read so on Spark",
            "type: spark",
        ),
        ("value_type: STRING", "value_type: UNIX_TIMESTAMP", "city", "STRING"),
    ] {
        project.write("features.yaml", DEFINITIONS.replace(from, to));
        for server in ["sail", "spark"] {
            let told = by(&project, server, &["plan"]).failed();
            assert!(told.stderr.contains(said), "{server}, {to}: {}", told.stderr);
            assert!(server == "sail" || told.stderr.contains(help), "{server}, {to}: {}", told.stderr);
            let is_bare = ["JVM", "org.apache", "at line"].iter().any(|word| told.stderr.contains(word));
            assert!(!is_bare, "{server}, {to}: {}", told.stderr);
        }
    }
}

#[test]
fn what_would_be_done_is_said_in_the_sql_of_the_server() {
    let project = repo();
    project.feastr(&["apply", "--yes"]).ok();
    let rows =
        ["get-historical", "--entities", "rows.parquet", "--features", "trips:trips,all_trips:word", "--explain"];
    for server in ["sail", "spark"] {
        let told = by(&project, server, &rows).ok().stdout;
        // The rows of some hours are few, and all of them are many.
        let parts = ["joined by ", "feastr_entities", "PARTITION BY e.n ORDER BY s.t DESC", "max_by("];
        assert!(parts.iter().all(|part| told.matches(part).count() == 1), "{server}: {told}");
    }
}

#[test]
fn what_is_planned_is_the_same() {
    let project = repo();
    let plan = same(&project, &["plan", "--json"]);
    // Columns that are not declared are those of the source.
    assert!(plan.contains("places"), "{plan}");
    project.edit("features.yaml", "name: degrees, dtype: Float64", "name: degree, dtype: Float64");
    for settings in [OWN, "spark", "sail"] {
        let told = by(&project, settings, &["plan"]).failed();
        assert!(told.stderr.contains("has no column `degree`"), "{settings}: {}", told.stderr);
    }
}

#[test]
fn online_values_are_the_same() {
    let project = repo();
    for settings in [OWN, "spark", "sail"] {
        // Each has a registry of its own, which knows what was materialized.
        project.edit(&settings_of(settings), "registry.db", &format!("registry-of-{settings}.db"));
        by(&project, settings, &["apply", "--yes"]).ok();
    }
    let entities: Vec<String> = (0..8).map(|driver| format!("driver_id={driver}")).collect();
    let asked: Vec<&str> = entities.iter().flat_map(|entity| ["--entity", entity]).collect();
    let values = |settings: &str| {
        let own =
            ["get-online", "--features", "trips:trips,trips:score,trips:word,trips:places,all_trips:word", "--json"];
        by(&project, settings, &[&own[..], &["--full-feature-names"], &asked].concat()).ok().stdout
    };
    let mut found = BTreeSet::new();
    for settings in [OWN, "sail", "spark"] {
        let told = by(&project, settings, &["materialize", "2024-03-01", "2024-03-02T06:00:00Z", "--json"]).ok();
        assert!(told.stdout.contains("trips"), "{}", told.stdout);
        found.insert(values(settings));
    }
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found.first().unwrap().contains("w`"), "{found:#?}");
}
