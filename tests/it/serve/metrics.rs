//! Metrics for Prometheus: those of Feast, and no labels that clients make up.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{
    answers::example,
    server::FeatureServer,
    writing::{self, SQLITE},
};
use crate::{interop::python, support::Project};

const METRICS: [&str; 3] = ["--metrics", "--metrics-port", "0"];

/// Samples by their names, with their labels.
type Samples<'a> = BTreeMap<&'a str, Vec<(BTreeMap<&'a str, &'a str>, f64)>>;

fn samples(text: &str) -> Samples<'_> {
    let mut samples = Samples::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) =
            name.split_once('{').map_or((name, ""), |(name, labels)| (name, labels.trim_end_matches('}')));
        let labels = labels.split(',').filter_map(|label| label.split_once('='));
        let labels = labels.map(|(name, value)| (name, value.trim_matches('"'))).collect();
        samples.entry(name).or_default().push((labels, value.parse().unwrap()));
    }
    samples
}

/// Families with their types; those of counters end in `_total` for the older format only.
fn types(text: &str) -> BTreeMap<String, &str> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    types.map(|(name, kind)| (name.trim_end_matches("_total").to_owned(), kind)).collect()
}

/// The sum of samples with these labels.
#[track_caller]
fn value(text: &str, name: &str, labels: &[(&str, &str)]) -> f64 {
    let has = |known: &BTreeMap<&str, &str>| labels.iter().all(|(name, value)| known.get(name) == Some(value));
    let samples = samples(text);
    samples.get(name).into_iter().flatten().filter(|(known, _)| has(known)).map(|(_, value)| value).sum()
}

fn features(names: &[&str], drivers: &[i64]) -> serde_json::Value {
    json!({ "features": names, "entities": { "driver_id": drivers } })
}

const RATE: &str = "driver_hourly_stats:conv_rate";

#[test]
fn metrics_have_the_names_types_and_labels_of_feast() {
    let project = example();
    let server = FeatureServer::start(&project, &METRICS);
    server.features(&features(&[RATE, "driver_hourly_stats:acc_rate"], &[1001, 7])).ok();
    assert_eq!(server.features(&features(&["nothing:at_all"], &[1001])).status, 404);
    let response = server.metrics();
    assert!(response.header("content-type").unwrap().starts_with("application/openmetrics-text"), "{response:?}");
    let text = response.body;
    project.write("metrics.txt", &text);
    let parsed = python("parse_metrics.py", &[project.path("metrics.txt").into()]);
    let parsed: BTreeMap<String, String> = serde_json::from_str(&parsed).unwrap();
    assert_eq!(parsed.get("feast_feature_server_request").map(String::as_str), Some("counter"), "{parsed:?}");
    let recorded = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/serving/metrics_port_8000.txt"),
    )
    .unwrap();
    let ours = types(&text);
    for (name, kind) in types(&recorded) {
        // The server reads no offline store, and nobody pushes or materializes here.
        if !["feast_offline_store", "feast_push", "feast_materialization"].iter().any(|other| name.starts_with(other)) {
            assert_eq!(ours.get(&name), Some(&kind), "{name} in {text}");
        }
    }
    let theirs = samples(&recorded);
    for (name, samples) in samples(&text) {
        let names = |samples: &[(BTreeMap<&str, &str>, f64)]| -> BTreeSet<String> {
            samples.iter().flat_map(|(labels, _)| labels.keys().map(|key| (*key).to_owned())).collect()
        };
        if let Some(recorded) = theirs.get(name) {
            assert_eq!(names(&samples), names(recorded), "labels of {name}");
            let limits = |samples: &[(BTreeMap<&str, &str>, f64)]| -> BTreeSet<String> {
                samples.iter().filter_map(|(labels, _)| labels.get("le").map(|limit| (*limit).to_owned())).collect()
            };
            assert_eq!(limits(&samples), limits(recorded), "limits of {name}");
        }
    }
    let endpoint = ("endpoint", "/get-online-features");
    let total = "feast_feature_server_request_total";
    assert_eq!(value(&text, total, &[endpoint, ("status", "success")]), 1.0, "{text}");
    assert_eq!(value(&text, total, &[endpoint, ("status", "error")]), 1.0, "{text}");
    let latency = "feast_feature_server_request_latency_seconds_count";
    let shape = [endpoint, ("feature_count", "1-10"), ("feature_view_count", "1")];
    assert_eq!(value(&text, latency, &shape), 1.0, "{text}");
    assert_eq!(value(&text, latency, &[endpoint, ("feature_count", ""), ("feature_view_count", "")]), 1.0, "{text}");
    let view = ("feature_view", "driver_hourly_stats");
    let statuses = "feast_online_features_status_total";
    assert_eq!(value(&text, statuses, &[view, ("status", "not_found")]), 2.0, "{text}");
    assert_eq!(value(&text, statuses, &[view]), 4.0, "{text}");
    assert_eq!(value(&text, "feast_online_features_entity_count_sum", &[]), 3.0, "{text}");
    assert_eq!(value(&text, "feast_online_features_request_total", &[]), 2.0, "{text}");
    assert_eq!(value(&text, "feast_feature_server_online_store_read_duration_seconds_count", &[]), 1.0, "{text}");
    assert!(value(&text, "feast_feature_freshness_seconds", &[view, ("project", "feastlocal")]) >= 0.0, "{text}");
    assert_eq!(samples(&text)["feast_feature_freshness_seconds"].len(), 1, "{text}");
    assert!(
        value(&text, "feastr_registry_unconfirmed_seconds", &[]) < 3_600.0 && text.contains("unconfirmed"),
        "{text}"
    );
    #[cfg(target_os = "linux")]
    assert!(value(&text, "feast_feature_server_memory_usage", &[]) > 0.0, "{text}");
}

