//! `feastr search` and `feastr lineage`: what a person types and sees.

use insta::assert_snapshot;
use serde_json::json;

use crate::{golden::Recording, support::Project};

const MORE: &str = "
entities:
  - {name: rider, join_keys: [rider_id], value_type: INT64}
on_demand_feature_views:
  - name: activity
    sources: [driver_hourly_stats]
    schema: [{name: trips_per_week, dtype: Int64, sql: avg_daily_trips * 7}]
    owner: jo@example.com
feature_services:
  - name: busy
    features: [{activity: [trips_per_week]}, {driver_hourly_stats: [acc_rate]}]
    description: How busy somebody is
";

fn project() -> Project {
    let project = Project::example();
    project.write("more.yaml", MORE);
    project.feastr(&["apply"]).ok();
    project
}

#[test]
fn lineage_is_drawn_as_trees() {
    let project = project();
    let lineage = |args: &[&str]| project.feastr(&[&["lineage"], args].concat()).ok().stdout;
    assert_snapshot!(lineage(&["driver_hourly_stats"]), @r"
    feature view driver_hourly_stats

    made of
    ├─ entity driver
    └─ data source driver_hourly_stats_source

    goes into
    ├─ on demand feature view activity: conv_rate, acc_rate, avg_daily_trips
    │  └─ feature service busy: trips_per_week
    ├─ feature service busy: acc_rate
    ├─ feature service driver_activity_v1: conv_rate
    └─ feature service driver_activity_v2: conv_rate, acc_rate, avg_daily_trips
    ");
    assert_snapshot!(lineage(&["service:busy"]), @r"
    feature service busy
    How busy somebody is

    made of
    ├─ on demand feature view activity: trips_per_week
    │  └─ feature view driver_hourly_stats: conv_rate, acc_rate, avg_daily_trips
    │     ├─ entity driver
    │     └─ data source driver_hourly_stats_source
    └─ feature view driver_hourly_stats: acc_rate …
    ");
    assert_snapshot!(lineage(&["driver_hourly_stats:conv_rate", "--downstream", "--depth", "1"]), @r"
    feature driver_hourly_stats:conv_rate

    goes into
    ├─ on demand feature view activity: conv_rate, acc_rate, avg_daily_trips
    ├─ feature service driver_activity_v1: conv_rate
    └─ feature service driver_activity_v2: conv_rate, acc_rate, avg_daily_trips
    ");
    assert_snapshot!(lineage(&["rider"]), @r"
    entity rider
    nothing leads here, and it leads nowhere
    ");
}

#[test]
fn lineage_is_written_for_programs() {
    let project = project();
    let lineage = |format: &str| {
        let args = ["lineage", "trips_per_week", "--format", format, "--downstream"];
        project.feastr(&args).ok().stdout
    };
    assert_snapshot!(lineage("dot"), @r#"
    digraph lineage {
      rankdir=LR;
      node [fontname="sans-serif", shape=box];
      edge [fontname="sans-serif", fontsize=10];
      n0 [label="on demand feature view\nactivity\ntrips_per_week", shape=box, style="rounded,bold"];
      n1 [label="feature service\nbusy", shape=component, style="rounded"];
      n0 -> n1 [label="trips_per_week"];
    }
    "#);
    assert_snapshot!(lineage("mermaid"), @r#"
    flowchart LR
      n0["on demand feature view<br>activity<br>trips_per_week"]
      n1[["feature service<br>busy"]]
      n0 -->|"trips_per_week"| n1
      style n0 stroke-width:3px
    "#);
    let json = project.feastr(&["lineage", "busy", "--json", "--upstream", "--depth", "1"]).ok().json();
    assert_eq!(json["focus"], json!({"kind": "feature_service", "name": "busy"}));
    assert_eq!(json["nodes"][1], json!({"kind": "feature_view", "name": "driver_hourly_stats", "registered": true}));
    let owned =
        json!({"kind": "on_demand_feature_view", "name": "activity", "registered": true, "owner": "jo@example.com"});
    assert_eq!(json["nodes"][2], owned);
    assert_eq!(json["upstream"].as_array().unwrap().len(), 2);
    assert_eq!(json["upstream"][0]["features"], json!(["trips_per_week"]));
    assert_eq!(json["downstream"], json!([]));
}

/// Names may be anything, in every format.
#[test]
fn odd_names_break_no_format() {
    let project = Project::example();
    project.write("more.yaml", "feature_services:\n  - {name: 'a \"b\" <c>; `d`', features: [driver_hourly_stats]}\n");
    project.feastr(&["apply"]).ok();
    let lineage = |format| project.feastr(&["lineage", "driver_hourly_stats", "--format", format]).ok().stdout;
    assert!(lineage("dot").contains(r#"\na \"b\" <c>; `d`""#), "{}", lineage("dot"));
    assert!(lineage("mermaid").contains("<br>a #34;b#34; #60;c#62;#59; #96;d#96;\""), "{}", lineage("mermaid"));
    assert!(lineage("text").contains("feature service a \"b\" <c>; `d`"), "{}", lineage("text"));
}

#[test]
fn what_is_not_there_or_not_clear_is_told() {
    let project = project();
    let refused = |object: &str| project.feastr(&["lineage", object]).failed().stderr;
    assert_snapshot!(refused("driver_hourly_stat"), @r"
    error: there is no object and no feature `driver_hourly_stat` in the registry
    help: did you mean `driver_hourly_stats`?
    ");
    project.write("twice.yaml", "feature_services:\n  - {name: driver, features: [driver_hourly_stats]}\n");
    project.feastr(&["apply"]).ok();
    assert_snapshot!(refused("driver"), @r"
    error: `driver` may be `entity:driver` or `feature-service:driver`
    help: say which one, as it is written there
    ");
    project.feastr(&["lineage", "entity:driver"]).ok();
    project.feastr(&["lineage", "feature-service:driver"]).ok();
}

#[test]
fn what_definitions_cannot_declare_has_a_lineage() {
    let recording = Recording::kinds();
    recording.restore();
    let project = Project { folder: recording.folder, environment: Vec::new() };
    let settings = "project: kinds\nregistry: {registry_type: sql, path: sqlite:///registry.db}\nonline_store: {type: sqlite, \
                    path: online.db}\noffline_store: {type: duckdb}\nentity_key_serialization_version: 3\n";
    project.write("feature_store.yaml", settings);
    let lineage = project.feastr(&["lineage", "udf_stream", "--upstream"]).ok().stdout;
    assert!(lineage.starts_with("stream feature view udf_stream") && lineage.contains("entity rider"), "{lineage}");
    let found = project.feastr(&["search", "bigquery", "--kind", "data-source"]).ok().stdout;
    assert!(found.contains("bigquery_date"), "{found}");
}

#[test]
fn texts_are_found_everywhere() {
    let project = project();
    let search = |args: &[&str]| project.feastr(&[&["search"], args].concat()).ok().stdout;
    assert_snapshot!(search(&["trips"]), @r"
    NAME                                 KIND     OWNER           DESCRIPTION
    driver_hourly_stats:avg_daily_trips  feature  -               Average daily trips
    activity:trips_per_week              feature  jo@example.com  -
    driver_hourly_stats:acc_rate         feature  -               Share of trips without complaint
    ");
    assert_snapshot!(search(&["jo@example.com"]), @r"
    NAME      KIND                    OWNER           DESCRIPTION
    activity  on demand feature view  jo@example.com  -
    ");
    assert_snapshot!(search(&["team=driver", "--kind", "view"]), @r"
    NAME                 KIND          OWNER  DESCRIPTION
    driver_hourly_stats  feature view  -      -
    ");
    let json = project.feastr(&["search", "bussy", "--json"]).ok().json();
    assert_eq!(
        (&json[0]["name"], &json[0]["kind"], json[0]["score"].as_f64()),
        (&json!("busy"), &json!("feature_service"), Some(80.0))
    );
    let cut = project.feastr(&["search", "driver", "--limit", "1"]).ok();
    assert_eq!(cut.stdout.lines().count(), 2);
    assert!(cut.stderr.contains("more are not shown"), "{}", cut.stderr);
    let nothing = project.feastr(&["search", "weather", "forecast"]).ok();
    assert_eq!(nothing.stdout, "");
    assert!(nothing.stderr.contains("Nothing in 1 project of "), "{}", nothing.stderr);
    assert_eq!(project.feastr(&["search", "weather", "--json"]).ok().json(), json!([]));
    let elsewhere = project.feastr(&["search", "driver", "--project", "feastlocl"]).failed();
    assert!(elsewhere.stderr.contains("did you mean `feastlocal`?"), "{}", elsewhere.stderr);
}
