//! The files of `examples/serve` start the server as the program knows it.

use std::{fs, path::Path};

use serde_json::Value;

use crate::support::Project;

fn example(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/serve").join(name)).unwrap()
}

/// Whether the program takes arguments: it shows its help only if all in front of `--help` are right.
fn assert_known(arguments: &[&str]) {
    Project::new(&[]).feastr(&[arguments, &["--help"]].concat()).ok();
}

#[test]
fn the_unit_names_flags_that_exist() {
    let unit = example("feastr-serve.service");
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let arguments: Vec<&str> = start.split_whitespace().collect();
    assert!(arguments[0].ends_with("/feastr"), "{start}");
    assert_known(&arguments[1..]);
}

#[test]
fn the_manifest_names_flags_that_exist_and_a_port_that_is_served() {
    let manifest = example("kubernetes.yaml");
    let mut documents = serde_yaml::from_multiple::<Value>(&manifest).unwrap();
    let (service, deployment) = (documents.pop().unwrap(), documents.pop().unwrap());
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let command: Vec<&str> =
        container["command"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect();
    assert_eq!(command[0], "feastr");
    assert_known(&command[1..]);
    let port = command[command.iter().position(|part| *part == "--port").unwrap() + 1];
    assert_eq!(container["ports"][0]["containerPort"].to_string(), port);
    assert_eq!(service["spec"]["ports"][0]["targetPort"], container["ports"][0]["name"]);
    for (probe, path) in [("startupProbe", "/health"), ("readinessProbe", "/ready"), ("livenessProbe", "/health")] {
        assert_eq!(container[probe]["httpGet"]["path"], path);
    }
}
