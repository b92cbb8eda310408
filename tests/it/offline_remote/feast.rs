//! What offline servers give, Feast's and feastr's, is what the sources give.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value as Json;

use super::{SETTINGS, ask_server, asking};
use crate::{
    interop_retrieval::{ENTITIES, SELECTIONS, arguments, generated, write_entities},
    servers::{feast::FeastServer, grpc::GrpcServer},
    support::Project,
};

/// More than the generated repo has.
const MORE: &str = "
data_sources:
  - {name: orders_push, type: push, batch_source: orders}
feature_views:
  - name: pushed
    entities: [customer]
    ttl: 0
    source: orders_push
    schema: [{name: total, dtype: Float64}, {name: items, dtype: Int64}, {name: paid, dtype: Bool}]
on_demand_feature_views:
  - name: doubled
    sources: [orders]
    schema: [{name: twice, dtype: Float64, sql: orders__total * 2}]
";

/// A repo whose offline server runs as long as the tests, and settings that ask it. It has one connection to its engine, so
/// one test at a time asks it.
fn served() -> (MutexGuard<'static, ()>, &'static Project) {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    static SERVED: OnceLock<(Project, FeastServer)> = OnceLock::new();
    let start = || {
        let project = applied();
        let server = FeastServer::start_offline(project.folder.path(), &[]);
        ask_server(&project, server.port, "");
        (project, server)
    };
    (turn, &SERVED.get_or_init(start).0)
}

/// The generated repo with more, and files of entity rows.
fn applied() -> Project {
    let project = generated();
    project.write("more.yaml", MORE);
    project.feastr(&["apply"]).ok();
    for number in 0..ENTITIES.len() {
        write_entities(&project, number);
    }
    project
}

#[test]
fn feastrs_own_server_gives_the_same() {
    let project = applied();
    let server = GrpcServer::offline(&project, &[]);
    ask_server(&project, server.address.port(), "");
    for check in [
        compare_joined,
        compare_columns,
        compare_computed,
        compare_entities,
        compare_materialized,
        check_sources,
        push_rows,
    ] {
        check(&project);
    }
}

#[test]
fn joined_features_are_those_of_the_sources() {
    let (_turn, project) = served();
    compare_joined(project);
}

fn compare_joined(project: &Project) {
    for number in 0..ENTITIES.len() {
        let entities = format!("data/entities_{number}.parquet");
        for selection in SELECTIONS {
            let output = |name: &str| format!("data/{name}.jsonl");
            project.feastr(&arguments(selection, &entities, &output("own"))).ok();
            asking(project, &arguments(selection, &entities, &output("theirs"))).ok();
            let [own, theirs] = ["own", "theirs"].map(|name| project.read(&output(name)));
            assert_eq!(own, theirs, "{selection:?} of {entities}");
            for name in ["own", "theirs"] {
                std::fs::remove_file(project.path(&output(name))).unwrap();
            }
        }
    }
}

#[test]
fn columns_are_the_same_without_rows_and_with_them() {
    let (_turn, project) = served();
    compare_columns(project);
}

fn compare_columns(project: &Project) {
    let args = ["get-historical", "--entities", "data/entities_1.parquet", "--feature-service", "all", "--dry-run"];
    let [own, theirs] = [project.feastr(&args), asking(project, &args)].map(|output| output.ok().stdout);
    assert_eq!(own, theirs);
    let explained = asking(project, &[&args[..5], &["--explain"]].concat()).ok();
    assert!(explained.stdout.contains("orders"), "{explained:?}");
}

#[test]
fn on_demand_features_are_computed_of_what_the_server_gives() {
    let (_turn, project) = served();
    compare_computed(project);
}

fn compare_computed(project: &Project) {
    let args = ["get-historical", "--entities", "data/entities_0.parquet", "--features", "doubled:twice", "-o"];
    let [own, theirs] = ["data/own_twice.jsonl", "data/their_twice.jsonl"];
    project.feastr(&[&args[..], &[own]].concat()).ok();
    asking(project, &[&args[..], &[theirs]].concat()).ok();
    let [own, theirs] = [own, theirs].map(|path| project.read(path));
    assert!(own == theirs && own.contains("twice"), "{own}\n{theirs}");
}

#[test]
fn entity_rows_may_be_those_of_the_sources() {
    let (_turn, project) = served();
    compare_entities(project);
}

