//! Python Feast reads what feastr saved, and the other way round.

use serde_json::{Value as Json, json};

use crate::{
    interop::{feast, shop},
    registries::{Backend, on_every_backend},
    support::Project,
};

on_every_backend!(@ sqlite Sqlite both_read_what_the_other_saved);
on_every_backend!(@ postgres Postgres both_read_what_the_other_saved);

const FEATURES: [&str; 4] =
    ["customer_profile:visits", "customer_profile:city", "customer_profile:labels", "customer_profile:last_order"];
const ENTITIES: &str = "data/training_rows.parquet";

fn save(project: &Project, name: &str, args: &[&str]) {
    let create = ["saved-datasets", "create", name, "--entities", ENTITIES, "--tag", "by=someone", "--output"];
    project.feastr(&[&create[..], args].concat()).ok();
}

/// Rows by their columns, in an order of their own.
fn rows(table: &Json) -> Vec<String> {
    let names = table["names"].as_array().unwrap();
    let row = |row: &Json| -> Json {
        let values = row.as_array().unwrap().iter().zip(names);
        values.map(|(value, name)| (name.as_str().unwrap().to_owned(), value.clone())).collect()
    };
    let mut rows: Vec<String> = table["rows"].as_array().unwrap().iter().map(|found| row(found).to_string()).collect();
    rows.sort();
    rows
}

fn both_read_what_the_other_saved(registry: Backend) {
    let project = shop(registry);
    project.feastr(&["apply"]).ok();
    save(&project, "ours", &["data/ours.parquet", "--features", &FEATURES.join(",")]);
    save(&project, "folder", &["data/folder", "--features", &FEATURES.join(",")]);
    save(&project, "of_service", &["data/of_service.parquet", "--feature-service", "friends", "--full-feature-names"]);
    let theirs = json!({ "name": "theirs", "entities": ENTITIES, "path": "data/theirs.parquet", "tags": { "by": "someone" }, "features": FEATURES });
    let steps = [
        json!({ "save_dataset": theirs }),
        json!({ "saved_dataset": { "name": "theirs" } }),
        json!({ "saved_dataset": { "name": "ours" } }),
        json!({ "saved_dataset": { "name": "folder" } }),
        json!({ "saved_dataset": { "name": "of_service" } }),
        json!({ "read": { "path": "data/of_service.parquet" } }),
        json!({ "cli": { "arguments": ["saved-datasets", "list"] } }),
    ];
    let [_, theirs, ours, folder, of_service, file, list] = feast(&project, &steps).try_into().unwrap();
    assert_eq!([rows(&ours["rows"]), rows(&folder["rows"])], [rows(&theirs["rows"]), rows(&theirs["rows"])]);
    assert_eq!(ours["rows"]["types"], theirs["rows"]["types"]);
    // The same but for the names.
    let renamed = theirs["described"].to_string().replace("theirs", "ours");
    assert_eq!(ours["described"], serde_json::from_str::<Json>(&renamed).unwrap());
    // Two views of one service, by their names in it.
    let features = of_service["described"]["spec"]["features"].as_array().unwrap();
    let names: Vec<String> = features.iter().map(|name| name.as_str().unwrap().replace(':', "__")).collect();
    let read = of_service["rows"]["names"].as_array().unwrap();
    assert!(names.iter().all(|name| read.contains(&json!(name))), "{names:?} {read:?}");
    assert_eq!(of_service["rows"]["rows"].as_array().unwrap().len(), file["rows"].as_array().unwrap().len());
    assert!(["ours", "folder", "of_service"].iter().all(|name| list.as_str().unwrap().contains(name)), "{list}");

    for name in ["theirs", "ours", "folder"] {
        project.feastr(&["saved-datasets", "export", name, "-o", &format!("data/{name}_exported.parquet")]).ok();
    }
    let read = |name: &str| json!({ "read": { "path": format!("data/{name}.parquet") } });
    let steps = ["theirs_exported", "theirs", "ours_exported", "folder_exported", "ours"].map(read);
    let [theirs_exported, theirs, ours_exported, folder, ours] = feast(&project, &steps).try_into().unwrap();
    assert_eq!(rows(&theirs_exported), rows(&theirs));
    assert_eq!([rows(&ours_exported), rows(&folder)], [rows(&ours), rows(&ours)]);
    project.feastr(&["plan", "--detailed-exitcode"]).ok();
}
