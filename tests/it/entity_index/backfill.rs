//! What is there before anybody tells of it, and what differs.

use serde_json::json;

use super::{Lake, Place};

#[test]
fn what_is_there_is_indexed_and_what_differs_is_found() {
    for place in Place::all() {
        let lake = Lake::new(place);
        let run = |args: &[&str]| lake.project.feastr(&[&["entity-index"], args].concat());
        lake.write_stats("a.csv", &[("1", 1), ("2", 2)]);
        lake.write_stats("day=1/b.csv", &[("3", 3)]);
        lake.project.write("lake/stats/_temporary/c.csv", "driver_id,at\n9,2026-01-01T00:00:00Z\n");
        let missing = run(&["verify", "--json"]).failed().json();
        let kinds = |found: &serde_json::Value| {
            let each = found["differences"].as_array().unwrap().iter();
            each.map(|found| found["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!((kinds(&missing), &missing["differs"]), (vec!["missing".to_owned(); 2], &json!(true)));
        let done = run(&["backfill"]).ok();
        assert!(done.stderr.contains("Indexed 2 files with 3 rows"), "{}", done.stderr);
        assert_eq!(run(&["verify"]).ok().stdout, "The index is as the files are\n");
        assert_eq!(lake.drivers(), ["1 01", "2 02", "3 03"]);
        assert_eq!(
            run(&["backfill", "--json"]).ok().json(),
            json!({"indexed": 0, "rows": 0, "removed": 0, "failed": 0})
        );
        lake.write_stats("a.csv", &[("1", 1), ("2", 2), ("4", 4)]);
        lake.remove("stats/day=1/b.csv");
        lake.write_stats("c.csv", &[("5", 5)]);
        let differences = run(&["verify", "--views", "stats", "--json"]).failed().json();
        assert_eq!(kinds(&differences), ["changed", "missing", "surplus"]);
        assert_eq!(
            run(&["backfill", "--json"]).ok().json(),
            json!({"indexed": 2, "rows": 4, "removed": 1, "failed": 0})
        );
        assert_eq!(lake.drivers(), ["1 01", "2 02", "4 04", "5 05"]);
        // Somebody deletes rows.
        lake.query("DELETE FROM entity_lookup.entity_driver WHERE id = '2'");
        let found = run(&["verify"]).failed().stdout;
        assert!(found.contains("the index has 2 of its 3 rows of `driver`"), "{found}");
        run(&["backfill"]).ok();
        run(&["verify"]).ok();
        assert_eq!(lake.drivers().len(), 4);
    }
}

#[test]
fn views_that_change_are_indexed_anew_and_those_that_are_gone_go() {
    let lake = Lake::new(Place::Sqlite);
    let run = |args: &[&str]| lake.project.feastr(&[&["entity-index"], args].concat());
    lake.write_stats("a.csv", &[("1", 1)]);
    run(&["backfill", "--views", "stats"]).ok();
    lake.project.edit("lake.yaml", "timestamp_field: at,", "timestamp_field: made,");
    lake.project.edit("lake.yaml", "created_timestamp_column: made", "created_timestamp_column: at");
    lake.project.feastr(&["apply", "--skip-source-validation"]).ok();
    assert!(run(&["verify"]).failed().stdout.contains("changed"));
    run(&["backfill"]).ok();
    let moved = lake.query("SELECT event_timestamp, created_timestamp FROM entity_lookup.entity_driver");
    assert_eq!(moved, [["2026-01-02 00:00:00", "2026-01-01 01:00:00"]]);
    let (before, _) = super::DEFINITIONS.split_once("feature_views:").unwrap();
    lake.project.write("lake.yaml", before);
    let allowed = ["--allow", "delete:feature-view/stats", "--allow", "delete:feature-view/trips"];
    lake.project.feastr(&[&["apply", "--skip-source-validation"], &allowed[..]].concat()).ok();
    assert!(run(&["verify"]).failed().stdout.contains("surplus"));
    run(&["backfill"]).ok();
    assert!(lake.drivers().is_empty());
    run(&["verify"]).ok();
}

#[test]
fn what_fails_is_said_and_the_rest_is_done() {
    let lake = Lake::new(Place::Sqlite);
    lake.write_stats("a.csv", &[("1", 1)]);
    lake.project.write("lake/stats/b.csv", "driver_id\n1\n");
    let run = lake.project.feastr(&["entity-index", "backfill", "--attempts", "1"]).failed();
    assert!(run.stderr.contains("1 attempt failed") && run.stderr.contains("b.csv"), "{}", run.stderr);
    assert_eq!(lake.drivers(), ["1 01"]);
    let unknown = lake.project.feastr(&["entity-index", "verify", "--views", "stat"]).failed();
    assert!(unknown.stderr.contains("did you mean `stats`?"), "{}", unknown.stderr);
}

#[test]
fn an_index_needs_a_database_and_belongs_to_one_project() {
    let lake = Lake::new(Place::Sqlite);
    lake.write_stats("a.csv", &[("1", 1)]);
    lake.project.feastr(&["entity-index", "backfill"]).ok();
    lake.project.edit("feature_store.yaml", "project: lake", "project: other");
    let taken = lake.project.feastr(&["entity-index", "jobs"]).failed();
    assert!(taken.stderr.contains("that of project `lake`") && taken.stderr.contains("schema"), "{}", taken.stderr);
    lake.project.write("feature_store.yaml", "project: lake\nregistry: registry.pb\nonline_store: null\n");
    let nowhere = lake.project.feastr(&["entity-index", "verify"]).failed();
    assert!(nowhere.stderr.contains("feastr: {entity_index: {path:"), "{}", nowhere.stderr);
}
