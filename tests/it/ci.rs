//! The workflows for GitHub: their commands, run as its runners run them.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use feastr::clients::{buckets::Expected, runtime::wait};
use serde_json::Value;

use crate::{
    servers::buckets::{Store, shared},
    support::{Output, Project, run, settings},
};

/// A workflow, the checkout it runs in, and what the runner offers it.
struct Workflow {
    jobs: Value,
    checkout: Project,
    runner: Project,
    variables: Vec<(&'static str, &'static str)>,
}

impl Workflow {
    fn new(path: &Path, checkout: Project, variables: &[(&'static str, &'static str)]) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let workflow: Value = serde_yaml::from_str(&text).unwrap();
        let runner = Project::new(&[
            ("summary", ""),
            ("output", ""),
            // Stands in for GitHub's program: keeps what it was asked to post.
            ("bin/gh", "#!/bin/sh\necho \"$*\" > \"$RUNNER/gh\"\n"),
        ]);
        fs::set_permissions(runner.path("bin/gh"), fs::Permissions::from_mode(0o755)).unwrap();
        Self { jobs: workflow["jobs"].clone(), checkout, runner, variables: variables.to_vec() }
    }

    /// Runs a step as GitHub does: its lines in one bash that stops at the first failure.
    fn step(&self, job: &str, name: &str) -> Output {
        let steps = self.jobs[job]["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("no step {name}"));
        let script = step["run"].as_str().unwrap();
        assert!(!script.contains("${{"), "what others wrote may not become part of a command: {script}");
        let program = Path::new(env!("CARGO_BIN_EXE_feastr")).parent().unwrap();
        let mut paths = vec![self.runner.path("bin"), program.to_owned()];
        paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
        command.current_dir(self.checkout.folder.path()).env_clear();
        command.env("PATH", std::env::join_paths(paths).unwrap()).env("RUNNER", self.runner.folder.path());
        command
            .env("GITHUB_STEP_SUMMARY", self.runner.path("summary"))
            .env("GITHUB_OUTPUT", self.runner.path("output"));
        command.env("PULL_REQUEST", "7").envs(self.variables.iter().copied());
        command.envs(self.checkout.environment.iter().map(|(name, value)| (name, value)));
        run(&mut command)
    }

    fn summary(&self) -> String {
        self.runner.read("summary")
    }
}

/// A repo that `init` made, with its workflow.
fn initialized() -> Workflow {
    let checkout = Project::new(&[]);
    checkout.feastr(&["init", "shop", "--quiet"]).ok();
    let path = checkout.path("shop/.github/workflows/features.yaml");
    Workflow::new(&path, checkout, &[("FEATURE_REPO", "shop")])
}

/// What the label `breaking-features` gives to the step `Plan`.
const AGREED: (&str, &str) = ("AGREED", "*/*");

#[test]
fn what_is_merged_is_applied_as_it_was_saved() {
    let workflow = initialized();
    let saved = workflow.step("save", "Save the plan").ok();
    assert!(saved.stdout.contains("13 to create"), "{}", saved.stdout);
    assert_eq!(workflow.runner.read("output"), "changes=true\n");
    assert!(workflow.summary().contains("| create | feature view `driver_hourly_stats` |"), "{}", workflow.summary());
    let applied = workflow.step("apply", "Apply").ok();
    assert!(applied.stdout.contains("Created feature view driver_hourly_stats"), "{}", applied.stdout);

    workflow.step("save", "Save the plan").ok();
    assert_eq!(workflow.runner.read("output"), "changes=true\nchanges=false\n");
}

#[test]
fn a_saved_plan_is_refused_when_somebody_applied_in_between() {
    let workflow = initialized();
    workflow.step("save", "Save the plan").ok();
    workflow.checkout.edit("shop/drivers.yaml", "ttl: 1d", "ttl: 2d");
    workflow.checkout.feastr(&["--chdir", "shop", "apply"]).ok();
    workflow.checkout.edit("shop/drivers.yaml", "ttl: 2d", "ttl: 1d");
    let refused = workflow.step("apply", "Apply");
    assert_eq!(refused.code, 3, "{}", refused.stderr);
}

#[test]
fn a_harmless_pull_request_gets_a_comment_and_passes() {
    let workflow = initialized();
    workflow.checkout.feastr(&["--chdir", "shop", "apply"]).ok();
    workflow.checkout.edit("shop/drivers.yaml", "description: One row per driver and hour", "description: Hourly");
    workflow.step("plan", "Plan").ok();
    workflow.step("plan", "Comment").ok();
    assert_eq!(workflow.runner.read("gh").trim(), "pr comment 7 --edit-last --create-if-none --body-file plan.md");
    let comment = workflow.checkout.read("plan.md");
    assert!(comment.contains("| update | data source `driver_hourly_stats_source` | safe |"), "{comment}");
    assert_eq!(workflow.summary(), comment);
}

