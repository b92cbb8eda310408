//! Results that a cluster writes itself, into a folder that it and feastr see.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};

use arrow::datatypes::{DataType as ArrowType, TimeUnit};
use feastr::offline::{Cancel, SparkSession};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use super::{
    Sum,
    same::{OWN, by, repo},
};
use crate::{
    servers::{
        redis::RedisServer,
        spark::{TOKEN, spark},
    },
    support::Project,
};

const FEATURES: &str = "trips:trips,trips:word,trips:flag,trips:places,weather:degrees,all_trips:word,computed:doubled";

const JOIN: [&str; 6] =
    ["get-historical", "--entities", "rows.parquet", "--full-feature-names", "--features", FEATURES];

/// The rows that a command prints, sorted; their columns are, too.
fn rows(project: &Project, args: &[&str]) -> Vec<String> {
    let told = by(project, OWN, &[args, &["--format", "jsonl"]].concat()).ok().stdout;
    let sorted = |row: &str| serde_json::from_str::<BTreeMap<String, Value>>(row).map(|row| format!("{row:?}"));
    let mut rows: Vec<String> = told.lines().map(|row| sorted(row).unwrap()).collect();
    rows.sort_unstable();
    rows
}

#[test]
fn a_cluster_writes_the_same_rows() {
    let project = repo();
    project.feastr(&["apply", "--yes"]).ok();
    // Whoever reads the folder asks for one feature more.
    let with_score = FEATURES.to_owned() + ",latest:score";
    let ours = rows(&project, &[&JOIN[..5], &[&with_score]].concat());
    assert_eq!(ours.len(), 300);
    for server in ["sail", "spark"] {
        let folder = format!("{}/", project.path(&format!("results/{server}")).display());
        fs::create_dir_all(project.path("results")).unwrap();
        let told = by(&project, server, &[&JOIN[..], &["-o", &folder, "--json"]].concat()).ok().json();
        assert_eq!((&told["rows"], &told["folder"]), (&300.into(), &folder.as_str().into()), "{told}");
        let names: BTreeSet<String> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let manifest: Value = serde_json::from_slice(&fs::read(format!("{folder}_feastr.json")).unwrap()).unwrap();
        assert_eq!(manifest["files"], told["files"]);
        let files = manifest["files"].as_array().unwrap();
        assert!(files.iter().all(|file| names.contains(file["name"].as_str().unwrap())), "{manifest} {names:?}");
        let file = fs::File::open(format!("{folder}{}", files[0]["name"].as_str().unwrap())).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let time = reader.schema().field_with_name("event_timestamp").unwrap().data_type();
        assert_eq!(*time, ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), "{server}");
        let sql = format!("SELECT * FROM read_parquet('results/{server}/*.parquet')");
        let read = ["get-historical", "--entity-sql", &sql, "--features", "latest:score", "--full-feature-names"];
        assert_eq!(rows(&project, &read), ours, "{server}");

        // What is there stays.
        let told = by(&project, server, &[&JOIN[..], &["-o", &folder]].concat()).failed();
        assert!(told.stderr.contains("there is something already"), "{}", told.stderr);
        assert_eq!(fs::read_dir(project.path("results")).unwrap().count(), if server == "sail" { 1 } else { 2 });
    }
}

#[test]
fn what_a_cluster_does_not_write_is_said_and_nothing_is_left() {
    let project = repo();
    project.feastr(&["apply", "--yes"]).ok();
    let folder = format!("{}/", project.path("result").display());
    let computed = ["get-historical", "--entities", "rows.parquet", "--features", "trips:trips,shouted:loud"];
    // Of other width than declared, and sources as another kind of number.
    let odd = ["get-historical", "--entities", "rows.parquet", "--features", "all_trips:trips"];
    let limited = [&JOIN[..], &["--limit", "3"]].concat();
    let text = [&JOIN[..], &["--format", "csv"]].concat();
    for (server, args, said, help) in [
        ("sail", &computed[..], "Spark does not compute `loud`", "such as result.parquet"),
        ("sail", &odd, "feature `trips` holds", "casts it"),
        ("sail", &limited, "--limit is nothing for a result that an engine", "one file"),
        ("sail", &text, "--format is nothing for a result that an engine", "one file"),
        (OWN, &JOIN, "only an engine writes a folder", "--partition-by"),
    ] {
        let told = by(&project, server, &[args, &["-o", &folder]].concat()).failed();
        assert!(told.stderr.contains(said) && told.stderr.contains(help), "{args:?}: {}", told.stderr);
    }
    let told = by(&project, "sail", &[&JOIN[..], &["-o", "hdfs://name/result/"]].concat());
    assert!(told.code != 0 && told.stderr.contains("is no folder that both"), "{}", told.stderr);
    let left: Vec<_> = fs::read_dir(project.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("result")), "{left:?}");
}