fn compare_entities(project: &Project) {
    for (name, about) in [
        ("range", &["--start", "2026-01-02", "--end", "2026-01-04"][..]),
        ("as_of", &["--as-of", "2026-01-05"]),
        ("from", &["--entities-from", "weather", "--start", "2026-01-03"]),
    ] {
        let features = if name == "from" { "weather:temperature" } else { "orders:total,orders:items" };
        let output = |of: &str| format!("data/{of}_{name}.jsonl");
        let args = |of: &str| {
            let mut args = vec!["get-historical".to_owned(), "--features".to_owned(), features.to_owned()];
            args.extend(about.iter().map(|word| (*word).to_owned()));
            args.extend(["-o".to_owned(), output(of)]);
            args
        };
        let run = |of: &str, remote: bool| {
            let args = args(of);
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            if remote {
                asking(project, &args).ok()
            } else {
                project.feastr(&args).ok()
            };
            project.read(&output(of))
        };
        let (own, theirs) = (run("own", false), run("theirs", true));
        assert!(own.lines().count() > 3, "{name}: {own}");
        assert_eq!(own, theirs, "{name}");
    }
}

#[test]
fn what_is_materialized_is_the_same() {
    let (_turn, project) = served();
    compare_materialized(project);
}

fn compare_materialized(project: &Project) {
    // Another online store for what comes over the server.
    let settings = project.read(SETTINGS);
    project.write("other.yaml", settings.replace("data/online_store.db", "data/other.db"));
    let other = |args: &[&str]| project.feastr(&[&["--feature-store-yaml", "other.yaml"][..], args].concat());
    let range = ["materialize", "2026-01-01", "2026-01-08", "--views", "orders,visits,weather,stock,rates"];
    project.feastr(&range).ok();
    other(&range).ok();
    for (features, entities) in [
        ("orders:total,orders:items,orders:paid,visits:page_count,visits:device", "customer_id"),
        ("weather:temperature", "city_name"),
    ] {
        for key in ["1", "2", "3", "Oslo", "Rome"] {
            if entities == "customer_id" && key.len() > 1 {
                continue;
            }
            let entity = format!("{entities}={key}");
            let ask = ["get-online", "--features", features, "--entity", &entity, "--json"];
            let [own, theirs]: [Json; 2] = [project.feastr(&ask).ok().json(), other(&ask).ok().json()];
            assert_eq!(own, theirs, "{entity}");
        }
    }
    // Others would take it for definitions.
    std::fs::remove_file(project.path("other.yaml")).unwrap();
}

#[test]
fn rows_are_pushed_to_the_source_of_the_server() {
    let (_turn, project) = served();
    push_rows(project);
}

fn push_rows(project: &Project) {
    project.write(
        "data/pushed.csv",
        "customer_id,at,written,total,items,paid\n77,2026-02-01T00:00:00Z,2026-02-01T01:00:00Z,12.5,3,true\n",
    );
    let pushed = asking(project, &["push", "orders_push", "--input", "data/pushed.csv", "--to", "offline"]).ok();
    assert!(
        pushed.stderr.contains("Added 1 row to data source orders: the offline server at http://localhost:"),
        "{pushed:?}"
    );
    project.write("data/asked.csv", "customer_id,event_timestamp\n77,2026-02-02T00:00:00Z\n");
    let ask = ["get-historical", "--entities", "data/asked.csv", "--features", "pushed:total,pushed:items", "-o"];
    asking(project, &[&ask[..], &["data/asked.jsonl"]].concat()).ok();
    let row: Json = serde_json::from_str(&project.read("data/asked.jsonl")).unwrap();
    assert_eq!((&row["total"], &row["items"]), (&12.5.into(), &3.into()));
    let wrong = ["push", "orders_push", "--input", "data/asked.csv", "--to", "offline"];
    assert!(asking(project, &wrong).failed().stderr.contains("total"), "a column is missing");
}

#[test]
fn sources_are_checked_by_their_columns_there() {
    let (_turn, project) = served();
    check_sources(project);
}

fn check_sources(project: &Project) {
    assert!(asking(project, &["plan"]).ok().stdout.contains("No changes"));
    project.write("wrong.yaml", "feature_views: [{name: wrong, entities: [customer], source: orders, schema: [{name: totl, dtype: Float64}]}]\n");
    let wrong = asking(project, &["plan"]).failed().stderr;
    std::fs::remove_file(project.path("wrong.yaml")).unwrap();
    assert!(wrong.contains("totl"), "{wrong}");
}