#[test]
fn clients_make_no_labels_up() {
    let project = example();
    let server = FeatureServer::start(&project, &METRICS);
    server.features(&features(&[RATE], &[1001])).ok();
    let [mut connection, before] = [server.connect(), server.connect()];
    drop(before);
    let mut ask = |method: &str, path: &str, body: &str| connection.ask(method, path, body);
    for number in 0..200 {
        ask("GET", &format!("/made/up/{number}"), "");
        ask(
            "POST",
            &format!("/get-online-features?x={number}"),
            &features(&[&format!("view_{number}:x")], &[1]).to_string(),
        );
        ask(
            "POST",
            "/get-online-features",
            &json!({ "feature_service": format!("s{number}"), "entities": {} }).to_string(),
        );
        let entities = json!({ "driver_id": [number], format!("made_up_{number}"): [1] });
        ask("POST", "/get-online-features", &json!({ "features": [RATE], "entities": entities }).to_string());
        ask(&format!("METHOD{number}"), "/get-online-features", "");
    }
    let text = server.metrics().body;
    assert!(!text.contains("made") && !text.contains("view_1") && !text.contains("s19"), "{text}");
    let series: usize =
        samples(&text).iter().filter(|(name, _)| name.ends_with("_count")).map(|(_, all)| all.len()).sum();
    assert!(series < 10, "{series} in {text}");
    let total = value(&text, "feast_feature_server_request_total", &[("endpoint", "/get-online-features")]);
    assert_eq!(total, 801.0, "{text}");
}

#[test]
fn groups_of_metrics_are_left_out_if_the_settings_say_so() {
    let project = example();
    let off = ["resource", "request", "online_features", "push", "materialization", "freshness"];
    let all_off = off.map(|group| format!("{group}: false")).join(", ");
    let settings = project.read("feature_store.yaml");
    project
        .write("feature_store.yaml", format!("{settings}\nfeature_server:\n  metrics: {{enabled: true, {all_off}}}\n"));
    let server = FeatureServer::start(&project, &["--metrics-port", "0"]);
    server.features(&features(&[RATE], &[1001])).ok();
    let text = server.metrics().body;
    assert!(!text.contains("feast_"), "{text}");
    let bins = "{enabled: true, feature_count_bins: [1, 3], online_features: false}";
    project.write("feature_store.yaml", format!("{settings}\nfeature_server:\n  metrics: {bins}\n"));
    let server = FeatureServer::start(&project, &["--metrics-port", "0"]);
    server.features(&features(&[RATE, "driver_hourly_stats:acc_rate"], &[1001])).ok();
    let text = server.metrics().body;
    let latency = "feast_feature_server_request_latency_seconds_count";
    assert_eq!(value(&text, latency, &[("feature_count", "2-3")]), 1.0, "{text}");
    assert!(!text.contains("feast_online_features"), "{text}");
}

#[test]
fn a_port_of_metrics_that_is_taken_is_no_start() {
    let project: Project = example();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let failed = project.feastr(&["serve", "--port", "0", "--metrics", "--metrics-port", &port]).failed();
    assert!(failed.stderr.contains(&format!("cannot listen on 127.0.0.1 port {port}")), "{}", failed.stderr);
}

#[test]
fn pushes_and_materializations_are_counted_by_registered_names() {
    let project = writing::applied(SQLITE);
    let server = FeatureServer::start(&project, &METRICS);
    let push = |source: &str| {
        let df = json!({ "driver_id": [1001], "event_timestamp": ["2025-01-01"], "created": [null], "conv_rate": [1.0],
            "avg_daily_trips": [1] });
        server.ask("POST", "/push", &json!({ "push_source_name": source, "df": df }).to_string())
    };
    push("stats_push").ok();
    push("stats_push").ok();
    assert_eq!(push("made_up").status, 422);
    let body = json!({ "start_ts": "2000-01-01", "end_ts": "now", "feature_views": ["fresh"] });
    server.ask("POST", "/materialize", &body.to_string()).ok();
    let text = server.metrics().body;
    let labels = [("push_source", "stats_push"), ("mode", "online")];
    assert_eq!(value(&text, "feast_push_request_total", &labels), 2.0, "{text}");
    assert!(!text.contains("made_up"), "{text}");
    let labels = [("feature_view", "fresh"), ("status", "success")];
    assert_eq!(value(&text, "feast_materialization_result_total", &labels), 1.0, "{text}");
    assert_eq!(value(&text, "feast_materialization_duration_seconds_count", &labels[..1]), 1.0, "{text}");
}