#[test]
fn a_cluster_makes_a_table_of_the_rows() {
    let project = repo();
    project.feastr(&["apply", "--yes"]).ok();
    let to = |server: &str, place: &str| by(&project, server, &[&JOIN[..], &["--json", "-o", place]].concat());
    // Tables outlive the session that made them in Spark alone; Sail makes one and forgets it.
    to("sail", "table:training").ok();
    let told = to("spark", "table:default.training").ok().json();
    assert_eq!(told, serde_json::json!({ "table": "default.training", "rows": 300 }));
    let taken = to("spark", "table:default.training").failed().stderr;
    assert!(taken.contains("TABLE_OR_VIEW_ALREADY_EXISTS"), "{taken}");
    assert!(to("spark", "table:a..b").failed().stderr.contains("is no name of a table"));
    let divided = [&JOIN[..], &["--partition-by", "city", "-o", "table:divided"]].concat();
    assert!(by(&project, "spark", &divided).failed().stderr.contains("a table is no folder"));

    // Its rows are those of a folder.
    let folder = format!("{}/", project.path("result").display());
    to("spark", &folder).ok();
    let config = spark().config(&format!("token={TOKEN};use_ssl=false"), Duration::from_secs(5));
    let session = SparkSession::open(&config, &Cancel::default()).unwrap();
    let count = |rows: &str| {
        let mut found = Sum { rows: 0, sum: 0, act: || () };
        session.query(&format!("SELECT count(*) FROM ({rows})"), &mut found, &|_| {}).unwrap();
        found.sum
    };
    let (table, folder) = ("SELECT * FROM default.training", format!("SELECT * FROM parquet.`{folder}`"));
    assert_eq!(count(table), 300);
    assert_eq!([count(&format!("{table} EXCEPT {folder}")), count(&format!("{folder} EXCEPT {table}"))], [0, 0]);
}

/// More newest rows than answers may have come through files, which are removed.
#[test]
fn newest_rows_of_millions_come_through_files() {
    let redis = RedisServer::start("");
    let project = repo();
    fs::create_dir(project.path("staging")).unwrap();
    let staging = format!("  type: spark\n  staging_location: '{}'\n", project.path("staging").display());
    project.edit("sail.settings", "  type: spark\n", &staging);
    let settings = project.read("sail.settings");
    let (before, rest) = settings.split_once("online_store:\n").unwrap();
    let rest = &rest[rest.find("offline_store:").unwrap()..];
    project.write("sail.settings", format!("{before}{}{rest}", redis.settings(0)));
    let query =
        "SELECT id AS driver_id, timestamp_micros(1709251200000000L + id) AS at, id * 2L AS twice FROM range(2100000)";
    let definitions = format!(
        "entities: [{{name: driver, join_keys: [driver_id], value_type: INT64}}]\nfeature_views:\n  - {{name: many, entities: \
         [driver], ttl: 0, schema: [{{name: twice, dtype: Int64}}], source: {{name: many, type: spark, query: '{query}', \
         timestamp_field: at}}}}\n"
    );
    project.write("features.yaml", definitions);
    by(&project, "sail", &["apply", "--yes"]).ok();
    let told = by(&project, "sail", &["materialize", "2024-03-01", "2024-03-02", "--json"]).ok();
    assert_eq!(told.json()["views"][0]["written"], 2_100_000);
    assert_eq!(fs::read_dir(project.path("staging")).unwrap().count(), 0);
    let value = ["get-online", "--features", "many:twice", "--entity", "driver_id=2099999", "--json"];
    let value = by(&project, "sail", &value).ok().stdout;
    assert!(value.contains("4199998"), "{value}");
    // There is no other way for so many.
    project.write("file", "no folder");
    project.edit(
        "sail.settings",
        &project.path("staging").display().to_string(),
        &project.path("file").display().to_string(),
    );
    by(&project, "sail", &["materialize", "2024-03-01", "2024-03-02"]).failed();
}

/// Entity rows of more than a message takes: with a place for files all of them at once, else part after part.
#[test]
fn wide_entity_rows_are_joined_as_well() {
    let project = repo();
    project.feastr(&["apply", "--yes"]).ok();
    let note = "x".repeat(1 << 20);
    let row = |row: u32| {
        let (driver, hour) = (row % 7, 10 + row % 14);
        format!("{driver},2024-03-01T{hour}:00:00Z,{row:03}{note}\n")
    };
    let wide: String = (0..60).map(row).collect();
    project.write("wide.csv", format!("driver_id,event_timestamp,note\n{wide}"));
    let features = "trips:trips,trips:word,all_trips:word";
    let join = ["get-historical", "--entities", "wide.csv", "--features", features, "--full-feature-names", "-o"];
    let sum = |file: &str| {
        // What was joined to whom, without the wide column.
        let sql = format!("SELECT * REPLACE (left(note, 3) AS note) FROM read_parquet('{file}')");
        rows(&project, &["get-historical", "--entity-sql", &sql, "--features", "latest:score"])
    };
    by(&project, OWN, &[&join[..], &["own.parquet"]].concat()).ok();
    let ours = sum("own.parquet");
    assert_eq!(ours.len(), 60);
    fs::create_dir(project.path("staging")).unwrap();
    for staging in [false, true] {
        if staging {
            let staging = format!("  type: spark\n  staging_location: '{}'\n", project.path("staging").display());
            project.edit("sail.settings", "  type: spark\n", &staging);
        }
        let folder = format!("{}/", project.path(&format!("wide-{staging}")).display());
        by(&project, "sail", &[&join[..], &[&folder]].concat()).ok();
        assert_eq!(sum(&format!("wide-{staging}/*.parquet")), ours, "{staging}");
    }
    // Nothing is left of the rows.
    assert_eq!(fs::read_dir(project.path("staging")).unwrap().count(), 0);
}
