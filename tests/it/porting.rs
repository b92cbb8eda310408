//! Registries that become definitions, move to another place, or drift away from their definitions.

use feastr::{
    feast::registry::messages::{FeatureView, FeatureViewState, decode},
    model::{ObjectKind, Timestamp},
    registry::{Leftover, Snapshot, Write, leftovers, put_leftover},
};
use insta::assert_snapshot;
use rusqlite::Connection;
use serde_json::{Value as Json, json};

use crate::{
    golden::{TABLES, committed_tables, recorded_project, recorded_tables, recorded_writes, registry_files},
    materialize_runs::values,
    support::{Output, Project, settings, sqlite_registry},
};

/// A repo without definitions, over a registry with the recorded rows.
pub fn recorded(tables: &Json, name: &str) -> Project {
    let without_online = settings(name).replace("  type: sqlite\n  path: data/online_store.db\n", "  type: none\n");
    let without_online = without_online.replace("online_store:\n  type: none\n", "online_store: none\n");
    let project = Project::new(&[("feature_store.yaml", &without_online)]);
    let writes = recorded_writes(tables);
    assert!(writes.len() > 10);
    registry(&project, "data/registry.db").update(name, &mut |_| Some(writes.clone())).unwrap();
    project
}

pub fn registry(project: &Project, path: &str) -> Box<dyn feastr::registry::Registry> {
    sqlite_registry(&project.path(path))
}

#[track_caller]
fn assert_no_change(project: &Project) {
    let plan = project.feastr(&["plan", "--skip-source-validation", "--detailed-exitcode"]);
    assert_eq!(plan.code, 0, "{}{}", plan.stdout, plan.stderr);
}

#[test]
fn recorded_registries_become_definitions_that_change_nothing() {
    for recording in registry_files().iter().map(|file| file.parent().unwrap().file_name().unwrap()) {
        let tables = recorded_tables(recording.to_str().unwrap(), "sqlite");
        let name = recorded_project(&tables);
        let project = recorded(&tables, name);
        let before = registry(&project, "data/registry.db").snapshot(name).unwrap();
        project.feastr(&["import"]).ok();
        assert_no_change(&project);
        project.feastr(&["apply", "--skip-source-validation"]).ok();
        let after = registry(&project, "data/registry.db").snapshot(name).unwrap();
        assert_eq!(differing(&before, &after), Vec::<String>::new(), "{}", recording.display());
    }
}

/// The objects whose rows differ.
fn differing(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    assert_eq!(before.rows.len(), after.rows.len());
    let pairs = before.rows.iter().zip(&after.rows);
    pairs.filter(|(a, b)| a != b).map(|(a, _)| format!("{} {}", a.kind, a.name)).collect()
}

