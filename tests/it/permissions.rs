//! What permissions allow, as a person asks for it.

use insta::assert_snapshot;

use crate::support::{Output, Project};

const READER: &str = "permissions:
  - name: reader
    types: [FeatureView]
    name_patterns: [driver_.*]
    actions: READ
    policy: {roles: [super-reader, auditor]}
";

fn project() -> Project {
    let project = Project::example();
    project.write("permissions.yaml", READER);
    project.feastr(&["apply"]).ok();
    project
}

fn check(project: &Project, rest: &[&str]) -> Output {
    project.feastr(&[&["permissions", "check"], rest].concat())
}

#[test]
fn a_decision_is_explained() {
    let project = project();
    let reader = ["read-online", "driver_hourly_stats", "--user", "admin", "--role", "super-reader"];
    assert_snapshot!(check(&project, &reader).ok().stdout, @"
    admin may read-online feature view driver_hourly_stats
      reader allows it
    ");
    assert_snapshot!(check(&project, &["READ_ONLINE", "feature-view:driver_hourly_stats"]).refused().stdout, @"
    somebody may not read-online feature view driver_hourly_stats
      reader is about it, for others
    ");
    let writes = ["write-online", "driver_hourly_stats", "--role", "super-reader"];
    assert_snapshot!(check(&project, &writes).refused().stdout, @"
    somebody may not write-online feature view driver_hourly_stats
      reader allows other actions
    ");
    let json = check(&project, &["describe", "driver", "--json"]).refused().json();
    assert_eq!((&json["object"], &json["allowed"]), (&"entity driver".into(), &false.into()));
    assert_eq!(json["reasons"], serde_json::json!(["reader is about other types"]));
}

#[test]
fn what_cannot_be_meant_is_said() {
    let project = project();
    assert_snapshot!(check(&project, &["read-online", "driver_hourly_stat"]).failed().stderr, @"
    error: there is no `driver_hourly_stat` in the registry
    help: did you mean `driver_hourly_stats`?
    ");
    let said = check(&project, &["read", "driver"]).failed().stderr;
    assert!(said.contains("there are create, describe, update, delete, read-online,"), "{said}");
    project.edit("permissions.yaml", "- name: reader", "- name: driver");
    project.feastr(&["apply", "--yes"]).ok();
    assert_snapshot!(check(&project, &["describe", "driver"]).failed().stderr, @"
    error: several objects are called `driver`
    help: write entity:driver or permission:driver
    ");
}

#[test]
fn what_no_permission_is_about_is_listed_and_so_are_roles() {
    let project = project();
    let json = check(&project, &["--json"]).ok().json();
    let view = json.as_array().unwrap().iter().find(|object| object["name"] == "driver_hourly_stats").unwrap();
    let others = ["CREATE", "DESCRIBE", "UPDATE", "DELETE", "WRITE_ONLINE", "WRITE_OFFLINE"];
    assert_eq!(view["unsecured_actions"], serde_json::json!(others));
    assert!(check(&project, &[]).ok().stdout.starts_with("NAME "));
    assert_snapshot!(project.feastr(&["permissions", "list-roles"]).ok().stdout, @"
    ROLE          PERMISSION
    auditor       reader
    super-reader  reader
    ");
    // Without permissions everything is allowed.
    project.write("permissions.yaml", "permissions: []\n");
    project.feastr(&["apply", "--yes"]).ok();
    assert_eq!(check(&project, &[]).ok().stdout, "");
    assert_snapshot!(check(&project, &["delete", "driver"]).ok().stdout, @"
    somebody may delete entity driver
      there are no permissions: everybody who has a name may do everything
    ");
}
