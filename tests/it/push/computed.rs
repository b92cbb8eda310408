//! On-demand views whose values are stored follow what is pushed.

use serde_json::{Value as Json, json};

use super::{DEFINITIONS, applied_with, push};
use crate::{interop::feast, support::Project};

const COMPUTED: &str = "\
on_demand_feature_views:
  - {name: kept, entities: [driver], sources: [fresh], write_to_online_store: true, schema: [
      {name: twice, dtype: Int64, sql: avg_daily_trips * 2}, {name: share, dtype: Int64, sql: 100 // avg_daily_trips}]}
  - {name: asked, sources: [fresh], schema: [{name: thrice, dtype: Int64, sql: avg_daily_trips * 3}]}
";

fn applied() -> Project {
    applied_with(&format!("{DEFINITIONS}{COMPUTED}"))
}

/// A feature of two drivers.
fn values(project: &Project, feature: &str) -> Json {
    let args =
        ["get-online", "--json", "--features", feature, "--entity", "driver_id=1001", "--entity", "driver_id=1002"];
    project.feastr(&args).ok().json()["results"][1]["values"].clone()
}

#[test]
fn they_are_as_new_as_the_rows() {
    let project = applied();
    let rows =
        [(1001, "2026-11-20T10:00:00Z", 11), (1002, "2026-11-20T10:00:00Z", 12), (1001, "2026-11-20T09:00:00Z", 1)];
    let report = push(&project, &rows, &["--json"]).ok().json();
    let views: Vec<&str> =
        report["views"].as_array().unwrap().iter().map(|view| view["view"].as_str().unwrap()).collect();
    assert_eq!(views, ["fresh", "trips", "kept"]);
    assert_eq!(report["views"][2]["written"], json!(2));
    assert_eq!([values(&project, "kept:twice"), values(&project, "asked:thrice")], [json!([22, 24]), json!([33, 36])]);
    // Older rows change nothing.
    push(&project, &[(1001, "2026-11-20T08:00:00Z", 1)], &[]).ok();
    assert_eq!(values(&project, "kept:twice"), json!([22, 24]));
    push(&project, &[(1001, "2026-11-20T11:00:00Z", 13)], &[]).ok();
    assert_eq!(values(&project, "kept:twice"), json!([26, 24]));
    let step = json!({ "online": { "entities": [{ "driver_id": 1001 }], "features": ["kept:twice"] } });
    assert_eq!(feast(&project, &[step])[0]["twice"]["values"], json!([26]));
}

#[test]
fn a_value_that_cannot_be_computed_is_said() {
    let project = applied();
    let failed = push(&project, &[(1001, "2026-11-20T10:00:00Z", 0)], &[]).failed();
    assert!(failed.stderr.contains("`share` of `kept` cannot be computed"), "{}", failed.stderr);
    assert!(failed.stderr.contains("`fresh`, `trips` are written already"), "{}", failed.stderr);
}
