use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use super::*;
use crate::entity_index::event::Change;

fn told(body: &Value) -> Vec<(String, String, Change)> {
    let events = events(body.to_string().as_bytes(), &CloudHeaders::default()).unwrap();
    events.into_iter().map(|event| (event.bucket, event.key, event.change)).collect()
}

fn one(bucket: &str, key: &str, change: Change) -> Vec<(String, String, Change)> {
    vec![(bucket.to_owned(), key.to_owned(), change)]
}

fn record(name: &str, source: &str, key: &str) -> Value {
    json!({
        "eventVersion": "2.2", "eventSource": source, "eventTime": "2026-11-28T10:28:10.000Z", "eventName": name,
        "s3": { "bucket": { "name": "features" }, "object": { "key": key, "eTag": "\"fdef\"", "sequencer": "0A" } }
    })
}

#[test]
fn aws_minio_and_gateways_write_names_in_their_ways() {
    let aws = json!({ "Records": [record("ObjectCreated:Put", "aws:s3", "in/day%3D1/p+q%2B.parquet")] });
    let minio = json!({
        "EventName": "s3:ObjectCreated:Put", "Key": "features/in/day=1/p q+.parquet",
        "Records": [record("s3:ObjectCreated:Put", "minio:s3", "in%2Fday%3D1%2Fp+q%2B.parquet")]
    });
    let gateway = json!({ "Records": [record("s3:ObjectCreated:Put", "aws:s3", "in/day=1/p q+.parquet")] });
    for body in [aws, minio, gateway] {
        assert_eq!(told(&body), one("features", "in/day=1/p q+.parquet", Change::Written), "{body}");
    }
    let body = json!({ "Records": [record("ObjectCreated:Put", "aws:s3", "%FF")] });
    assert!(events(body.to_string().as_bytes(), &CloudHeaders::default()).is_err());
}

#[test]
fn a_record_says_what_when_and_in_which_order() {
    let body = json!({ "Records": [record("ObjectCreated:Put", "aws:s3", "x")] }).to_string();
    let event = events(body.as_bytes(), &CloudHeaders::default()).unwrap().remove(0);
    assert_eq!((event.etag.as_deref(), event.sequencer.as_deref()), (Some("fdef"), Some("0A")));
    assert_eq!(event.time.unwrap().to_string(), "2026-11-28T10:28:10Z");
    for removed in ["s3:ObjectRemoved:Delete", "ObjectRemoved:DeleteMarkerCreated", "LifecycleExpiration:Delete"] {
        assert_eq!(told(&record(removed, "aws:s3", "x")), one("features", "x", Change::Removed), "{removed}");
    }
    for other in ["s3:ObjectAccessed:Get", "ObjectTagging:Put", "ReducedRedundancyLostObject"] {
        assert_eq!(told(&record(other, "aws:s3", "x")), []);
    }
    assert_eq!(told(&record("ObjectCreated:Put", "aws:s3", "folder/")), []);
    assert_eq!(told(&json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b" })), []);
}

#[test]
fn queues_wrap_events() {
    let inner = json!({ "Records": [record("ObjectCreated:Put", "aws:s3", "x")] }).to_string();
    let sns = json!({ "Type": "Notification", "TopicArn": "arn", "Message": inner });
    for body in [
        json!({ "Messages": [{ "MessageId": "1", "Body": inner }] }),
        json!({ "MessageId": "1", "Body": inner }),
        json!({ "Records": [{ "eventSource": "aws:sqs", "body": inner }] }),
        json!({ "Records": [{ "EventSource": "aws:sns", "Sns": sns }] }),
        sns.clone(),
        json!({ "Messages": [{ "Body": sns.to_string() }] }),
    ] {
        assert_eq!(told(&body), one("features", "x", Change::Written), "{body}");
    }
}

#[test]
fn seaweed_tells_of_paths() {
    let entry = json!({ "name": "p q.parquet", "attributes": { "mtime": "1790000000", "file_size": "9" } });
    let body = |kind: &str, message: Value| json!({ "event_type": kind, "key": "/buckets/features/in/p q.parquet", "message": message });
    let created = body("create", json!({ "old_entry": null, "new_entry": entry }));
    assert_eq!(told(&created), one("features", "in/p q.parquet", Change::Written));
    let time = events(created.to_string().as_bytes(), &CloudHeaders::default()).unwrap()[0].time;
    assert_eq!(time, Some(Timestamp::from_micros(1_790_000_000_000_000)));
    let gone = body("delete", json!({ "old_entry": entry, "new_entry": null }));
    assert_eq!(told(&gone), one("features", "in/p q.parquet", Change::Removed));
    let folder = body("create", json!({ "new_entry": { "name": "in", "is_directory": true } }));
    assert_eq!(told(&folder), []);
    let moved = body("rename", json!({ "new_parent_path": "/buckets/features/out", "new_entry": entry }));
    let [gone, there] = [("in/p q.parquet", Change::Removed), ("out/p q.parquet", Change::Written)];
    assert_eq!(told(&moved), [one("features", gone.0, gone.1), one("features", there.0, there.1)].concat());
    assert_eq!(told(&json!({ "event_type": "create", "key": "/etc/x", "message": {} })), []);
}

#[test]
fn cloud_events_come_alone_together_and_in_headers() {
    let google = json!({
        "specversion": "1.0", "id": "1", "source": "//storage.googleapis.com/projects/_/buckets/features",
        "type": "google.cloud.storage.object.v1.finalized", "time": "2026-11-28T10:28:10Z",
        "data": { "bucket": "features", "name": "x", "generation": "17", "etag": "e" }
    });
    let azure = json!({
        "specversion": "1.0", "type": "Microsoft.Storage.BlobDeleted", "time": "2026-11-28T10:28:10Z",
        "subject": "/blobServices/default/containers/features/blobs/in/x", "data": { "sequencer": "1" }
    });
    let records = json!({ "Records": [record("s3:ObjectCreated:Put", "aws:s3", "y")] });
    let s3 =
        json!({ "specversion": "1.0", "type": "com.example.s3", "data_base64": STANDARD.encode(records.to_string()) });
    assert_eq!(
        told(&json!([google, azure, s3])),
        [
            one("features", "x", Change::Written),
            one("features", "in/x", Change::Removed),
            one("features", "y", Change::Written)
        ]
        .concat()
    );
    let headers = [("ce-specversion", "1.0"), ("ce-type", "google.cloud.storage.object.v1.deleted"), ("host", "h")];
    let body = google["data"].to_string();
    let events = events(body.as_bytes(), &CloudHeaders::of(headers)).unwrap();
    assert_eq!((events[0].key.as_str(), events[0].change), ("x", Change::Removed));
}

#[test]
fn what_tells_of_nothing_is_refused() {
    let nested = (0..20).fold(json!({ "Records": [] }), |inner, _| json!({ "Body": inner.to_string() }));
    for body in [json!(1), json!({}), json!({ "Body": "hello" }), json!({ "Records": [{ "s3": {} }] }), nested] {
        let problem = events(body.to_string().as_bytes(), &CloudHeaders::default()).unwrap_err();
        assert_eq!(problem.kind, Kind::Invalid, "{body}");
    }
    assert!(events(b"{", &CloudHeaders::default()).unwrap_err().message.starts_with("the body is not JSON"));
}
