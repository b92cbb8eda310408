//! A pull request that drops a feature which a service uses, as its reviewers see it.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Project, run};

/// The example, applied and materialized, with an edit that a reviewer should not let pass.
fn pull_request() -> Project {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2026-10-01", "2026-11-01", "--quiet"]).ok();
    project.edit(
        "drivers.yaml",
        "      - {name: acc_rate, dtype: Float32, description: Share of trips without complaint}\n",
        "      - {name: trips_today, dtype: Int64}\n",
    );
    project.edit("services.yaml", "driver_activity_v1", "driver_activity_v0");
    project
}

const PLAN: [&str; 2] = ["plan", "--skip-source-validation"];

#[test]
fn the_plan_says_what_breaks_and_what_to_do() {
    let project = pull_request();
    let plan = project.feastr(&PLAN).refused();
    assert_snapshot!(plan.stdout, @r#"
    Updated feature view driver_hourly_stats
    	features.acc_rate: - Float32
    	features.trips_today: + Int64
    Created feature service driver_activity_v0
    Deleted feature service driver_activity_v1
    Updated feature service driver_activity_v2
    	features.driver_hourly_stats.features.acc_rate: - Float32
    	features.driver_hourly_stats.features.trips_today: + Int64
    No changes to infrastructure

    Breaks:
      removing `driver_hourly_stats.acc_rate` breaks feature service `driver_activity_v2` (owner driver-performance@example.com)

    Will be lost:
      the online values of `driver_hourly_stats.acc_rate`
      feature service driver_activity_v1

    To be materialized again:
      driver_hourly_stats: feature `trips_today` is new
      After the apply, run:
        feastr materialize 2026-10-01T00:00:00Z 2026-11-01T00:00:00Z --views driver_hourly_stats

    Blocked: apply refuses this unless it is allowed:
      update feature view driver_hourly_stats
      delete feature service driver_activity_v1
      If it is wanted:
        feastr apply --allow update:feature-view/driver_hourly_stats --allow delete:feature-service/driver_activity_v1

    Plan: 1 to create, 2 to update, 1 to delete
    "#);
    project.feastr(&[&PLAN[..], &["--detailed-exitcode"]].concat()).refused();
    let allowed = ["--allow", "update:feature-view/*", "--allow", "feature-service/driver_activity_v1"];
    let allowed = project.feastr(&[&PLAN[..], &allowed].concat()).ok().stdout;
    assert!(allowed.contains("Breaks:") && !allowed.contains("Blocked"), "{allowed}");
}

#[test]
fn apply_refuses_until_it_is_allowed_by_name() {
    let project = pull_request();
    let before = registry(&project);
    let apply = ["apply", "--skip-source-validation"];
    let refused = project.feastr(&apply).refused();
    assert_eq!(refused.stdout, "");
    assert_snapshot!(refused.stderr, @r#"
    Applying changes for project feastlocal
    error: 2 changes are refused, and nothing was done:
      update feature view driver_hourly_stats: removing `driver_hourly_stats.acc_rate` breaks feature service `driver_activity_v2` (owner driver-performance@example.com); loses the online values of `driver_hourly_stats.acc_rate`; driver_hourly_stats must be materialized again: feature `trips_today` is new
      delete feature service driver_activity_v1: it is removed from the registry
    help: if it is wanted, add --allow update:feature-view/driver_hourly_stats --allow delete:feature-service/driver_activity_v1
    "#);
    let half =
        project.feastr(&[&apply[..], &["--allow", "update:feature-view/driver_hourly_stats"]].concat()).refused();
    assert_snapshot!(half.stderr, @r#"
    Applying changes for project feastlocal
    error: 1 change is refused, and nothing was done:
      delete feature service driver_activity_v1: it is removed from the registry
    help: if it is wanted, add --allow delete:feature-service/driver_activity_v1
    "#);
    assert_eq!(registry(&project), before, "nothing is written");
    let allow =
        ["--allow", "update:feature-view/driver_hourly_stats", "--allow", "delete:feature-service/driver_activity_v1"];
    let applied = project.feastr(&[&apply[..], &allow].concat()).ok();
    assert_snapshot!(applied.stdout, @r#"
    Updated feature view driver_hourly_stats
    	features.acc_rate: - Float32
    	features.trips_today: + Int64
    Created feature service driver_activity_v0
    Deleted feature service driver_activity_v1
    Updated feature service driver_activity_v2
    	features.driver_hourly_stats.features.acc_rate: - Float32
    	features.driver_hourly_stats.features.trips_today: + Int64
    No changes to infrastructure

    Broken:
      removing `driver_hourly_stats.acc_rate` breaks feature service `driver_activity_v2` (owner driver-performance@example.com)

    Lost:
      the online values of `driver_hourly_stats.acc_rate`
      feature service driver_activity_v1

    To be materialized again:
      driver_hourly_stats: feature `trips_today` is new
      After the apply, run:
        feastr materialize 2026-10-01T00:00:00Z 2026-11-01T00:00:00Z --views driver_hourly_stats

    Applied: 1 created, 2 updated, 1 deleted
    "#);
    project.feastr(&[&PLAN[..], &["--detailed-exitcode"]].concat()).ok();
    // What the text says is what helps.
    let again = ["materialize", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "--views", "driver_hourly_stats"];
    assert!(applied.stdout.contains(&format!("feastr {}", again.join(" "))), "{}", applied.stdout);
}

/// Every byte of the registry.
fn registry(project: &Project) -> Vec<u8> {
    std::fs::read(project.path("data/registry.db")).unwrap()
}

#[test]
fn nonsense_is_not_taken_for_permission() {
    let project = pull_request();
    let stderr = |allow: &str| project.feastr(&["apply", "--allow", allow]).failed().stderr;
    let first = |text: String| text.lines().next().unwrap_or_default().to_owned();
    assert_snapshot!(first(stderr("delete:view/x")), @"error: invalid value 'delete:view/x' for '--allow <[ACTION:]KIND/NAME>': `view` is not a kind of object: write project, data-source, entity, feature-view, on-demand-feature-view, stream-feature-view, label-view, feature-service, permission, saved-dataset, validation-reference");
    assert_snapshot!(first(stderr("drop:feature-view/x")), @"error: invalid value 'drop:feature-view/x' for '--allow <[ACTION:]KIND/NAME>': `drop` is not an action that needs permission: write update, rename, replace, delete");
    assert_snapshot!(first(stderr("driver_hourly_stats")), @"error: invalid value 'driver_hourly_stats' for '--allow <[ACTION:]KIND/NAME>': write KIND/NAME or ACTION:KIND/NAME, such as delete:feature-view/driver_stats; `*` stands for any text");
}

#[test]
fn the_markdown_form_is_a_comment() {
    let project = pull_request();
    let plan = project.feastr(&[&PLAN[..], &["--format", "markdown"]].concat()).refused();
    insta::with_settings!({filters => vec![(r"`[a-z]+\.yaml:\d+`", "")]}, {
        assert_snapshot!(plan.stdout, @r#"
        ### feastr: project `feastlocal`

        Plan: 1 to create, 2 to update, 1 to delete

        **Breaks**

        - removing `driver_hourly_stats.acc_rate` breaks feature service `driver_activity_v2` (owner driver-performance&#64;example.com)

        **Will be lost**

        - the online values of `driver_hourly_stats.acc_rate`
        - feature service driver_activity_v1

        **To be materialized again**

        - driver_hourly_stats: feature `trips_today` is new

        After the apply, run:

        ```sh
        feastr materialize 2026-10-01T00:00:00Z 2026-11-01T00:00:00Z --views driver_hourly_stats
        ```

        **Blocked: apply refuses this unless it is allowed**

        - update feature view driver_hourly_stats
        - delete feature service driver_activity_v1

        If it is wanted:

        ```sh
        feastr apply --allow update:feature-view/driver_hourly_stats --allow delete:feature-service/driver_activity_v1
        ```

        | | object | severity | where |
        |---|---|---|---|
        | update | feature view `driver_hourly_stats` | **destructive** |  |
        | create | feature service `driver_activity_v0` | safe |  |
        | delete | feature service `driver_activity_v1` | **destructive** |  |
        | update | feature service `driver_activity_v2` | safe |  |

        <details><summary>feature view driver_hourly_stats</summary>

        ```
        features.acc_rate: - Float32
        features.trips_today: + Int64
        ```

        </details>

        <details><summary>feature service driver_activity_v2</summary>

        ```
        features.driver_hourly_stats.features.acc_rate: - Float32
        features.driver_hourly_stats.features.trips_today: + Int64
        ```

        </details>
        "#);
    });
}

#[test]
fn the_github_form_marks_lines_and_adds_to_the_summary() {
    let project = pull_request();
    project.write("summary.md", "before\n");
    let mut command = project.command(&[&PLAN[..], &["--format", "github"]].concat());
    let output = run(command.env("GITHUB_STEP_SUMMARY", project.path("summary.md"))).refused();
    assert_eq!(output.stderr, "");
    let definitions = project.read("drivers.yaml");
    let before = definitions.lines().take_while(|line| line.trim() != "- name: driver_hourly_stats").count();
    let place = format!("::error file=drivers.yaml,line={},col=11,title=feastr plan::update", before + 1);
    assert!(output.stdout.starts_with(&place), "{place}:\n{}", output.stdout);
    insta::with_settings!({filters => vec![(r"file=[a-z]+\.yaml,line=\d+,col=\d+,", "")]}, {
        assert_snapshot!(output.stdout, @r#"
        ::error title=feastr plan::update feature view driver_hourly_stats: removing `driver_hourly_stats.acc_rate` breaks feature service `driver_activity_v2` (owner driver-performance@example.com); loses the online values of `driver_hourly_stats.acc_rate`; driver_hourly_stats must be materialized again: feature `trips_today` is new%0AIf it is wanted, apply with --allow update:feature-view/driver_hourly_stats
        ::error title=feastr plan::delete feature service driver_activity_v1: it is removed from the registry%0AIf it is wanted, apply with --allow delete:feature-service/driver_activity_v1
        ::notice title=feastr plan::Plan: 1 to create, 2 to update, 1 to delete
        "#);
    });
    let summary = project.read("summary.md");
    let markdown = project.feastr(&[&PLAN[..], &["--format", "markdown"]].concat()).refused().stdout;
    assert_eq!(summary, format!("before\n{markdown}"));
    let outside = project.feastr(&[&PLAN[..], &["--format", "github"]].concat()).refused();
    assert_eq!(outside.stdout, output.stdout);
    assert!(outside.stderr.contains("GITHUB_STEP_SUMMARY is not set"), "{}", outside.stderr);
}

#[test]
fn the_json_form_says_the_same_and_always_in_the_same_bytes() {
    let project = pull_request();
    let plan = project.feastr(&[&PLAN[..], &["--json"]].concat()).refused();
    assert_eq!(plan.stdout, project.feastr(&[&PLAN[..], &["--format", "json"]].concat()).refused().stdout);
    let json = plan.json();
    assert_eq!(json["format_version"], 1);
    assert_eq!(json["summary"]["severity"], "destructive");
    let change = |name: &str| {
        let changes = json["changes"].as_array().unwrap();
        changes.iter().find(|change| change["id"]["name"] == name).unwrap().clone()
    };
    let view = change("driver_hourly_stats");
    assert_eq!((&view["action"], &view["severity"]), (&"update".into(), &"destructive".into()));
    assert_eq!(view["before"]["feature_view"]["features"][1]["name"], "acc_rate");
    assert_eq!(view["after"]["feature_view"]["features"][1]["name"], "trips_today");
    let breaks = &view["impact"]["breaks"][0];
    assert_eq!((&breaks["how"], &breaks["what"][0]), (&"removing".into(), &"driver_hourly_stats.acc_rate".into()));
    assert_eq!(breaks["users"][0]["id"]["name"], "driver_activity_v2");
    let lost = serde_json::json!([{"lost": "feature_values", "view": "driver_hourly_stats", "features": ["acc_rate"]}]);
    assert_eq!(view["impact"]["loses"], lost);
    assert_eq!(view["impact"]["rematerialize"]["interval"]["end"], "2026-11-01T00:00:00Z");
}

/// The documented example has the keys of real plans and can be applied like one.
#[test]
fn the_json_form_is_the_documented_one() {
    let page = include_str!("../../../docs/plan-format.md");
    let (_, example) = page.split_once("```json\n").unwrap();
    let documented: Value = serde_json::from_str(example.split_once("```").unwrap().0).unwrap();
    let real = pull_request().feastr(&[&PLAN[..], &["--json"]].concat()).refused().json();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&documented), keys(&real));
    for path in ["/summary", "/changes/0", "/changes/0/impact", "/changes/0/impact/breaks/0"] {
        assert_eq!(keys(documented.pointer(path).unwrap()), keys(real.pointer(path).unwrap()), "{path}");
    }
    let again = "/changes/0/impact/rematerialize";
    assert_eq!(documented.pointer(again), real.pointer(again));
    feastr::plan::SavedPlan::parse(&documented.to_string()).unwrap();
}
