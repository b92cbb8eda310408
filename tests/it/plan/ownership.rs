//! Two repos with names of their own in one project.

use insta::assert_snapshot;

use crate::support::{Project, settings};

const SHARED: &str = "entities:\n  - {name: driver, join_keys: [driver_id], value_type: INT64}\n";

/// A second repo beside the first, over the same registry and online store.
fn two_repos() -> Project {
    let project = Project::new(&[]);
    let example =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/feature_repo/data/driver_stats.parquet");
    for (folder, name, view) in [("a", "team-a", "speed"), ("b", "team-b", "weight")] {
        let shared = settings("shared").replace("data/", "../data/");
        project.write(&format!("{folder}/feature_store.yaml"), format!("{shared}feastr: {{name: {name}}}\n"));
        project.write(&format!("{folder}/view.yaml"), view_of(view));
        project.copy(&example, &format!("{folder}/data/driver_stats.parquet"));
    }
    project.write("a/shared.yaml", SHARED);
    project.write("b/shared.yaml", SHARED);
    project
}

fn view_of(name: &str) -> String {
    format!(
        "feature_views:\n  - name: {name}\n    entities: [driver]\n    source: {{name: {name}_source, type: file, path: \
         data/driver_stats.parquet, timestamp_field: event_timestamp}}\n    schema: [{{name: conv_rate, dtype: \
         Float32}}, {{name: acc_rate, dtype: Float32}}]\nfeature_services: [{{name: {name}_model, features: [{name}]}}]\n"
    )
}

