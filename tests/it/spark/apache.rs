//! What is tried at Apache Spark: what Sail does not do, or does otherwise.

use std::{
    thread,
    time::{Duration, Instant},
};

use feastr::{
    offline::{Cancel, SparkSession, Tasks},
    problem::Kind,
};
use serde_json::Value;

use super::{Sum, checks, repo};
use crate::servers::spark::{TOKEN, spark};

const WAIT: Duration = Duration::from_secs(60);

fn session(cancel: &Cancel) -> SparkSession {
    SparkSession::open(&spark().config(&format!("token={TOKEN};use_ssl=false"), WAIT), cancel).unwrap()
}

fn refused(statement: &str) -> feastr::problem::Problem {
    let mut sum = Sum { rows: 0, sum: 0, act: || {} };
    session(&Cancel::default()).query(statement, &mut sum, &|_| {}).unwrap_err()
}

#[test]
fn everything_that_is_needed_works() {
    let mut project = repo(&spark().address());
    let staging = project.path("staging");
    let place = "spark_conf: {spark.driver.memory: 9g, spark.sql.shuffle.partitions: 3, spark.remote: ";
    project.edit("feature_store.yaml", "spark_conf: {spark.remote: ", place);
    project.edit(
        "feature_store.yaml",
        "type: spark",
        &format!("type: spark, staging_location: 'file://{}'", staging.display()),
    );
    let told = project.feastr(&["engine", "check"]).failed();
    assert!(told.stderr.contains("SPARK_CONNECT_AUTHENTICATE_TOKEN"), "{}", told.stderr);

    project.environment.push(("SPARK_CONNECT_AUTHENTICATE_TOKEN", TOKEN.to_owned()));
    let told = project.feastr(&["engine", "check", "--json"]).ok();
    let report = told.json();
    assert!(checks(&report).len() == 10 && checks(&report).iter().all(|(_, error)| error.is_null()), "{report}");
    assert_eq!((&report["spark_version"], &report["left"]), (&"4.3.0".into(), &Value::Null));
    assert_eq!(report["warnings"].as_array().unwrap().len(), 1, "{report}");
    assert!(told.stderr.contains("`spark.driver.memory` of `spark_conf` has no effect"), "{}", told.stderr);
    assert!(!format!("{}{}", told.stdout, told.stderr).contains(TOKEN));
    assert_eq!(std::fs::read_dir(&staging).unwrap().count(), 0);
}

#[test]
fn answers_that_the_server_cuts_come_in_whole() {
    let began = Instant::now();
    // The server ends each answer after a second, and this one is taken slowly.
    let mut sum = Sum { rows: 0, sum: 0, act: || thread::sleep(Duration::from_millis(20)) };
    let count = session(&Cancel::default()).query("SELECT id FROM range(2000000)", &mut sum, &|_| {}).unwrap();
    assert_eq!((count, sum.rows, sum.sum), (2_000_000, 2_000_000, 1_999_999_000_000));
    assert!(began.elapsed() > Duration::from_secs(2), "nothing was cut: {:?}", began.elapsed());
}

#[test]
fn a_query_that_is_called_off_is_over_at_the_server() {
    let cancel = Cancel::default();
    let ended = session(&cancel);
    // Spark lets a query go on that is interrupted before it has tasks.
    let call_off = |tasks: Tasks| {
        if tasks.known > 0 {
            cancel.cancel();
        }
    };
    let mut sum = Sum { rows: 0, sum: 0, act: || {} };
    // It takes minutes, but it ends, should it not be called off.
    let long = "SELECT sum(id % 7) AS id FROM range(0, 40000000000, 1, 8)";
    let problem = ended.query(long, &mut sum, &call_off).unwrap_err();
    assert_eq!(problem.kind, Kind::Cancelled);
    drop(ended);
    // Both of its processors are free again.
    let began = Instant::now();
    let mut sum = Sum { rows: 0, sum: 0, act: || {} };
    session(&Cancel::default()).query("SELECT sum(id) AS id FROM range(0, 100, 1, 4)", &mut sum, &|_| {}).unwrap();
    assert!(sum.sum == 4950 && began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn mistakes_are_told_in_words_of_feastr() {
    for (statement, kind, part) in [
        ("SELECT nope FROM range(1)", Kind::Invalid, "there is no column `nope`"),
        ("SELECT nope(1)", Kind::Unsupported, "there is no function `nope`"),
        ("SELECT * FROM nowhere", Kind::NotFound, "there is no table or view `nowhere`"),
        ("SELEC 1", Kind::Unsupported, "does not understand the statement near 'SELEC'"),
        ("SELECT * FROM parquet.`/nowhere/at/all`", Kind::NotFound, "there is nothing at file:/nowhere/at/all"),
        ("SELECT CAST('x' AS INT) AS id", Kind::Invalid, "'x' is no INT"),
    ] {
        let problem = refused(statement);
        assert!(problem.kind == kind && problem.message.contains(part), "{statement}: {problem:?}");
        assert!(!problem.message.contains("org.apache") && !problem.message.contains("+-"), "{problem:?}");
    }
}
