//! Views that change after their values were written.

use serde_json::Value;

use crate::{
    servers::redis::RedisServer,
    support::{Project, settings},
};

const SOURCE: &str = "id,at,trips,rate\n1,2026-01-01T00:00:00Z,5,0.5\n2,2026-01-02T00:00:00Z,7,0.7\n";

const VIEW: &str = "
entities: [{name: thing, join_keys: [id], value_type: INT64}]
feature_views:
  - name: things
    entities: [thing]
    schema: [{name: trips, dtype: Int64}]
    source: {name: rows, type: file, path: data/rows.csv, timestamp_field: at, file_format: csv}
";

fn project(server: &RedisServer, more: &str) -> Project {
    let settings = settings("changed");
    let (before, _) = settings.split_once("online_store:").unwrap();
    let online = server.settings(0);
    let project = Project::new(&[
        ("feature_store.yaml", &format!("{before}{online}{more}entity_key_serialization_version: 3\n")),
        ("things.yaml", VIEW),
        ("data/rows.csv", SOURCE),
    ]);
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize-incremental", "2026-01-03"]).ok();
    project
}

fn online(project: &Project, id: &str, feature: &str) -> Value {
    let entity = format!("id={id}");
    let feature = format!("things:{feature}");
    project.feastr(&["get-online", "--features", &feature, "--entity", &entity, "--json"]).ok().json()
}

#[test]
fn what_apply_advises_brings_values_of_a_new_feature() {
    let server = RedisServer::start("");
    let project = project(&server, "");
    project.edit("things.yaml", "dtype: Int64}]", "dtype: Int64}, {name: rate, dtype: Float64}]");
    let output = project.feastr(&["apply"]).ok().stdout;
    let command = output.lines().find_map(|line| line.trim().strip_prefix("feastr materialize ")).expect(&output);
    assert!(!online(&project, "1", "rate").to_string().contains("0.5"));

    // A newer row that is written in between stays.
    project.write("data/rows.csv", format!("{SOURCE}2,2026-01-04T00:00:00Z,9,0.9\n"));
    project.feastr(&["materialize-incremental", "2026-01-05"]).ok();
    let args: Vec<&str> = ["materialize"].into_iter().chain(command.split_whitespace()).collect();
    project.feastr(&args).ok();
    assert!(online(&project, "1", "rate").to_string().contains("0.5"));
    assert!(online(&project, "2", "rate").to_string().contains("0.9"));

    // Behind the moment of the change the same rows are skipped, as ever.
    let again = project.feastr(&["materialize", "2026-01-03T12:00:00", "2026-01-05", "--json"]).ok().json();
    assert_eq!(again["views"][0]["written"], 0, "{again}");
}
