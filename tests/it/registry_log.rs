//! `feastr registry log`: who changed which objects, and by which plan.

use crate::support::Project;

#[test]
fn what_apply_and_teardown_did_is_shown_the_newest_first() {
    let project = Project::example();
    let none = project.feastr(&["registry", "log"]).ok();
    assert_eq!((none.stdout.as_str(), none.stderr.trim()), ("", "No such change is in the log"));
    project.feastr(&["apply"]).ok();
    // What changes nothing is no change.
    project.feastr(&["apply"]).ok();
    let views = project.read("drivers.yaml");
    let described = views.replacen("ttl: ", "description: of each hour\n    ttl: ", 1);
    assert_ne!(described, views);
    project.write("drivers.yaml", described);
    project.feastr(&["apply"]).ok();
    let log = project.feastr(&["registry", "log", "--json"]).ok().json();
    let told = |at: usize| (log[at]["command"].as_str().unwrap(), log[at]["by"].as_str().unwrap());
    assert_eq!(log.as_array().unwrap().len(), 2, "{log}");
    assert_eq!(told(0).0, "apply");
    assert!(told(1).1.starts_with("apply of "), "{log}");
    let view = serde_json::json!({ "kind": "feature_view", "name": "driver_hourly_stats", "change": "updated" });
    assert!(log[0]["changes"].as_array().unwrap().contains(&view), "{log}");
    let edits = &log[0]["plan"]["changes"][0]["edits"];
    assert!(edits.to_string().contains("of each hour"), "{log}");

    // Found by name, kind and time; the log outlives the project.
    project.feastr(&["teardown", "--yes"]).ok();
    let lines = |arguments: &[&str]| {
        let shown = project.feastr(&[&["registry", "log"], arguments].concat()).ok();
        shown.stdout.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let of_view = ["driver_hourly_stats", "--kind", "feature-view", "-n", "1"];
    assert!(lines(&of_view).iter().any(|line| line.contains("deleted") && line.contains("driver_hourly_stats")));
    assert!(lines(&[]).len() > lines(&of_view).len());
    assert_eq!(lines(&["--since", "2030-01-01"]), [] as [&str; 0]);
    let wrong = project.feastr(&["registry", "log", "--kind", "view"]);
    assert!(wrong.code == 1 && wrong.stderr.contains("feature-view"), "{wrong:?}");
}