#[test]
fn a_pull_request_that_breaks_a_service_is_blocked_in_plain_words() {
    let mut workflow = initialized();
    workflow.checkout.feastr(&["--chdir", "shop", "apply"]).ok();
    let column = "      - {name: acc_rate, dtype: Float32, description: Share of trips without complaint}\n";
    workflow.checkout.edit("shop/drivers.yaml", column, "");
    let plan = workflow.step("plan", "Plan").refused();
    let mark = plan.stdout.lines().find(|line| line.starts_with("::error file=shop/drivers.yaml,line=")).unwrap();
    let reason = "removing `driver_hourly_stats.acc_rate` breaks feature service `driver_activity_v2` \
                  (owner driver-performance@example.com)";
    assert!(mark.contains(reason), "{mark}");
    workflow.step("plan", "Comment").ok();
    let comment = workflow.checkout.read("plan.md");
    // An address would notify the person who has that name on GitHub.
    assert!(comment.contains(&reason.replace('@', "&#64;")), "{comment}");

    // The label says that everybody agrees; after the merge the saved plan is what was agreed to.
    workflow.variables.push(AGREED);
    workflow.step("plan", "Plan").ok();
    workflow.step("save", "Save the plan").ok();
    workflow.step("apply", "Apply").ok();
    workflow.checkout.feastr(&["--chdir", "shop", "plan", "--detailed-exitcode"]).ok();
}

#[test]
fn a_pull_request_without_a_plan_gets_a_comment_that_says_why() {
    let workflow = initialized();
    workflow.checkout.feastr(&["--chdir", "shop", "apply"]).ok();
    let column = "      - {name: conv_rate, dtype: Float32, description: Share of offers accepted}\n";
    workflow.checkout.edit("shop/drivers.yaml", column, "");
    let plan = workflow.step("plan", "Plan").failed();
    for file in ["on_demand", "services"] {
        assert!(plan.stdout.contains(&format!("::error file=shop/{file}.yaml,line=")), "{}", plan.stdout);
    }
    workflow.step("plan", "Comment").failed();
    assert_eq!(workflow.runner.read("gh").trim(), "pr comment 7 --edit-last --create-if-none --body-file plan.md");
    let comment = workflow.checkout.read("plan.md");
    assert!(comment.contains("but feature service `driver_activity_v1` needs it"), "{comment}");
    assert_eq!(workflow.summary(), comment);
}

#[test]
fn a_protected_object_stops_the_pull_request_but_not_the_comment() {
    let mut workflow = initialized();
    workflow.checkout.edit(
        "shop/services.yaml",
        "  - name: driver_activity_v1\n",
        "  - name: driver_activity_v1\n    protect: true\n",
    );
    workflow.checkout.feastr(&["--chdir", "shop", "apply"]).ok();
    let services = workflow.checkout.read("shop/services.yaml");
    let second = services.find("  - name: driver_activity_v2").unwrap();
    workflow.checkout.write("shop/services.yaml", format!("feature_services:\n{}", &services[second..]));
    workflow.step("plan", "Plan").refused();
    workflow.variables.push(AGREED);
    workflow.step("plan", "Plan").refused();
    workflow.step("plan", "Comment").ok();
    assert!(workflow.checkout.read("plan.md").contains("protected"), "{}", workflow.checkout.read("plan.md"));
}

/// Two settings files over one folder of definitions, as docs/ci.md shows it.
fn two_environments() -> Project {
    let example = Project::example();
    let staging = settings("shop_staging").replace("data/", "staging/");
    let production = settings("shop").replace("data/", "production/");
    let project = Project::new(&[
        ("staging/feature_store.yaml", &staging),
        ("production/feature_store.yaml", &production),
        ("definitions/drivers.yaml", &example.read("drivers.yaml")),
        ("definitions/services.yaml", &example.read("services.yaml")),
    ]);
    project.copy(&example.path("data/driver_stats.parquet"), "data/driver_stats.parquet");
    project
}

#[test]
fn staging_and_production_share_definitions_and_nothing_else() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci/environments.yaml");
    let mut workflow = Workflow::new(&path, two_environments(), &[("ENVIRONMENT", "staging")]);
    let plan = workflow.step("plan", "Plan").ok();
    assert!(plan.stdout.contains("6 to create"), "{}", plan.stdout);
    workflow.step("apply", "Apply").ok();
    workflow.runner.write("summary", "");
    assert!(workflow.step("plan", "Plan").ok().stdout.contains("No changes"));
    assert!(workflow.summary().contains("project `shop_staging`"), "{}", workflow.summary());

    workflow.variables = vec![("ENVIRONMENT", "production")];
    let production: PathBuf = workflow.checkout.path("production/registry.db");
    assert!(!production.exists(), "staging leaves production alone");
    assert!(workflow.step("plan", "Plan").ok().stdout.contains("6 to create"));
    assert!(!production.exists(), "a plan writes nothing");
    workflow.step("apply", "Apply").ok();
    assert!(production.exists());
    let services = workflow.checkout.feastr(&["-f", "production/feature_store.yaml", "feature-services", "list"]).ok();
    assert!(services.stdout.contains("driver_activity_v2"), "{}", services.stdout);
    let view = "definitions/drivers.yaml";
    workflow.checkout.edit(
        view,
        "      - {name: acc_rate, dtype: Float32, description: Share of trips without complaint}\n",
        "",
    );
    let marks = workflow.step("plan", "Plan").refused().stdout;
    assert!(marks.contains("::error file=definitions/drivers.yaml,line="), "{marks}");
    workflow.variables.push(AGREED);
    workflow.step("plan", "Plan").ok();
    workflow.step("apply", "Apply").ok();
}

