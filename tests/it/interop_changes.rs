//! Python Feast changes what feastr has applied, afterwards and at the same time.

use serde_json::{Value as Json, json};

use crate::{
    interop::{assert_nothing_to_do, feast, shop},
    registries::{Backend, on_every_backend},
};

on_every_backend!(@ sqlite Sqlite a_plan_takes_back_what_python_feast_changed);
on_every_backend!(@ postgres Postgres a_plan_takes_back_what_python_feast_changed);
on_every_backend!(@ s3 S3 a_plan_takes_back_what_python_feast_changed);

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

on_every_backend!(@ postgres_at_once Postgres applies_of_both_programs_at_once_lose_nothing);

fn applies_of_both_programs_at_once_lose_nothing(registry: Backend) {
    const ROUNDS: usize = 12;
    let project = shop(registry);
    let settings = project.read("feature_store.yaml");
    // A repo with a name leaves alone what it did not apply.
    project.write("feature_store.yaml", format!("{settings}feastr:\n  name: shop\n"));
    project.feastr(&["apply"]).ok();
    let definitions = project.read("definitions.yaml");
    let declare = |round: usize| {
        let text = definitions.replace("Somebody who buys", &format!("entity {round}"));
        let text = text.replace("What is known about a customer", &format!("view {round}"));
        project.write("definitions.yaml", text.replace("What the shop assistant sees", &format!("service {round}")));
    };
    let mut round = 0;
    std::thread::scope(|scope| {
        let python = scope.spawn(|| feast(&project, &[json!({ "apply_rounds": { "count": ROUNDS } })]));
        while !python.is_finished() {
            round += 1;
            declare(round);
            project.feastr(&["apply", "--skip-source-validation"]).ok();
            assert_nothing_to_do(&project);
        }
        python.join().unwrap();
    });
    assert!(round > 1);
    let names = |command: &str| -> Vec<String> {
        let list = project.feastr(&[command, "list", "--output", "json"]).ok().json();
        list.as_array().unwrap().iter().map(|object| object["spec"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let (entities, views) = (names("entities"), names("feature-views"));
    for number in 0..ROUNDS {
        assert!(entities.contains(&format!("python_{number}")), "{entities:?}");
        assert!(views.contains(&format!("python_view_{number}")), "{views:?}");
    }
    let counter = project.feastr(&["entities", "describe", "python_counter", "--output", "json"]).ok().json();
    assert_eq!(counter["spec"]["description"], format!("round {}", ROUNDS - 1));
    assert_nothing_to_do(&project);
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
