//! On-demand features as Feast's feature server answered them, of the views that the example has as expressions.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::registry_rows::{golden_root, read_json};
use crate::support::{Output, Project};

/// The features that the example computes, in both of its on-demand views.
const COMPUTED: [&str; 2] = ["conv_rate_plus_val1", "conv_rate_plus_val2"];

#[test]
fn computed_values_are_those_that_were_recorded() {
    let recorded = read_json(&golden_root().join("serving/requests.json"));
    let recorded = recorded.as_array().unwrap();
    let project = example(recorded);
    let mut same = 0;
    for exchange in recorded.iter().filter(|exchange| exchange["server"] == "local") {
        let (name, body) = (exchange["name"].as_str().unwrap(), &exchange["request"]["json"]);
        let answer = &exchange["response"]["json"];
        match exchange["request"]["path"].as_str().unwrap() {
            // Feast lets an older row take the place of a newer one, and writes to views that no push feeds.
            "/push" if exchange["response"]["status"] == 200 && body["to"] == "online" => push(&project, body),
            "/write-to-online-store" => break,
            "/get-online-features" if values(answer).keys().any(|feature| COMPUTED.contains(feature)) => {
                let output = ask(&project, body);
                // Feast takes a request's fraction for an integer, and computes with the fraction.
                if has_fraction(&body["entities"]) {
                    assert!(output.failed().stderr.contains("is not an Int64"), "{name}");
                    continue;
                }
                assert_eq!(values(&output.ok().json()), values(answer), "{name}");
                same += 1;
            }
            _ => {}
        }
    }
    assert!(same > 0, "no on-demand features were recorded below {}", golden_root().display());
}

/// The example as it was when it was recorded: values that were old then were served all the same, and the history
/// holds what the answers say about it.
fn example(recorded: &[Value]) -> Project {
    let project = Project::new(&[]);
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/feature_repo");
    for file in ["feature_store.yaml", "drivers.yaml", "on_demand.yaml", "services.yaml"] {
        project.copy(&example.join(file), file);
    }
    for _ in 0..2 {
        project.edit("drivers.yaml", "ttl: 1d", "ttl: 0");
    }
    project.edit("drivers.yaml", "data/driver_stats.parquet", "data/driver_stats.jsonl\n    file_format: json");
    let history = recorded.iter().find(|exchange| exchange["name"] == "service_old_rows").unwrap();
    let answer = &history["response"]["json"];
    let names = answer["metadata"]["feature_names"].as_array().unwrap().iter();
    let mut row = Map::new();
    for (name, result) in names.zip(answer["results"].as_array().unwrap()) {
        let name = name.as_str().unwrap();
        if !COMPUTED.contains(&name) {
            row.insert(name.to_owned(), result["values"][0].clone());
            row.insert("event_timestamp".to_owned(), result["event_timestamps"][0].clone());
        }
    }
    row.insert("created".to_owned(), row["event_timestamp"].clone());
    project.write("data/driver_stats.jsonl", Value::from(row).to_string());
    project.feastr(&["apply", "-q"]).ok();
    project.feastr(&["materialize", "2021-01-01", "2022-01-01", "-q"]).ok();
    project
}

fn push(project: &Project, body: &Value) {
    project.write("pushed.jsonl", lines(&body["df"]));
    let source = body["push_source_name"].as_str().unwrap();
    project.feastr(&["push", source, "--input", "pushed.jsonl", "-q"]).ok();
}

fn ask(project: &Project, body: &Value) -> Output {
    project.write("asked.jsonl", lines(&body["entities"]));
    let mut args = vec!["get-online", "--entities", "asked.jsonl", "--json"];
    for feature in body["features"].as_array().into_iter().flatten() {
        args.extend(["--features", feature.as_str().unwrap()]);
    }
    if let Some(service) = body["feature_service"].as_str() {
        args.extend(["--feature-service", service]);
    }
    if body["full_feature_names"] == true {
        args.push("--full-feature-names");
    }
    project.feastr(&args)
}

/// Whether a value is not the integer that the example declares for it.
fn has_fraction(entities: &Value) -> bool {
    let mut values = entities.as_object().unwrap().values().flat_map(|column| column.as_array().unwrap());
    values.any(Value::is_f64)
}

/// Columns as lines of JSON.
fn lines(columns: &Value) -> String {
    let columns = columns.as_object().unwrap();
    let rows = columns.values().next().map_or(0, |column| column.as_array().unwrap().len());
    let row = |row: usize| -> Value {
        columns.iter().map(|(name, column)| (name.clone(), column[row].clone())).collect::<Map<_, _>>().into()
    };
    (0..rows).map(|index| format!("{}\n", row(index))).collect()
}

/// The values of an answer by name: inside a view Feast's order is another one in each run.
fn values(answer: &Value) -> BTreeMap<&str, &Value> {
    let names = answer["metadata"]["feature_names"].as_array().into_iter().flatten();
    let results = answer["results"].as_array().into_iter().flatten();
    names.zip(results).map(|(name, result)| (name.as_str().unwrap(), &result["values"])).collect()
}
