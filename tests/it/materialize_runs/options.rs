use feastr::{model::ViewId, registry::Locking};
use serde_json::json;

use super::{END, START, applied, intervals, registry, three_views, values};
use crate::support::Project;

const TABLE: &str = "feastlocal_driver_hourly_stats";
const VIEW: &str = "driver_hourly_stats";

#[test]
fn chunks_are_recorded_one_by_one_and_hold_the_same_values() {
    let (whole, chunked) = (applied(), applied());
    whole.feastr(&["materialize", START, END]).ok();
    let output = chunked.feastr(&["materialize", START, END, "--chunk", "10d"]).ok();
    assert!(output.stderr.contains("to 2026-11-01T00:00:00Z in 4 chunks"), "{}", output.stderr);
    assert!(output.stderr.contains("until 2026-10-11T00:00:00Z: 0 rows"), "{}", output.stderr);
    let recorded = intervals(&chunked, VIEW);
    let [day1, day11, day21, day31] = ["01", "11", "21", "31"].map(|day| format!("2026-10-{day}T00:00:00Z"));
    let end = "2026-11-01T00:00:00Z".to_owned();
    let pairs = [(day1, day11.clone()), (day11, day21.clone()), (day21, day31.clone()), (day31, end)];
    assert_eq!(recorded, pairs);
    assert_eq!(values(&chunked, TABLE), values(&whole, TABLE));
    // An incremental run goes on where the last chunk ended, also with other chunks.
    chunked.feastr(&["materialize-incremental", "2026-11-03", "--chunk", "1d"]).ok();
    assert_eq!(
        intervals(&chunked, VIEW)[4..].iter().map(|pair| &pair.0[..10]).collect::<Vec<_>>(),
        ["2026-11-01", "2026-11-02"]
    );
    let refused = chunked.feastr(&["materialize", START, END, "--chunk", "1ms"]).failed();
    assert!(refused.stderr.contains("2678400000 chunks"), "{}", refused.stderr);
    assert!(chunked.feastr(&["materialize", START, END, "--chunk", "0"]).failed().stderr.contains("takes some time"));
}

#[test]
fn newer_values_stay_unless_they_are_to_be_overwritten() {
    let project = applied();
    project.feastr(&["materialize", START, END]).ok();
    let newest = values(&project, TABLE);
    let report = project.feastr(&["materialize", START, "2026-10-25", "--json"]).ok().json();
    assert_eq!((&report["views"][0]["written"], &report["views"][0]["skipped"]), (&json!(0), &json!(5)));
    assert_eq!(values(&project, TABLE), newest);
    let report = project.feastr(&["materialize", START, "2026-10-25", "--overwrite", "--json"]).ok().json();
    assert_eq!(report["views"][0]["written"], json!(5));
    assert!(values(&project, TABLE).iter().zip(&newest).all(|(now, before)| now.3 < before.3));
}

#[test]
fn a_dry_run_tells_rows_and_writes_nothing() {
    let project = three_views();
    let before = project.read_bytes("data/registry.db");
    let output = project.feastr(&["materialize", START, END, "--dry-run", "--chunk", "20d", "--json"]);
    assert_eq!(output.code, 1, "one view would fail");
    let views = output.json()["views"].clone();
    assert_eq!(views[0]["view"], "bad");
    assert!(views[0]["problem"].as_str().unwrap().contains("there is no file"), "{views}");
    let chunks = views[1]["chunks"].as_array().unwrap();
    assert_eq!((chunks.len(), &chunks[1]["interval"]["start"]), (2, &json!("2026-10-21T00:00:00Z")));
    let rows: u64 = chunks.iter().map(|chunk| chunk["rows"].as_u64().unwrap()).sum();
    assert_eq!((rows, &chunks[1]["entities"]), (1805, &json!(5)));
    let table = project.feastr(&["materialize", START, END, "--dry-run", "-v", "good"]).ok().stdout;
    assert!(table.contains("ROWS") && table.contains("about 5"), "{table}");
    assert_eq!(project.read_bytes("data/registry.db"), before);
    assert_eq!((values(&project, "shop_good"), intervals(&project, "good")), (Vec::new(), Vec::new()));
    assert!(project.feastr(&["materialize", "history"]).ok().stderr.contains("No run"));
}

