//! What is tried at Sail, which is there in a moment.

use std::time::{Duration, Instant};

use feastr::{
    offline::{Cancel, SparkSession},
    problem::Kind,
};
use serde_json::Value;

use super::{Sum, checks, repo};
use crate::{
    servers::spark::{SparkServer, sail},
    support::Project,
};

const NAMES: [&str; 10] =
    ["connection", "constant", "times", "upload", "view", "join", "carry-forward", "newest", "functions", "files"];

#[test]
fn everything_that_is_needed_works() {
    let project = repo(&sail().address());
    let staging = project.path("staging");
    std::fs::create_dir(&staging).unwrap();
    let place = format!("type: spark, staging_location: '{}'", staging.display());
    project.edit("feature_store.yaml", "type: spark", &place);
    let report = project.feastr(&["engine", "check", "--json"]).ok().json();
    let found = checks(&report);
    assert_eq!(found, NAMES.map(|name| (name.to_owned(), Value::Null)));
    assert_eq!((&report["spark_version"], &report["left"]), (&Value::Null, &Value::Null));
    assert_eq!(report["missing_functions"], Value::Array(Vec::new()));
    // Nothing is left of what was written.
    assert_eq!(std::fs::read_dir(&staging).unwrap().count(), 0);

    let told = project.feastr(&["engine", "check"]).ok();
    assert!(
        told.stdout.starts_with("Not Spark, but a server that speaks its protocol, at sc://127.0.0.1:"),
        "{}",
        told.stdout
    );
    assert!(NAMES.iter().all(|name| told.stdout.contains(name)) && !told.stdout.contains("failed"), "{}", told.stdout);
}

#[test]
fn a_folder_that_cannot_be_written_is_a_failure_and_the_rest_is_told() {
    let project = repo(&sail().address());
    project.write("file", "no folder");
    let place = format!("type: spark, staging_location: '{}'", project.path("file").display());
    project.edit("feature_store.yaml", "type: spark", &place);
    let told = project.feastr(&["engine", "check", "--json"]).failed();
    let found = checks(&told.json());
    assert!(found[..9].iter().all(|(_, error)| error.is_null()), "{found:?}");
    assert!(found[9].1["message"].is_string() && told.stderr.contains("error: files: "), "{}", told.stderr);
}

#[test]
fn a_store_whose_server_is_away_is_told_by_those_who_ask_it() {
    let project = repo("sc://127.0.0.1:1");
    for args in [&["plan"][..], &["apply", "--yes"]] {
        let told = project.feastr(args).failed();
        assert!(
            told.stderr.contains("the Spark Connect server at sc://127.0.0.1:1 cannot be reached"),
            "{}",
            told.stderr
        );
    }
    // Who does not want sources to be looked at asks nobody.
    project.feastr(&["apply", "--yes", "--skip-source-validation"]).ok();
    project.feastr(&["feature-views", "list"]).ok();
    for args in [
        &["materialize", "2021-01-01", "2022-01-01"][..],
        &["get-historical", "--entities", "data/entity_rows.csv", "--features", "driver_hourly_stats:conv_rate"],
    ] {
        let told = project.feastr(args).failed();
        assert!(
            told.stderr.contains("the Spark Connect server at sc://127.0.0.1:1 cannot be reached"),
            "{}",
            told.stderr
        );
    }
}

#[test]
fn a_server_that_is_away_is_told_with_where_it_is_set() {
    let told = repo("sc://127.0.0.1:1").feastr(&["engine", "check"]).failed();
    assert!(told.stderr.contains("the Spark Connect server at sc://127.0.0.1:1 cannot be reached"), "{}", told.stderr);
    assert!(told.stderr.contains("`spark.remote`"), "{}", told.stderr);

    let mut of_environment = repo("");
    let told = of_environment.feastr(&["engine", "check"]).failed();
    assert!(told.stderr.contains("nothing says where the Spark Connect server is"), "{}", told.stderr);
    of_environment.environment.push(("SPARK_REMOTE", sail().address()));
    of_environment.feastr(&["engine", "check"]).ok();

    let told = Project::example().feastr(&["engine", "check"]).failed();
    assert!(told.stderr.contains("feature_store.yaml names no engine"), "{}", told.stderr);
}

#[test]
fn a_batch_engine_is_looked_at_beside_another_store() {
    let project = Project::example();
    let settings = project.read("feature_store.yaml");
    let engine =
        format!("batch_engine: {{type: spark.engine, spark_conf: {{spark.remote: '{}'}}}}\n", sail().address());
    project.write("feature_store.yaml", format!("{settings}\n{engine}"));
    project.feastr(&["engine", "check"]).ok();
    project.feastr(&["apply", "--yes"]).ok();
    let interval = ["materialize", "2026-10-01", "2026-11-01", "--json"];
    let report = project.feastr(&interval).ok().json();
    assert!(report["views"][0]["written"].as_u64() > Some(0), "{report}");
    // It is the engine that reads the sources of materializations, and nothing else.
    project.write(
        "feature_store.yaml",
        format!("{settings}\nbatch_engine: {{type: spark.engine, spark_conf: {{spark.remote: 'sc://127.0.0.1:1'}}}}\n"),
    );
    let told = project.feastr(&interval).failed();
    assert!(told.stderr.contains("the Spark Connect server at sc://127.0.0.1:1 cannot be reached"), "{}", told.stderr);
    project.feastr(&["plan"]).ok();
}

#[test]
fn many_rows_come_in_whole() {
    let session = SparkSession::open(&sail().config("", Duration::from_secs(5)), &Cancel::default()).unwrap();
    let mut sum = Sum { rows: 0, sum: 0, act: || {} };
    let count = session.query("SELECT id FROM range(1000000)", &mut sum, &|_| {}).unwrap();
    assert_eq!((count, sum.rows, sum.sum), (1_000_000, 1_000_000, 499_999_500_000));
}

#[test]
fn a_server_that_ends_in_a_query_is_an_error_soon() {
    let mut server = SparkServer::own_sail();
    let session = SparkSession::open(&server.config("", Duration::from_secs(1)), &Cancel::default()).unwrap();
    let mut running = Some(&mut server);
    let mut sum = Sum { rows: 0, sum: 0, act: || running.take().into_iter().for_each(SparkServer::end) };
    let began = Instant::now();
    let problem = session.query("SELECT id FROM range(100000000)", &mut sum, &|_| {}).unwrap_err();
    assert_eq!(problem.kind, Kind::Unavailable, "{problem:?}");
    drop(session);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}
