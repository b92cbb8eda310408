//! What the server serves of feature services goes into their logs.

use serde_json::{Value as Json, json};

use super::server::FeatureServer;
use crate::{
    feature_log::{SERVICE, files, logging},
    interop::feast,
    support::Project,
};

/// A repo whose service is logged, with these settings of the server.
fn logged(config: &str, server: &str) -> Project {
    let project = logging(config);
    let settings = project.read("feature_store.yaml");
    project.write("feature_store.yaml", format!("{settings}\nfeature_server: {server}\n"));
    project
}

fn request(drivers: &[i64]) -> Json {
    let ones = vec![1; drivers.len()];
    json!({
        "feature_service": SERVICE,
        "entities": { "driver_id": drivers, "val_to_add": ones, "val_to_add_2": ones },
    })
}

#[test]
fn python_feast_reads_what_the_server_served() {
    let project = logged("{destination: {type: file, path: data/log}}", "{feature_logging: {enabled: true}}");
    let mut server = FeatureServer::start(&project, &["--metrics", "--metrics-port", "0"]);
    let id = "0b1ce2ad-7d5b-4c4f-a0c4-b7cf1a1a2b3c";
    let body = request(&[1001, 1099]).to_string();
    let headers = format!("x-request-id: {id}\r\n");
    server.connect().try_ask_with(&headers, "POST", "/get-online-features", &body).unwrap().ok();
    server.features(&request(&[1002])).ok();
    // Features without their service have no log.
    let alone = json!({ "features": ["driver_hourly_stats:conv_rate"], "entities": { "driver_id": [1003] } });
    server.features(&alone).ok();
    // What waits is written at the end.
    server.signal("-TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.said());
    assert_eq!(files(&project.path("data/log")).len(), 1);
    let [logged] = feast(&project, &[json!({ "logged": { "service": SERVICE } })]).try_into().unwrap();
    let names: Vec<&str> = logged["rows"]["names"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
    let column = |name: &str| {
        let position = names.iter().position(|known| *known == name).unwrap();
        let rows = logged["rows"]["rows"].as_array().unwrap();
        let mut values: Vec<String> = rows.iter().map(|row| row[position].to_string()).collect();
        values.sort();
        values
    };
    assert_eq!(column("driver_id"), ["1001", "1002", "1099"]);
    assert_eq!(column("driver_hourly_stats__conv_rate__status"), ["1", "1", "3"]);
    assert_eq!(column("__request_id").iter().filter(|known| known.contains(id)).count(), 2);
}

#[test]
fn files_appear_while_the_server_lives() {
    let project = logged(
        "{destination: {type: file, path: data/log}}",
        "{feature_logging: {enabled: true, flush_interval_secs: 1}}",
    );
    let server = FeatureServer::start(&project, &["--metrics", "--metrics-port", "0"]);
    server.features(&request(&[1001])).ok();
    let written = "feastr_feature_log_rows_total{result=\"written\"} 1";
    while !server.metrics().body.contains(written) {}
    assert_eq!(files(&project.path("data/log")).len(), 1);
}

#[test]
fn a_sample_without_requests_is_empty() {
    let project =
        logged("{sample_rate: 0, destination: {type: file, path: data/log}}", "{feature_logging: {enabled: true}}");
    let mut server = FeatureServer::start(&project, &[]);
    server.features(&request(&[1001])).ok();
    server.signal("-TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.said());
    assert!(!project.path("data/log").exists());
}

#[test]
fn rows_that_find_no_place_are_counted_and_told() {
    let project =
        logged("{destination: {type: file, path: data/log}}", "{feature_logging: {enabled: true, queue_capacity: 2}}");
    let mut server = FeatureServer::start(&project, &["--metrics", "--metrics-port", "0"]);
    server.features(&request(&[1001, 1002, 1003])).ok();
    server.features(&request(&[1001])).ok();
    let dropped = "feastr_feature_log_rows_total{result=\"dropped\"} 3";
    assert!(server.metrics().body.contains(dropped), "{}", server.metrics().body);
    while !server.said().contains("too many wait to be written rows=3") {}
    server.signal("-TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.said());
    assert_eq!(files(&project.path("data/log")).len(), 1);
}

#[test]
fn a_log_that_cannot_be_written_fails_no_request() {
    let server_settings = "{feature_logging: {enabled: true, flush_interval_secs: 1}}";
    let project = logged("{destination: {type: file, path: data/log}}", server_settings);
    project.write("data/log", "a file where the folder should be");
    let server = FeatureServer::start(&project, &["--metrics", "--metrics-port", "0"]);
    server.features(&request(&[1001, 1002])).ok();
    while !server.metrics().body.contains("feastr_feature_log_rows_total{result=\"failed\"} 2") {}
    while !server.said().contains("rows for logs of feature services are lost") {}
    server.features(&request(&[1001])).ok();
    // One that feastr does not write at all.
    let project = logged("{destination: {type: file, path: 'hdfs://host/log'}}", server_settings);
    let server = FeatureServer::start(&project, &[]);
    server.features(&request(&[1001])).ok();
    while !server.said().contains("is not logged: the log of feature service") {}
}
