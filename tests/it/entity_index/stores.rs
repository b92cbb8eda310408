//! Real object stores: one that tells of its events, and objects that are listed and read.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use feastr::clients::{buckets::Expected, runtime::wait};
use serde_json::json;

use super::{DEFINITIONS, Lake, Place, TOKEN, tell_with};
use crate::{
    serve::server::{FeatureServer, PATIENCE},
    servers::{
        buckets::{ObjectStore, Store, shared},
        free_port,
        meddler::Meddler,
    },
    support::Project,
};

const ROWS: &str = "driver_id,at,made,score\n1,2026-01-01T01:00:00Z,2026-01-02T00:00:00Z,0.1\n";

/// A repo whose sources are in a bucket.
fn lake(bucket: &str) -> Lake {
    let settings = format!(
        "project: lake\nregistry: {{registry_type: sql, path: 'sqlite:///index.db'}}\nonline_store: null\n\
         feastr: {{entity_index: {{token: {TOKEN}}}}}\n"
    );
    let definitions = DEFINITIONS.replace("lake/", &format!("{bucket}/"));
    let project = Project::new(&[("feature_store.yaml", &settings), ("lake.yaml", &definitions)]);
    project.feastr(&["apply", "--skip-source-validation"]).ok();
    Lake { project, place: Place::Sqlite }
}

fn serve<'a>(lake: &'a Lake, store: Option<&ObjectStore>, port: u16) -> FeatureServer<'a> {
    let mut command = lake.project.command(&["entity-index", "serve", "--no-token", "--port", &port.to_string()]);
    command.envs(store.map(ObjectStore::environment).into_iter().flatten());
    FeatureServer::launch(&lake.project, command)
}