#[test]
fn an_environment_is_another_registry_by_its_settings_file() {
    let checkout = two_environments();
    for environment in ["staging", "production"] {
        checkout.feastr(&["-f", &format!("{environment}/feature_store.yaml"), "apply"]).ok();
    }
    let from = |file: &str| checkout.feastr(&["export", "--from", file]).ok().stdout;
    let staging = from("staging/feature_store.yaml");
    assert!(staging.contains("name: driver_hourly_stats"), "{staging}");
    assert_eq!(staging, from("production/feature_store.yaml"));
    let copy = ["registry", "copy", "staging/feature_store.yaml", "production/feature_store.yaml"];
    let copied = checkout.feastr(&[&copy[..], &["--to-project", "shop", "--force"]].concat()).ok();
    assert!(copied.stdout.contains("Project shop is in"), "{}", copied.stdout);
}

#[test]
fn marks_are_on_the_files_of_the_checkout() {
    let checkout = Project::new(&[]);
    checkout.feastr(&["init", "features", "--quiet"]).ok();
    checkout.feastr(&["-c", "features", "apply"]).ok();
    let column = "      - {name: acc_rate, dtype: Float32, description: Share of trips without complaint}\n";
    checkout.edit("features/drivers.yaml", column, "");
    for (workspace, file) in
        [(Some("."), "features/drivers.yaml"), (Some("features"), "drivers.yaml"), (None, "drivers.yaml")]
    {
        let mut plan = checkout.command(&["plan", "--format", "github"]);
        plan.current_dir(checkout.path("features"));
        if let Some(folder) = workspace {
            plan.env("GITHUB_WORKSPACE", checkout.path(folder));
        }
        let marks = crate::support::run(&mut plan).refused().stdout;
        assert!(marks.contains(&format!("::error file={file},line=")), "{workspace:?}: {marks}");
    }
}

/// The example of a team with its features in a bucket, and its rows.
fn in_a_bucket() -> Project {
    const FILES: [&str; 4] = [
        "definitions/drivers.yaml",
        "staging/feature_store.yaml",
        "production/feature_store.yaml",
        ".github/workflows/features.yaml",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let store = shared(Store::SeaweedFs);
    let bucket = store.open(&store.create_named_bucket("my-team-features"));
    let rows = fs::read(root.join("examples/feature_repo/data/driver_stats.parquet")).unwrap();
    wait(bucket.put("data/driver_stats.parquet", rows.into(), Expected::Anything)).unwrap();
    let mut project = Project::new(&[]);
    for file in FILES {
        project.copy(&root.join("examples/aws_repo").join(file), file);
    }
    project.environment = store.environment();
    project
}

#[test]
fn features_in_a_bucket_are_planned_and_applied() {
    let checkout = in_a_bucket();
    let path = checkout.path(".github/workflows/features.yaml");
    let mut workflow = Workflow::new(&path, checkout, &[]);
    for environment in ["staging", "production"] {
        workflow.variables = vec![("ENVIRONMENT", environment)];
        let plan = workflow.step("plan", "Plan").ok();
        assert!(plan.stdout.contains("5 to create"), "{}", plan.stdout);
        workflow.step("apply", "Apply").ok();
        assert!(workflow.step("plan", "Plan").ok().stdout.contains("No changes"));
    }
    let settings = ["-f", "production/feature_store.yaml"];
    let asked = ["get-historical", "--feature-service", "driver_ranking", "--entities-from", "driver_hourly_stats"];
    let everybody =
        workflow.checkout.feastr(&[&settings[..], &asked, &["--at", "now", "--format", "csv"]].concat()).ok();
    assert_eq!(everybody.stdout.lines().count(), 6, "{}", everybody.stdout);
    // What takes an online store says what to write.
    let output = workflow.checkout.feastr(&[&settings[..], &["materialize-incremental", "now"]].concat()).failed();
    assert!(output.stderr.contains("this repo has no online store"), "{}", output.stderr);
    assert!(output.stderr.contains("`online_store`"), "{}", output.stderr);
}

#[test]
fn the_workshop_runs_on_this_machine() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/workshop.sh");
    let output = run(Command::new("bash").arg(script).env("FEASTR", env!("CARGO_BIN_EXE_feastr"))).ok().stdout;
    let last = output.lines().last().unwrap_or_default();
    assert!(last.starts_with("1005 "), "{output}");
}
