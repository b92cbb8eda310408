//! Pull requests for which there is no plan: what their reviewers see instead.

use insta::assert_snapshot;

use crate::support::{Output, Project, run};

/// The example as it was applied, without a feature that a service names.
fn dropped_feature() -> Project {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project.edit(
        "drivers.yaml",
        "      - {name: conv_rate, dtype: Float32, description: Share of offers accepted}\n",
        "",
    );
    project
}

fn on_github(project: &Project) -> (Output, String) {
    let mut command = project.command(&["plan", "--format", "github"]);
    let output = run(command.env("GITHUB_STEP_SUMMARY", project.path("summary.md")));
    (output, project.read("summary.md"))
}

#[test]
fn a_dropped_feature_that_a_service_names_is_a_mark_and_a_comment() {
    let project = dropped_feature();
    let (output, summary) = on_github(&project);
    let output = output.failed();
    assert_snapshot!(output.stdout, @"::error file=services.yaml,line=6,col=31,title=feastr plan::feature `driver_hourly_stats.conv_rate` is removed by this change, but feature service `driver_activity_v1` needs it%0Akeep it, or change feature service `driver_activity_v1` first, so that it does without");
    assert!(output.stderr.contains("is removed by this change"), "{}", output.stderr);
    let markdown = project.feastr(&["plan", "--format", "markdown"]).failed().stdout;
    assert_eq!(summary, markdown);
    assert_snapshot!(markdown, @r"
    ### feastr: there is no plan

    - **error** `services.yaml:6:31`: feature `driver_hourly_stats.conv_rate` is removed by this change, but feature service `driver_activity_v1` needs it<br>keep it, or change feature service `driver_activity_v1` first, so that it does without
    ");
    let json = project.feastr(&["plan", "--json"]).failed().json();
    let finding = &json["findings"][0];
    assert_eq!((&finding["severity"], &finding["place"]["line"]), (&"error".into(), &6.into()));
    let apply = project.feastr(&["apply"]).failed().stderr;
    assert!(apply.contains("is removed by this change"), "{apply}");
}

#[test]
fn a_dropped_view_names_the_services_and_whom_to_ask() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let definitions = project.read("drivers.yaml");
    project.write("drivers.yaml", definitions.split("feature_views:").next().unwrap());
    let (output, _) = on_github(&project);
    let marks: Vec<String> = output.failed().stdout.lines().map(str::to_owned).collect();
    let says = |line: usize, service: &str| {
        let text = format!(
            "line={line},col=9,title=feastr plan::feature view `driver_hourly_stats` is removed by this \
                            change, but feature service {service} needs it"
        );
        assert!(marks.iter().any(|mark| mark.contains(&text)), "{text}\n{marks:#?}");
    };
    says(6, "`driver_activity_v1`");
    says(9, "`driver_activity_v2` (owner driver-performance@example.com)");
}

#[test]
fn what_was_never_there_is_not_removed() {
    let project = Project::example();
    project.edit("services.yaml", "[conv_rate]", "[conv_rat]");
    let typo = |project: &Project| {
        let stderr = project.feastr(&["plan"]).failed().stderr;
        assert!(stderr.contains("feature view `driver_hourly_stats` has no feature `conv_rat`"), "{stderr}");
        assert!(stderr.contains("did you mean `conv_rate`?"), "{stderr}");
    };
    typo(&project);
    project.edit("services.yaml", "[conv_rat]", "[conv_rate]");
    project.feastr(&["apply"]).ok();
    project.edit("services.yaml", "[conv_rate]", "[conv_rat]");
    typo(&project);
}

#[test]
fn what_apply_cannot_create_is_an_error_of_the_plan() {
    let project = Project::example();
    project.write(
        "datasets.yaml",
        "saved_datasets:\n  - {name: june, features: [\"driver_hourly_stats:acc_rate\"], join_keys: [driver_id], \
         storage: {type: file, path: data/june.parquet}}\nvalidation_references:\n  - {name: sane, dataset_name: june}\n",
    );
    let (output, _) = on_github(&project);
    let output = output.failed();
    assert_snapshot!(output.stdout, @"::error file=datasets.yaml,line=4,col=12,title=feastr plan::validation reference sane cannot be created: it needs a profiler, and a profiler is a Python function%0Acreate it with Python Feast; then its dataset, description and tags can be declared here");
    assert_snapshot!(output.stderr, @r"
    error: validation reference sane cannot be created: it needs a profiler, and a profiler is a Python function (datasets.yaml:4:12)
    help: create it with Python Feast; then its dataset, description and tags can be declared here
    ");
    let apply = project.feastr(&["apply"]).failed().stderr;
    assert!(apply.ends_with(&output.stderr), "{apply}");
}

#[test]
fn the_form_is_asked_for_once() {
    let project = Project::example();
    let stderr = project.feastr(&["plan", "--json", "--format", "markdown"]).failed().stderr;
    assert!(stderr.contains("--json and --format ask for different forms"), "{stderr}");
    project.feastr(&["plan", "--json", "--format", "json"]).ok();
}