#[test]
fn an_end_in_the_future_is_refused_unless_it_is_wanted() {
    let project = applied();
    for command in [&["materialize", START, "+1h"][..], &["materialize-incremental", "2199-01-01"]] {
        let output = project.feastr(command).refused();
        assert!(output.stderr.contains("is in the future") && output.stderr.contains("--allow-future"), "{output:?}");
    }
    assert_eq!(intervals(&project, VIEW), []);
    project.feastr(&["materialize-incremental", "+30s"]).ok();
    project.feastr(&["materialize", START, "2199-01-01", "--allow-future"]).ok();
    let output = project.feastr(&["materialize-incremental", "now"]).failed();
    assert!(output.stderr.contains("already materialized until 2199-01-01T00:00:00Z"), "{}", output.stderr);
}

#[test]
fn a_failing_view_stops_the_others_only_if_that_is_wanted() {
    let project = three_views();
    let range = ["materialize", START, END];
    let report = project.feastr(&[&range[..], &["--fail-fast", "--json"]].concat());
    let outcomes = |report: &serde_json::Value| {
        let views = report["views"].as_array().unwrap().iter();
        views.map(|view| (text(&view["view"]), text(&view["outcome"]))).collect::<Vec<_>>()
    };
    let pair = |view: &str, outcome: &str| (view.to_owned(), outcome.to_owned());
    let stopped = [pair("bad", "failed"), pair("better", "not_started"), pair("good", "not_started")];
    assert_eq!((report.code, outcomes(&report.json())), (1, stopped.to_vec()));
    let asked = json!({"start": "2026-10-01T00:00:00Z", "end": "2026-11-01T00:00:00Z"});
    assert_eq!(report.json()["views"][2]["interval"], asked);
    assert_eq!(intervals(&project, "good"), []);
    let report = project.feastr(&[&range[..], &["--jobs", "3", "--json"]].concat());
    let done = [pair("bad", "failed"), pair("better", "done"), pair("good", "done")];
    assert_eq!((report.code, outcomes(&report.json())), (1, done.to_vec()));
    assert_eq!(values(&project, "shop_good"), values(&project, "shop_better"));
    assert_eq!(values(&project, "shop_good").len(), 5);
    assert_eq!((intervals(&project, "good").len(), intervals(&project, "bad").len()), (1, 0));
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn a_view_is_materialized_by_one_run_at_a_time() {
    let project = three_views();
    let held = registry(&project).lock_view(ViewId { project: "shop", name: "good" }).unwrap();
    let range = ["materialize", START, END, "-v", "good,better", "--lock-timeout", "1500ms"];
    let output = project.feastr(&range).failed();
    let waiting = "waiting for the lock of view `good` (one run at a time), held by ";
    assert!(output.stderr.contains(waiting), "{}", output.stderr);
    let who = Locking::default().who;
    assert!(
        output.stderr.contains(&format!("error: good: the lock of view `good` (one run at a time) is held by {who}")),
        "{}",
        output.stderr
    );
    assert_eq!((intervals(&project, "good").len(), intervals(&project, "better").len()), (0, 1));
    drop(held);
    project.feastr(&range).ok();
}

#[test]
fn runs_at_once_follow_each_other() {
    let project = applied();
    let start = || {
        let mut command = project.command(&["materialize-incremental", "now", "--chunk", "12h", "--json"]);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let runs: Vec<_> = (0..3).map(|_| start()).collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    // None did again what another one had done.
    let recorded = intervals(&project, VIEW);
    assert!(recorded.windows(2).all(|pair| pair[0].1 == pair[1].0), "{recorded:?}");
    let history = project.feastr(&["materialize", "history", "--json"]).ok().json();
    assert_eq!(history.as_array().unwrap().iter().filter(|run| run["state"] == "done").count(), 3, "{history}");
}

#[test]
fn quiet_runs_show_no_progress() {
    let project = applied();
    let output = project.feastr(&["materialize", START, END, "--json", "--quiet"]).ok();
    assert_eq!(output.stderr, "");
    assert_eq!(output.json()["views"][0]["outcome"], "done");
    let output = project.feastr(&["materialize", START, END, "--quiet"]).ok();
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
}

/// Views that nothing can be read for are named, and fail only a run that names them.
#[test]
fn views_that_are_not_filled_from_rows_are_left_out() {
    let project = three_views();
    std::fs::remove_file(project.path("bad.yaml")).unwrap();
    project.write(
        "pushed.yaml",
        "data_sources:\n  - {name: tips, type: request, schema: [{name: tip, dtype: Int64}]}\nfeature_views:\n  - {name: \
         pushed, entities: [driver], source: null, schema: [{name: x, dtype: Int64}]}\non_demand_feature_views:\n  - name: \
         tipped\n    entities: [driver]\n    sources: [{good: [conv_rate]}, tips]\n    write_to_online_store: true\n    \
         schema: [{name: more, dtype: Float64, sql: conv_rate + tip}]\n",
    );
    project.feastr(&["apply", "--yes"]).ok();
    let run = |args: &[&str]| project.feastr(&[&["materialize", START, END, "--json"][..], args].concat());
    let output = run(&["--report", "report.json"]).ok();
    let left_out = output.json()["left_out"].clone();
    let named = |at: usize| (left_out[at]["id"].to_string(), text(&left_out[at]["reason"]));
    assert!(named(0).0.contains("pushed") && named(0).1.contains("no source"), "{left_out}");
    assert!(named(1).0.contains("tipped") && named(1).1.contains("requests bring its input `tip`"), "{left_out}");
    assert_eq!(left_out.as_array().unwrap().len(), 2);
    assert!(output.stderr.contains("feature view pushed is left out: "), "{}", output.stderr);
    assert!(output.stderr.contains("on demand feature view tipped is left out: "), "{}", output.stderr);
    let refused = run(&["-v", "pushed"]).failed().stderr;
    assert!(refused.contains("feature view pushed cannot be materialized: it has no source"), "{refused}");
    run(&["-v", "tipped"]).failed();
    assert_eq!(run(&["-v", "good"]).ok().json()["left_out"], json!([]));
}

#[test]
fn nothing_new_is_said() {
    let project = applied();
    project.feastr(&["materialize", START, "2026-11-15"]).ok();
    let output = project.feastr(&["materialize-incremental", "2026-11-16"]).ok();
    assert!(output.stderr.contains("nothing new until 2026-11-16T00:00:00Z"), "{}", output.stderr);
    assert!(output.stdout.contains("nothing new"), "{}", output.stdout);
    assert_eq!(intervals(&project, VIEW).len(), 2);
}

/// A file registry has locks, history and intervals, too.
#[test]
fn a_file_registry_does_all_of_this() {
    let project = Project::example();
    project.edit("feature_store.yaml", "registry_type: sql", "registry_type: file");
    project.edit("feature_store.yaml", "sqlite:///data/registry.db", "data/registry.pb");
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", START, END, "--chunk", "10d"]).ok();
    let history = project.feastr(&["materialize", "history", "--json"]).ok().json();
    assert_eq!((history.as_array().unwrap().len(), &history[0]["written"]), (1, &json!(15)));
    assert!(project.path("data/registry.pb.runs.jsonl").exists());
    project.feastr(&["teardown", "--yes"]).ok();
    assert_eq!(project.feastr(&["materialize", "history", "--json"]).ok().json(), json!([]));
}