#[test]
fn each_repo_deletes_only_its_own() {
    let project = two_repos();
    project.feastr(&["-c", "a", "apply"]).ok();
    let second = project.feastr(&["-c", "b", "apply"]).ok();
    assert_snapshot!(second.stdout, @r#"
    Created data source weight_source
    Created feature view weight
    Created feature service weight_model
    Created sqlite table shared_weight

    Applied: 3 created, 0 updated, 0 deleted; 3 objects that this repo does not manage stay as they are
    "#);
    for repo in ["a", "b"] {
        project.feastr(&["-c", repo, "plan", "--detailed-exitcode"]).ok();
    }
    let plan = project.feastr(&["-c", "a", "plan", "--verbose"]).ok();
    assert_snapshot!(plan.stdout, @r#"
    source speed_source: 1 file, 33.16 KiB, 1800 rows
      read      data/driver_stats.parquet
    No changes to registry
    No changes to infrastructure
    Kept data source weight_source: it was applied by repo `team-b`
    Kept feature view weight: it was applied by repo `team-b`
    Kept feature service weight_model: it was applied by repo `team-b`

    No changes: the registry holds what the definitions declare; 3 objects that this repo does not manage stay as they are
    "#);

    project.write("b/view.yaml", "feature_views: []\n");
    let plan = project.feastr(&["-c", "b", "plan"]).refused();
    assert_snapshot!(plan.stdout, @r#"
    Deleted data source weight_source
    Deleted feature view weight
    Deleted feature service weight_model
    Deleted sqlite table shared_weight

    Will be lost:
      data source weight_source
      feature view weight
      sqlite table shared_weight with its values
      feature service weight_model

    Blocked: apply refuses this unless it is allowed:
      delete data source weight_source
      delete feature view weight
      delete feature service weight_model
      If it is wanted:
        feastr apply --allow delete:data-source/weight_source --allow delete:feature-view/weight --allow delete:feature-service/weight_model

    Plan: 0 to create, 0 to update, 3 to delete; 3 objects that this repo does not manage stay as they are
    "#);
    project.feastr(&["-c", "b", "apply", "--yes"]).ok();
    project.feastr(&["-c", "a", "plan", "--detailed-exitcode"]).ok();
    let left = project.feastr(&["-c", "a", "feature-views", "list"]).ok().stdout;
    assert!(left.contains("speed") && !left.contains("weight"), "{left}");

    // A repo without a name leaves both alone, and deletes what nobody owns.
    let unnamed = project.read("b/feature_store.yaml").replace("feastr: {name: team-b}\n", "");
    project.write("b/feature_store.yaml", unnamed);
    project.write("b/shared.yaml", "entities: []\n");
    project.feastr(&["-c", "b", "plan", "--detailed-exitcode"]).ok();
}

#[test]
fn what_another_repo_applied_is_not_changed() {
    let project = two_repos();
    project.feastr(&["-c", "a", "apply"]).ok();
    project.write("b/shared.yaml", SHARED.replace("value_type: INT64", "value_type: INT64, description: ours"));
    for command in ["plan", "apply"] {
        let refused = project.feastr(&["-c", "b", command]).refused();
        assert!(
            refused.stderr.contains(
                "entity driver cannot be applied: the registry holds entity driver, and it was applied by repo `team-a`"
            ),
            "{}",
            refused.stderr
        );
    }
    // What another repo's service selects is broken in its name.
    project.write("b/shared.yaml", SHARED);
    let service = "feature_services:\n  - {name: heavy, features: [weight]}\n";
    project.write("b/view.yaml", view_of("weight").split("feature_services").next().unwrap());
    project.feastr(&["-c", "b", "apply"]).ok();
    project.write("a/view.yaml", format!("{}{service}", view_of("weight").split("feature_services").next().unwrap()));
    let plan = project.feastr(&["-c", "a", "apply", "--allow", "*/*speed*"]).ok();
    assert!(plan.stdout.contains("Created feature service heavy"), "{}", plan.stdout);
    project.edit("b/view.yaml", ", {name: acc_rate, dtype: Float32}", "");
    let plan = project.feastr(&["-c", "b", "plan"]).refused().stdout;
    assert!(
        plan.contains("removing `weight.acc_rate` breaks feature service `heavy` (applied by repo team-a)"),
        "{plan}"
    );
}

#[test]
fn what_nobody_owns_is_taken_over_and_stays_invisible_to_feast() {
    let project = two_repos();
    let named = project.read("a/feature_store.yaml");
    project.write("a/feature_store.yaml", named.replace("feastr: {name: team-a}\n", ""));
    project.feastr(&["-c", "a", "apply"]).ok();
    project.write("a/feature_store.yaml", named);
    let plan = project.feastr(&["-c", "a", "plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, 2);
    assert_snapshot!(plan.stdout, @r#"
    No changes to registry
    No changes to infrastructure

    Plan: 0 to create, 0 to update, 0 to delete, 5 to take over
    "#);
    project.feastr(&["-c", "a", "apply"]).ok();
    project.feastr(&["-c", "a", "plan", "--detailed-exitcode"]).ok();

    let registry = rusqlite::Connection::open(project.path("data/registry.db")).unwrap();
    let notes = || -> i64 {
        let count = "SELECT count(*) FROM feast_metadata WHERE metadata_key LIKE 'feastr.owner.%'";
        registry.query_row(count, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(notes(), 5, "project, source, entity, view, service");
    project.write("a/view.yaml", "feature_views: []\n");
    project.feastr(&["-c", "a", "apply", "--yes"]).ok();
    assert_eq!(notes(), 2, "notes go with their objects");
}

#[test]
fn what_another_repo_has_is_pointed_out() {
    let project = two_repos();
    project.feastr(&["-c", "a", "apply"]).ok();
    project.edit("b/view.yaml", "features: [weight]", "features: [weight, speed]");
    let help = "repo `team-a` has applied it to the registry; declare it here as well, just as it does";
    let found = project.feastr(&["-c", "b", "plan"]).failed().stderr;
    assert!(found.contains("there is no feature view `speed`") && found.contains(help), "{found}");
    project.edit("b/view.yaml", "entities: [driver]", "entities: [speed]");
    let found = project.feastr(&["-c", "b", "apply"]).failed().stderr;
    assert_eq!(found.matches(help).count(), 1, "the entity is of another kind: {found}");
    std::fs::remove_file(project.path("data/registry.db")).unwrap();
    let found = project.feastr(&["-c", "b", "plan"]).failed().stderr;
    assert!(found.contains("there is no feature view `speed`") && !found.contains("team-a"), "{found}");
    // With the same definition it works.
    project.write("b/view.yaml", view_of("weight").replace("features: [weight]", "features: [weight, speed]"));
    project.feastr(&["-c", "a", "apply"]).ok();
    project.write("b/speed.yaml", view_of("speed").split("feature_services").next().unwrap());
    project.feastr(&["-c", "b", "apply"]).ok();
}

#[test]
fn names_of_repos_are_checked() {
    let project = two_repos();
    project.edit("a/feature_store.yaml", "name: team-a", "nam: team-a");
    let output = project.feastr(&["-c", "a", "plan"]).failed();
    assert!(output.stderr.contains("unknown key `nam` in the feastr settings"), "{}", output.stderr);
    project.edit("a/feature_store.yaml", "nam: team-a", "name: \"team a\"");
    let output = project.feastr(&["-c", "a", "plan"]).failed();
    assert!(output.stderr.contains("`team a` is not a name for a repo"), "{}", output.stderr);
}
