//! Python Feast changes what feastr has applied, afterwards and at the same time.

use serde_json::{Value as Json, json};

use crate::{
    interop::{assert_nothing_to_do, feast, shop},
    registries::{Backend, on_every_backend},
};

on_every_backend!(@ sqlite Sqlite a_plan_takes_back_what_python_feast_changed);
on_every_backend!(@ postgres Postgres a_plan_takes_back_what_python_feast_changed);

fn a_plan_takes_back_what_python_feast_changed(registry: Backend) {
    let project = shop(registry);
    project.feastr(&["apply"]).ok();
    let was = project.read("definitions.py");
    for (from, to) in [
        ("Somebody who buys", "Somebody who pays"),
        ("ttl=timedelta(days=10)", "ttl=timedelta(days=20)"),
        ("        Field(name=\"logins\", dtype=Array(UnixTimestamp)),\n", ""),
        ("items_source = FileSource(name", "items_source = FileSource(description=\"All of them\", name"),
        ("item = Entity(", "region = Entity(name=\"region\", join_keys=[\"region_id\"])\nitem = Entity("),
        ("customer_profile[[\"points\", \"city\", \"visits\"]]", "customer_profile[[\"points\", \"city\"]]"),
    ] {
        project.edit("definitions.py", from, to);
    }
    let removed = project.read("definitions.py");
    let (before, after) = removed.split_once("restocking = ").unwrap();
    assert!(!after.contains(" = FeatureService("), "restocking is not the last object");
    project.write("definitions.py", before);
    feast(&project, &[json!({ "apply": {} })]);

    let plan = project.feastr(&["plan", "--json"]).json();
    let changes: Vec<String> = plan["changes"].as_array().unwrap().iter().flat_map(lines).collect();
    assert_eq!(
        changes,
        [
            "update data_source items_source: description removed",
            "update entity customer: description changed \"Somebody who pays\" -> \"Somebody who buys\"",
            "delete entity region",
            "update feature_view customer_profile: features.logins added",
            "update feature_view customer_profile: ttl changed \"20d\" -> \"10d\"",
            "update feature_view item_facts: source source_copy",
            "update feature_service items: features.item_facts.source source_copy",
            "create feature_service restocking",
            "update feature_service selling: features.customer_profile.features.visits added",
        ]
    );
    assert_eq!(plan["tables"], json!([]));
    project.feastr(&["apply", "--yes"]).ok();
    assert_nothing_to_do(&project);
    project.write("definitions.py", was);
    let [plan] = feast(&project, &[json!({ "plan": {} })]).try_into().unwrap();
    assert_eq!(plan, "No changes to registry\nNo changes to infrastructure\n");
}

/// A change of the JSON form of a plan, a line per edit.
fn lines(change: &Json) -> Vec<String> {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let id = &change["id"];
    let what = format!("{} {} {}", text(&change["action"]), text(&id["kind"]), text(&id["name"]));
    let Some(edits) = change["edits"].as_array() else { return vec![what] };
    let line = |edit: &Json| {
        let about = format!("{what}: {} {}", text(&edit["path"]), text(&edit["edit"]));
        match edit["edit"].as_str().unwrap() {
            "changed" => format!("{about} {} -> {}", edit["before"], edit["after"]),
            _ => about,
        }
    };
    edits.iter().map(line).collect()
}
