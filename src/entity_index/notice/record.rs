//! Records of S3, as AWS, MinIO and gateways write them.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{moment, text, text_at, unknown};
use crate::{
    entity_index::event::{BucketEvent, Change},
    problem::{Kind, Problem},
};

/// Adds the event of a record, if it is one that matters. AWS and MinIO encode the names of objects; gateways that write
/// `s3:` in front of the event, as MinIO does, may not.
pub(super) fn read(
    record: &Map<String, Value>,
    is_encoded: bool,
    events: &mut Vec<BucketEvent>,
) -> Result<(), Problem> {
    let Some(name) = text(record, "eventName") else { return Err(unknown("a record has no `eventName`")) };
    let bare = name.strip_prefix("s3:");
    let is_encoded = is_encoded || bare.is_none() || text(record, "eventSource") == Some("minio:s3");
    let change = match bare.unwrap_or(name).split(':').next() {
        Some("ObjectCreated" | "ObjectRestore") => Change::Written,
        Some("ObjectRemoved" | "LifecycleExpiration") => Change::Removed,
        _ => return Ok(()),
    };
    let place = |path: &[&str], what: &str| {
        text_at(record, path).ok_or_else(|| unknown(&format!("a record does not name its {what}")))
    };
    let (bucket, key) = (place(&["s3", "bucket", "name"], "bucket")?, place(&["s3", "object", "key"], "object")?);
    let etag = text_at(record, &["s3", "object", "eTag"]).map(|etag| etag.trim_matches('"').to_owned());
    events.push(BucketEvent {
        bucket: bucket.to_owned(),
        key: if is_encoded { decoded(key)? } else { key.to_owned() },
        change,
        time: text(record, "eventTime").and_then(moment),
        sequencer: text_at(record, &["s3", "object", "sequencer"]).map(str::to_owned),
        etag: etag.filter(|etag| !etag.is_empty()),
    });
    Ok(())
}

/// A name as forms encode it: `+` is a space.
fn decoded(key: &str) -> Result<String, Problem> {
    let spaced = key.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(|key| key.into_owned()).map_err(|_| {
        Problem::new(Kind::Invalid, format!("the name of the object does not decode to UTF-8: {key}"), None)
    })
}