#[test]
fn import_writes_what_a_person_would() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project.write(".feastignore", "imported");
    let import = project.feastr(&["import", "--output", "imported"]).ok();
    assert_snapshot!(import.stdout, @r#"
    Wrote imported/entities.yaml (1 object)
    Wrote imported/data_sources.yaml (1 object)
    Wrote imported/feature_views.yaml (1 object)
    Wrote imported/feature_services.yaml (2 objects)
    "#);
    assert_eq!(import.stderr, "");
    assert_snapshot!(project.read("imported/feature_views.yaml"), @r#"
    feature_views:
      - name: driver_hourly_stats
        entities: [driver]
        ttl: 1d
        schema:
          - {name: conv_rate, dtype: Float32, description: Share of offers accepted}
          - {name: acc_rate, dtype: Float32, description: Share of trips without complaint}
          - {name: avg_daily_trips, dtype: Int64, description: Average daily trips}
        source: driver_hourly_stats_source
        tags: {team: driver_performance}
    "#);
    assert_snapshot!(project.read("imported/feature_services.yaml"), @r#"
    feature_services:
      - name: driver_activity_v1
        features:
          - driver_hourly_stats: [conv_rate]

      - name: driver_activity_v2
        features:
          - driver_hourly_stats
        owner: driver-performance@example.com
    "#);
    for file in ["drivers.yaml", "services.yaml", ".feastignore"] {
        std::fs::remove_file(project.path(file)).unwrap();
    }
    assert_no_change(&project);
}

#[test]
fn import_overwrites_nothing_unless_told_to() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project.write("imported/entities.yaml", "mine");
    let refused = project.feastr(&["import", "--output", "imported"]).failed();
    assert_snapshot!(refused.stderr, @r#"
    error: imported/entities.yaml would be overwritten; nothing was written
    help: write to an empty folder with --output, or overwrite with --force
    "#);
    assert_eq!(listed(&project, "imported"), ["entities.yaml"]);
    let import = project.feastr(&["import", "--output", "imported", "--force"]);
    assert_ne!(project.read("imported/entities.yaml"), "mine");
    assert_eq!(
        listed(&project, "imported"),
        ["data_sources.yaml", "entities.yaml", "feature_services.yaml", "feature_views.yaml"]
    );
    // What was there declares the same objects.
    assert_eq!(import.code, 2, "{}", import.stderr);
    for part in [
        "warning: the repo has other definitions, too: drivers.yaml, services.yaml",
        "warning: plan refuses the repo's definitions until they are corrected",
        "warning: a second entity is called `driver`",
    ] {
        assert!(import.stderr.contains(part), "{part}: {}", import.stderr);
    }
    project.feastr(&["plan"]).failed();
}

#[test]
fn import_says_what_other_definitions_change() {
    let project = Project::new(&[("feature_store.yaml", &settings("shop")), ("a.yaml", "entities: [{name: a}]\n")]);
    project.feastr(&["apply"]).ok();
    project.write("a.yaml", "entities: [{name: b}]\n");
    let import = project.feastr(&["import"]);
    assert_eq!(import.code, 2, "{}", import.stderr);
    let shown = "the repo's definitions are not what the registry holds; plan will show\n  Created entity b\n";
    assert!(import.stderr.ends_with(shown), "{}", import.stderr);
}

fn listed(project: &Project, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(project.path(folder)).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn import_says_what_stays_and_what_plan_will_show() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project.write(".feastignore", "imported");
    // The service keeps a copy of what it selected; here the view has changed since.
    let store = registry(&project, "data/registry.db");
    let older = store.snapshot("feastlocal").unwrap();
    project.edit("drivers.yaml", "dtype: Float32, description: Share of trips without complaint", "dtype: Float64");
    project.feastr(&["apply", "--yes"]).ok();
    let service = older.rows.into_iter().find(|row| row.name == "driver_activity_v2").unwrap();
    store.update("feastlocal", &mut |_| Some(vec![Write::Put(service.clone())])).unwrap();
    let import = project.feastr(&["import", "--output", "imported"]);
    assert_eq!(import.code, 2);
    assert_snapshot!(import.stderr, @r#"
    warning: the registry holds copies that differ from their originals; plan will show
      Updated feature service driver_activity_v2
    "#);

    // What the view has no more cannot be selected from it.
    project.edit("drivers.yaml", "- {name: acc_rate, dtype: Float64}\n      ", "");
    project.edit("services.yaml", "- driver_hourly_stats\n", "- driver_hourly_stats: [conv_rate]\n");
    project.feastr(&["apply", "--yes"]).ok();
    store.update("feastlocal", &mut |_| Some(vec![Write::Put(service.clone())])).unwrap();
    let import = project.feastr(&["import", "--output", "imported", "--force"]);
    assert_eq!(import.code, 2);
    assert_snapshot!(import.stderr, @r#"
    warning: the registry holds what definitions may not say; plan refuses these files until they are corrected
    warning: feature view `driver_hourly_stats` has no feature `acc_rate`
     --> imported/feature_services.yaml:8:42
      |
    8 |       - driver_hourly_stats: [conv_rate, acc_rate, avg_daily_trips]
      |                                          ^^^^^^^^
      |
      = help: there are `conv_rate`, `avg_daily_trips`
    "#);
}

#[test]
fn import_takes_from_elsewhere_under_the_name_of_the_repo() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project.write("other/feature_store.yaml", settings("taken_over"));
    for from in ["data/registry.db", "sqlite:///data/registry.db"] {
        let path = project.path("other");
        let from = if from.contains("://") {
            format!("sqlite:///{}", project.path("data/registry.db").display())
        } else {
            project.path(from).display().to_string()
        };
        let args = ["--chdir", path.to_str().unwrap(), "import", "--from", &from, "--force"];
        project.feastr(&args).ok();
    }
    assert_eq!(
        project.feastr(&["--chdir", "other", "plan", "--skip-source-validation"]).ok().stdout.lines().count(),
        9
    );
    let missing = project.feastr(&["import", "--project", "feastlocale"]).failed();
    assert_snapshot!(missing.stderr, @r#"
    error: the registry [REPO]/data/registry.db has nothing of project `feastlocale`
    help: did you mean `feastlocal`?
    "#);
    // A password never comes back, whatever is wrong with the rest.
    let secret = project.feastr(&["import", "--from", "oracle://feast:geheim@db/feast"]).failed();
    assert!(!secret.stderr.contains("geheim"), "{}", secret.stderr);
}

#[test]
fn export_prints_the_same_as_yaml_or_json() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let yaml = project.feastr(&["export"]).ok().stdout;
    assert!(yaml.starts_with("entities:\n  - name: driver\n"), "{yaml}");
    let json = project.feastr(&["export", "--json"]).ok().json();
    assert_eq!(json["feature_views"][0]["schema"][0]["name"], "conv_rate");
    assert_eq!(json["feature_services"][1]["features"], json!(["driver_hourly_stats"]));
    // It is a definition file like any other.
    project.write("drivers.yaml", yaml);
    project.write("services.yaml", "");
    assert_no_change(&project);
}

#[test]
fn a_copy_is_the_same_registry_in_another_place() {
    // The numbers of this repository's own recording, whichever the golden tests are put to.
    let project = recorded(&committed_tables("local_pandas"), "feastlocal");
    let copy = project.feastr(&["registry", "copy", ".", "sqlite:///data/copy.db"]).ok();
    assert_snapshot!(copy.stdout.replace(project.path("").canonicalize().unwrap().to_str().unwrap(), "[REPO]"), @r#"
    Copied 1 project
    Copied 3 data sources
    Copied 1 entity
    Copied 2 feature views
    Copied 2 on demand feature views
    Copied 3 feature services
    Copied 1 permission
    Copied 4 versions of views

    Project feastlocal is in [REPO]/data/copy.db
    "#);
    let [original, copied] = ["data/registry.db", "data/copy.db"].map(|path| dump(&project, path));
    assert_eq!(original, copied);
    // A second time it is there already.
    let again: Output = project.feastr(&["registry", "copy", ".", "data/copy.db"]).failed();
    assert_snapshot!(again.stderr, @r#"
    error: project `feastlocal` in the registry [REPO]/data/copy.db is not empty
    help: replace everything it holds with --force
    "#);
    project.feastr(&["registry", "copy", ".", "data/copy.db", "--force", "--quiet"]).ok();
    assert_eq!(dump(&project, "data/copy.db"), original);
    let same = project.feastr(&["registry", "copy", ".", "."]).failed();
    assert_snapshot!(same.stderr, @r#"
    error: [REPO]/data/registry.db is the registry the project is in already
    help: give the copy another name with --to-project, or name another registry
    "#);
}

/// Every row of the tables with objects and their history.
fn dump(project: &Project, path: &str) -> Vec<(String, Vec<u8>, i64)> {
    let connection = Connection::open(project.path(path)).unwrap();
    let mut rows = Vec::new();
    let objects = TABLES.iter().map(|(_, table, name, proto)| (*table, *name, *proto, "last_updated_timestamp"));
    let history = (
        "feature_view_version_history",
        "feature_view_name || version_number || version_id || feature_view_type",
        "feature_view_proto",
        "created_timestamp",
    );
    for (table, name, proto, time) in objects.chain([history]) {
        let mut statement = connection
            .prepare(&format!(
                "SELECT '{table} ' || project_id || ' ' || {name}, {proto}, {time} FROM {table} ORDER BY 1"
            ))
            .unwrap();
        let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.extend(found.map(Result::unwrap));
    }
    rows
}

#[test]
fn a_copy_under_another_name_is_a_project_of_its_own() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let copy = ["registry", "copy", ".", ".", "--to-project", "trial"];
    project.feastr(&copy).ok();
    project.feastr(&copy).failed();
    let projects = project.feastr(&["projects", "list", "--json"]).ok().json();
    assert_eq!(projects.as_array().unwrap().len(), 2);
    project.edit("feature_store.yaml", "project: feastlocal", "project: trial");
    // The objects are there, the online tables are not.
    assert_snapshot!(project.feastr(&["plan"]).ok().stdout, @r#"
    No changes to registry
    Created sqlite table trial_driver_hourly_stats

    Plan: 0 to create, 0 to update, 0 to delete
    "#);
    let dump = project.feastr(&["registry-dump"]).ok().stdout;
    assert!(!dump.contains("feastlocal"), "{dump}");
    let history = registry(&project, "data/registry.db").versions("trial").unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(
        history[0].proto,
        registry(&project, "data/registry.db")
            .snapshot("trial")
            .unwrap()
            .proto(ObjectKind::FeatureView, "driver_hourly_stats")
            .unwrap()
    );
}

#[test]
fn a_copy_under_another_name_has_no_values_yet() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2026-10-01", "2026-11-01"]).ok();
    project.feastr(&["registry", "copy", ".", ".", "--to-project", "trial"]).ok();
    project.feastr(&["registry", "copy", ".", "sqlite:///data/copy.db"]).ok();
    let meta = |path: &str, project_name: &str| {
        let snapshot = registry(&project, path).snapshot(project_name).unwrap();
        let view = snapshot.proto(ObjectKind::FeatureView, "driver_hourly_stats").unwrap();
        let meta = decode::<FeatureView>(view).unwrap().meta.unwrap();
        (meta.materialization_intervals.len(), meta.state)
    };
    assert_eq!(meta("data/registry.db", "feastlocal"), (1, FeatureViewState::AvailableOnline as i32));
    assert_eq!(meta("data/copy.db", "feastlocal"), (1, FeatureViewState::AvailableOnline as i32));
    assert_eq!(meta("data/registry.db", "trial"), (0, FeatureViewState::Unspecified as i32));
    project.edit("feature_store.yaml", "project: feastlocal", "project: trial");
    project.feastr(&["apply"]).ok();
    let report = project.feastr(&["materialize-incremental", "2026-11-01", "--json"]).ok().json();
    assert_eq!(report["views"][0]["written"], json!(5), "{report}");
}

#[test]
fn a_copy_over_another_state_notes_the_values_it_leaves() {
    let [newer, project] = [Project::example(), Project::example()];
    for project in [&newer, &project] {
        project.edit("drivers.yaml", "ttl: 1d", "ttl: 0");
    }
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2026-10-01", "2026-11-01"]).ok();
    let leftover = |view: &str, features: &[&str], whole| Leftover {
        view: view.to_owned(),
        features: features.iter().map(|&feature| feature.to_owned()).collect(),
        join_keys: vec!["driver_id".to_owned()],
        whole,
    };
    let noted = || leftovers(&registry(&project, "data/registry.db").snapshot("feastlocal").unwrap().metadata);
    let pending = leftover("removed_before", &["a"], true);
    registry(&project, "data/registry.db")
        .update("feastlocal", &mut |_| Some(put_leftover(&pending, Timestamp::from_micros(0))))
        .unwrap();
    newer.edit(
        "drivers.yaml",
        "      - {name: acc_rate, dtype: Float32, description: Share of trips without complaint}\n",
        "",
    );
    newer.feastr(&["apply"]).ok();
    let newer_folder = newer.path("").display().to_string();
    project.feastr(&["registry", "copy", &newer_folder, ".", "--force"]).ok();
    assert_eq!(noted(), [leftover("driver_hourly_stats", &["acc_rate"], false), pending.clone()]);
    // Once more changes nothing about that.
    project.feastr(&["registry", "copy", &newer_folder, ".", "--force"]).ok();
    assert_eq!(noted(), [leftover("driver_hourly_stats", &["acc_rate"], false), pending.clone()]);
    project.feastr(&["online", "cleanup"]).ok();
    assert_eq!(noted(), []);
    let left = values(&project, "feastlocal_driver_hourly_stats");
    assert!(left.len() == 10 && left.iter().all(|value| value.1 != "acc_rate"), "{left:?}");

    // A view that is gone leaves all that it had.
    let text = newer.read("drivers.yaml");
    newer.write("drivers.yaml", &text[..text.find("feature_views:").unwrap()]);
    newer.write("services.yaml", "");
    newer.feastr(&["apply", "--yes"]).ok();
    project.feastr(&["registry", "copy", &newer_folder, ".", "--force"]).ok();
    assert_eq!(noted(), [leftover("driver_hourly_stats", &["conv_rate", "avg_daily_trips"], true)]);
    project.feastr(&["online", "cleanup"]).ok();
    assert_eq!(values(&project, "feastlocal_driver_hourly_stats"), []);
}

#[test]
fn the_tables_can_be_created_alone() {
    let project = Project::example();
    project.feastr(&["registry", "create-schema"]).ok();
    assert_eq!(dump(&project, "data/registry.db"), []);
    project.feastr(&["apply"]).ok();
    project.feastr(&["registry", "create-schema"]).ok();
    assert_no_change(&project);
}

#[test]
fn drift_finds_what_moved_away_from_what() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    assert_snapshot!(project.feastr(&["drift"]).ok().stdout, @"No drift");
    project.edit("drivers.yaml", "ttl: 1d", "ttl: 2d");
    project.edit("services.yaml", "driver_activity_v1", "driver_activity_v3");
    std::fs::remove_file(project.path("data/driver_stats.parquet")).unwrap();
    std::fs::remove_file(project.path("data/online_store.db")).unwrap();
    let drift = project.feastr(&["drift"]);
    assert_eq!(drift.code, 2);
    assert_snapshot!(drift.stdout, @r#"
    Registry and definitions:
      feature view driver_hourly_stats differs from its definition in ttl
      feature service driver_activity_v1 is in the registry and not declared
      feature service driver_activity_v3 is declared and not in the registry

    Sources and registered views:
      data source driver_hourly_stats_source cannot be read: there is no file `data/driver_stats.parquet`

    Online store and registry:
      feature view driver_hourly_stats has no table `feastlocal_driver_hourly_stats` in the online store, though the registry records it
    "#);
    let json = project.feastr(&["drift", "--json"]);
    assert_eq!(json.code, 2);
    let found = json.json();
    assert_eq!(found["drift"], true);
    let kinds: Vec<&str> =
        found["findings"].as_array().unwrap().iter().map(|finding| finding["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["changed", "not_declared", "not_applied", "source_missing", "table_missing"]);
    // A broken definition is an error, not drift.
    project.edit("drivers.yaml", "ttl: 2d", "ttl: long");
    project.feastr(&["drift"]).failed();
}
