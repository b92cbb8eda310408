//! Plans that were saved, reviewed and applied later.

use insta::assert_snapshot;

use crate::support::Project;

/// An applied example, and a saved plan that deletes a service.
fn with_saved_plan() -> Project {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project.edit("services.yaml", "driver_activity_v1", "driver_activity_v0");
    project.feastr(&["plan", "--out", "plan.json"]).refused();
    project
}

#[test]
fn a_saved_plan_is_an_approval() {
    let project = with_saved_plan();
    project.feastr(&["apply"]).refused();
    let json = project.read("plan.json");
    assert_eq!(json, project.feastr(&["plan", "--json"]).refused().stdout);
    // Comments move every place in the file and change nothing; neither does a materialization.
    let commented = format!("# reviewed\n\n{}", project.read("services.yaml"));
    project.write("services.yaml", commented);
    project.feastr(&["materialize", "2026-10-01", "2026-11-01", "--quiet"]).ok();
    let applied = project.feastr(&["apply", "plan.json"]).ok();
    assert!(applied.stdout.contains("Deleted feature service driver_activity_v1"), "{}", applied.stdout);
    project.feastr(&["plan", "--detailed-exitcode"]).ok();
}

/// A job of CI may run again.
#[test]
fn a_plan_that_is_carried_out_is_no_error() {
    let project = with_saved_plan();
    project.feastr(&["apply", "plan.json"]).ok();
    let again = project.feastr(&["apply", "plan.json"]).ok();
    assert!(again.stderr.contains("The plan is already applied"), "{}", again.stderr);
    assert!(again.stdout.contains("No changes to registry"), "{}", again.stdout);
    // What was deleted is back.
    project.edit("services.yaml", "driver_activity_v0", "driver_activity_v1");
    project.feastr(&["apply", "--yes"]).ok();
    project.feastr(&["apply", "plan.json"]).refused();
}

#[test]
fn a_stale_plan_is_refused() {
    let project = with_saved_plan();
    // The definitions have changed.
    let reviewed = project.read("services.yaml");
    project.edit("services.yaml", "driver_activity_v0", "driver_activity_v9");
    assert_snapshot!(project.feastr(&["apply", "plan.json"]).refused().stderr, @r#"
    Applying changes for project feastlocal
    error: the saved plan is stale, and nothing was applied: the definitions have changed since, for feature service driver_activity_v0, feature service driver_activity_v9
    help: make a new plan with `feastr plan --out FILE` and have it approved
    "#);
    // The registry has changed.
    project.write("services.yaml", reviewed.replace("driver_activity_v0", "driver_activity_v1"));
    project.edit("drivers.yaml", "ttl: 1d", "ttl: 2d");
    project.feastr(&["apply"]).ok();
    project.write("services.yaml", &reviewed);
    assert_snapshot!(project.feastr(&["apply", "plan.json"]).refused().stderr, @r#"
    Applying changes for project feastlocal
    error: the saved plan is stale, and nothing was applied: the registry has changed since
    help: make a new plan with `feastr plan --out FILE` and have it approved
    "#);
    // Another project.
    project.edit("feature_store.yaml", "project: feastlocal", "project: other");
    let refused = project.feastr(&["apply", "plan.json"]).refused();
    assert!(refused.stderr.contains("it is for project feastlocal, not other"), "{}", refused.stderr);
}

#[test]
fn other_files_are_no_plans() {
    let project = with_saved_plan();
    let stderr = || project.feastr(&["apply", "plan.json"]).failed().stderr;
    let whole = project.read("plan.json");
    project.write("plan.json", whole.replace("\"format_version\": 1", "\"format_version\": 99"));
    assert_snapshot!(stderr(), @r#"
    error: cannot apply plan.json: it is a plan of format 99, and this feastr reads format 1
    help: save one with `feastr plan --out FILE`
    "#);
    project.write("plan.json", &whole[..whole.len() / 2]);
    assert!(stderr().contains("it is not a saved plan"));
    project.write("plan.json", "[1, 2]");
    assert!(stderr().contains("it is not a saved plan"));
    std::fs::remove_file(project.path("plan.json")).unwrap();
    assert!(stderr().contains("cannot read plan.json"));
    let both = project.feastr(&["apply", "plan.json", "--yes"]).failed();
    assert!(both.stderr.contains("cannot be used with"), "{}", both.stderr);
}