fn await_drivers(lake: &Lake, expected: &[&str], server: &FeatureServer<'_>) {
    let began = Instant::now();
    let has_table = "SELECT 1 FROM sqlite_master WHERE name = 'entity_lookup.entity_driver'";
    let drivers = || if lake.query(has_table).is_empty() { Vec::new() } else { lake.drivers() };
    while drivers() != expected {
        assert!(began.elapsed() < PATIENCE, "{:?} is not {expected:?}: {}", drivers(), server.said());
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_gateway_tells_of_objects_that_are_indexed_and_removed() {
    let lake = lake("s3://features");
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/events");
    // The gateway asks whether somebody listens, and the server has to know where it is.
    let asked = serve(&lake, None, port);
    let store = ObjectStore::start(Store::VersityGw, &["--event-webhook-url", &url]);
    drop(asked);
    let server = serve(&lake, Some(&store), port);
    store.create_named_bucket("features");
    let (bucket, key) = (store.open("s3://features"), "stats/day=1/a b+c%.csv");
    let put = |text: &str| wait(bucket.put(key, text.to_owned().into(), Expected::Anything)).unwrap();
    put(ROWS);
    await_drivers(&lake, &["1 01"], &server);
    put(&format!("{ROWS}2,2026-01-01T02:00:00Z,2026-01-02T00:00:00Z,0.2\n"));
    await_drivers(&lake, &["1 01", "2 02"], &server);
    let paths = lake.query("SELECT DISTINCT path FROM entity_lookup.entity_driver");
    assert_eq!(paths, [[format!("s3://features/{key}")]]);
    wait(bucket.delete(key)).unwrap();
    await_drivers(&lake, &[], &server);
}

#[test]
fn seaweedfs_tells_of_objects_with_the_token() {
    let lake = lake("s3://features");
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/events");
    let store = ObjectStore::start(Store::SeaweedFs, &[&url, TOKEN]);
    store.create_named_bucket("features");
    let mut command = lake.project.command(&["entity-index", "serve", "--port", &port.to_string()]);
    command.envs(store.environment());
    let server = FeatureServer::launch(&lake.project, command);
    let (bucket, key) = (store.open("s3://features"), "stats/day=1/a b+c%.csv");
    wait(bucket.put(key, ROWS.into(), Expected::Anything)).unwrap();
    await_drivers(&lake, &["1 01"], &server);
    wait(bucket.delete(key)).unwrap();
    await_drivers(&lake, &[], &server);
}

#[test]
fn a_small_file_is_asked_for_twice() {
    let store = shared(Store::SeaweedFs);
    let url = store.create_bucket();
    let lake = lake(&url);
    lake.project.edit("lake.yaml", "file_format: csv, path: s3", "file_format: parquet, path: s3");
    lake.project.feastr(&["apply", "--skip-source-validation", "--yes"]).ok();
    let bucket = store.open(&url);
    for number in 0..20 {
        let file = format!("{number}.parquet");
        let times = arrow::array::TimestampMicrosecondArray::from(vec![number; 3]);
        let ids = arrow::array::Int64Array::from(vec![number, number + 1, number + 2]);
        let columns: [(&str, arrow::array::ArrayRef); 3] = [
            ("driver_id", std::sync::Arc::new(ids)),
            ("at", std::sync::Arc::new(times.clone())),
            ("made", std::sync::Arc::new(times)),
        ];
        let rows = arrow::array::RecordBatch::try_from_iter(columns).unwrap();
        let mut bytes = Vec::new();
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, rows.schema(), None).unwrap();
        writer.write(&rows).unwrap();
        writer.close().unwrap();
        wait(bucket.put(&format!("stats/{file}"), bytes.into(), Expected::Anything)).unwrap();
    }
    let meddler = Meddler::before(store.port());
    let mut command = lake.project.command(&["entity-index", "backfill", "--views", "stats"]);
    let done = crate::support::run(command.envs(store.environment_at(&meddler.endpoint()))).ok();
    assert!(done.stderr.contains("Indexed 20 files with 60 rows"), "{}", done.stderr);
    let seen = meddler.seen();
    let count = |method: &str| seen.iter().filter(|line| line.starts_with(method) && line.contains(".parquet")).count();
    assert_eq!((count("HEAD "), count("GET ")), (20, 20), "{seen:?}");
}

#[test]
fn objects_are_listed_read_and_compared() {
    let store = shared(Store::SeaweedFs);
    let url = store.create_bucket();
    let lake = lake(&url);
    let bucket = store.open(&url);
    let put = |key: &str, text: &str| wait(bucket.put(key, text.to_owned().into(), Expected::Anything)).unwrap();
    let run = |args: &[&str]| {
        crate::support::run(lake.project.command(&[&["entity-index"], args].concat()).envs(store.environment()))
    };
    put("stats/day=1/a b+c.csv", ROWS);
    put("stats/_tmp/x.csv", "driver_id\n1\n");
    put("trips/day=1/part-1.csv", "drv,car_id,event_timestamp,length\n7,red,01.01.2026 12:30,1\n");
    put("trips/day=1/other.csv", "drv\n7\n");
    run(&["backfill"]).ok();
    assert_eq!(lake.drivers(), ["1 01", "7 12"]);
    run(&["verify"]).ok();
    put("stats/day=1/a b+c.csv", &ROWS.replace("\n1,", "\n2,"));
    wait(bucket.delete("trips/day=1/part-1.csv")).unwrap();
    let differs = run(&["verify", "--json"]).failed().json();
    let kinds: Vec<&str> =
        differs["differences"].as_array().unwrap().iter().map(|found| found["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["changed", "surplus"]);
    // SeaweedFS tells of it in its own way.
    let mut command = lake.project.command(&["entity-index", "serve", "--port", "0"]);
    command.envs(store.environment());
    let server = FeatureServer::launch(&lake.project, command);
    let name = url.strip_prefix("s3://").unwrap();
    for (kind, key) in [("update", "stats/day=1/a b+c.csv"), ("delete", "trips/day=1/part-1.csv")] {
        let body = json!({ "event_type": kind, "key": format!("/buckets/{name}/{key}"), "message": {} });
        tell_with(&server, &format!("authorization: Bearer {TOKEN}\r\n"), &body.to_string()).ok();
    }
    await_drivers(&lake, &["2 01"], &server);
    run(&["verify"]).ok();
}

#[test]
fn buckets_of_google_and_azure_are_indexed_and_told_of() {
    for kind in [Store::Gcs, Store::Azure] {
        let store = shared(kind);
        let url = store.create_bucket();
        let lake = lake(&url);
        let bucket = store.open(&url);
        let put = |key: &str, text: &str| wait(bucket.put(key, text.to_owned().into(), Expected::Anything)).unwrap();
        let run = |args: &[&str]| {
            crate::support::run(lake.project.command(&[&["entity-index"], args].concat()).envs(store.environment()))
        };
        put("stats/day=1/a b+c.csv", ROWS);
        put("stats/_tmp/x.csv", "driver_id\n1\n");
        run(&["backfill"]).ok();
        assert_eq!(lake.drivers(), ["1 01"], "{kind:?}");
        run(&["verify"]).ok();
        let mut command = lake.project.command(&["entity-index", "serve", "--port", "0"]);
        command.envs(store.environment());
        let server = FeatureServer::launch(&lake.project, command);
        let name = url.split_once("://").unwrap().1;
        // As both write them, but for ids and sizes.
        let event = |is_there: bool, key: &str| match (kind, is_there) {
            (Store::Gcs, _) => json!({
                "specversion": "1.0", "id": "1", "source": format!("//storage.googleapis.com/projects/_/buckets/{name}"),
                "type": format!("google.cloud.storage.object.v1.{}", if is_there { "finalized" } else { "deleted" }),
                "subject": format!("objects/{key}"), "time": "2026-01-01T00:00:00Z", "datacontenttype": "application/json",
                "data": { "kind": "storage#object", "bucket": name, "name": key, "generation": "1587627537231057" },
            }),
            // In Event Grid's own form, and as a CloudEvent.
            (_, true) => json!([{
                "topic": "/subscriptions/1/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a", "id": "1",
                "subject": format!("/blobServices/default/containers/{name}/blobs/{key}"), "dataVersion": "",
                "eventType": "Microsoft.Storage.BlobCreated", "eventTime": "2026-01-01T00:00:00Z", "metadataVersion": "1",
                "data": { "api": "PutBlockList", "eTag": "0x8D4BCC2E4835CD0", "sequencer": "00000000000004420000000000028963" },
            }]),
            (_, false) => json!({
                "specversion": "1.0", "id": "2", "type": "Microsoft.Storage.BlobDeleted", "time": "2026-01-01T00:00:01Z",
                "source": "/subscriptions/1/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a",
                "subject": format!("/blobServices/default/containers/{name}/blobs/{key}"),
                "data": { "api": "DeleteBlob", "sequencer": "00000000000004420000000000028964" },
            }),
        };
        let told = |is_there: bool, key: &str| {
            let headers = format!("authorization: Bearer {TOKEN}\r\n");
            tell_with(&server, &headers, &event(is_there, key).to_string()).ok().json()["new"].clone()
        };
        put("stats/b.csv", &ROWS.replace("\n1,", "\n2,"));
        assert_eq!(told(true, "stats/b.csv"), 1, "{kind:?}");
        await_drivers(&lake, &["2 01", "1 01"], &server);
        wait(bucket.delete("stats/day=1/a b+c.csv")).unwrap();
        assert_eq!(told(false, "stats/day=1/a b+c.csv"), 1, "{kind:?}");
        assert_eq!(told(true, "elsewhere/b.csv"), 0, "{kind:?}");
        await_drivers(&lake, &["2 01"], &server);
        run(&["verify"]).ok();
    }
}
