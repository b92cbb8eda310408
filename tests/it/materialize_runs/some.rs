//! Runs for some entities: their values are written, and nothing is recorded for all.

use serde_json::json;

use super::{END, START, intervals, three_views, values};
use crate::support::Project;

/// Views over the example's five drivers, and `trips` of two of them in the range and one before it.
fn with_trips() -> Project {
    let project = three_views();
    project.write(
        "trips.yaml",
        "data_sources:\n  - {name: rides, type: file, file_format: csv, path: trips.csv, timestamp_field: at}\n\
         entities:\n  - {name: car, join_keys: [car_id], value_type: STRING}\n\
         feature_views:\n  - {name: trips, entities: [driver, car], source: rides, schema: [{name: km, dtype: Float64}]}\n\
         \x20 - {name: cars, entities: [car], source: rides, schema: [{name: km, dtype: Float64}]}\n",
    );
    let rows = ["1001,a,2026-10-05", "1003,b,2026-10-20", "1003,c,2026-10-21", "1005,a,2026-09-01", ",a,2026-10-05"];
    let rows = rows.map(|row| format!("{row}T00:00:00Z,1.5\n")).concat();
    project.write("trips.csv", format!("driver_id,car_id,at,km\n{rows}"));
    project.feastr(&["apply", "--skip-source-validation"]).ok();
    project
}

#[test]
fn values_of_some_are_written_and_no_interval_is_recorded() {
    let project = with_trips();
    let run = |more: &[&str]| project.feastr(&[&["materialize", START, END][..], more].concat());
    let only = ["--views", "good", "--entities-from", "trips"];
    let dry = run(&[&only[..], &["--dry-run", "--json"]].concat()).ok().json();
    assert_eq!(dry["views"][0]["chunks"][0]["entities"], 2, "{dry}");
    let done = run(&[&only[..], &["--json"]].concat()).ok();
    assert_eq!(done.json()["views"][0]["written"], 2);
    let said = "only the entities of `trips` are written, and the range is not recorded as materialized";
    assert!(done.stderr.contains(said), "{}", done.stderr);
    let some = values(&project, "shop_good");
    assert_eq!((some.len(), intervals(&project, "good")), (2, Vec::new()));
    let history = project.feastr(&["materialize", "history", "good", "--json"]).ok().json();
    assert!(history[0]["by"].as_str().unwrap().ends_with(", of the entities of `trips` only"), "{history}");
    // The same values as those of a run for all, which has them in it.
    run(&["--views", "good"]).ok();
    let all = values(&project, "shop_good");
    assert_eq!((all.len(), intervals(&project, "good").len()), (5, 1));
    assert!(some.iter().all(|value| all.contains(value)));
}

#[test]
fn views_by_other_keys_are_left_out_or_refused() {
    let project = with_trips();
    let run = |more: &[&str]| project.feastr(&[&["materialize", START, END, "--json"][..], more].concat());
    // Without --views those whose keys `trips` has; of `bad` there is no source.
    let report = run(&["--entities-from", "trips"]).json();
    let views: Vec<_> = report["views"].as_array().unwrap().iter().map(|view| &view["view"]).collect();
    assert_eq!(views, ["bad", "better", "cars", "good", "trips"]);
    assert_eq!(report["views"][2]["written"], 3);
    let report = run(&["--entities-from", "cars"]).ok().json();
    assert_eq!(report["views"].as_array().unwrap().len(), 1, "{report}");
    let refused = run(&["--entities-from", "cars", "--views", "good"]).failed().stderr;
    assert!(refused.contains("the entities of `cars` do not say whose values of `good` are wanted"), "{refused}");
    let source = run(&["--entities-from", "rides", "--views", "good"]).ok().json();
    assert_eq!(source["views"][0]["written"], 2);
    assert!(run(&["--entities-from", "rides"]).failed().stderr.contains("name the views that are wanted"));
    let unknown = run(&["--entities-from", "trip"]).failed().stderr;
    assert!(
        unknown.contains("there is no feature view or data source `trip`") && unknown.contains("`trips`"),
        "{unknown}"
    );
}

#[test]
fn entities_of_the_index_are_those_that_are_written() {
    let project = with_trips();
    let settings = project.read("feature_store.yaml");
    project
        .write("feature_store.yaml", format!("{settings}feastr: {{entity_index: {{path: 'sqlite:///index.db'}}}}\n"));
    project.feastr(&["entity-index", "backfill", "--views", "trips"]).ok();
    let run = |index: &str| {
        let more = ["--json", "--views", "good", "--entities-from", index];
        project.feastr(&[&["materialize", START, END][..], &more].concat())
    };
    assert_eq!(run("index:driver").ok().json()["views"][0]["written"], json!(2));
    assert_eq!(run("index:driver,car").ok().json()["views"][0]["written"], json!(2));
    assert_eq!(values(&project, "shop_good").len(), 2);
    assert!(run("index:car").failed().stderr.contains("do not say whose values of `good` are wanted"));
    assert!(run("index:drivr").failed().stderr.contains("did you mean `driver`?"));
}
