//! The bodies of requests that tell of events: the forms of S3, MinIO and other gateways, SeaweedFS, and the envelopes of
//! queues and CloudEvents around them.

mod cloud_event;
mod handshake;
mod record;
mod seaweed;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

pub use cloud_event::CloudHeaders;
pub use handshake::Handshake;

use super::event::BucketEvent;
use crate::{
    model::Timestamp,
    problem::{Kind, Problem},
};

/// So many envelopes may be around an event.
const DEEPEST: usize = 5;

/// The events of a body, in their order; none where it tells of nothing that matters here. `headers` are those of
/// CloudEvents, if there are any.
///
/// # Errors
/// When it is no JSON, or none that tells of events.
pub fn events(body: &[u8], headers: &CloudHeaders) -> Result<Vec<BucketEvent>, Problem> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Problem::new(Kind::Invalid, format!("the body is not JSON: {error}"), None))?;
    let mut events = Vec::new();
    match headers.around(&body) {
        Some(event) => cloud_event::read(&event, &mut events, 0)?,
        None => read(&body, &mut events, 0)?,
    }
    events.retain(BucketEvent::is_of_a_file);
    Ok(events)
}

/// Adds the events of a value.
fn read(value: &Value, events: &mut Vec<BucketEvent>, depth: usize) -> Result<(), Problem> {
    if depth > DEEPEST {
        return Err(unknown("too many envelopes are around it"));
    }
    let deeper = depth + 1;
    if let Value::Array(items) = value {
        return items.iter().try_for_each(|item| read(item, events, deeper));
    }
    let Value::Object(fields) = value else { return Err(unknown("it is no object")) };
    // A test of S3 whether somebody listens.
    if text(fields, "Event") == Some("s3:TestEvent") {
        return Ok(());
    }
    // A topic that tells nothing any more.
    if text(fields, "Type") == Some("UnsubscribeConfirmation") {
        return Ok(());
    }
    if fields.contains_key("specversion") {
        return cloud_event::read(fields, events, deeper);
    }
    if let Some(kind) = text(fields, "eventType").and_then(|kind| kind.strip_prefix(cloud_event::AZURE)) {
        return cloud_event::event_grid(kind, fields, events);
    }
    if let Some(records) = fields.get("Records").and_then(Value::as_array) {
        // MinIO says the name of the object once more, and writes it as AWS does.
        let is_encoded = fields.contains_key("Key");
        return records.iter().try_for_each(|item| match item.as_object() {
            Some(fields) if fields.contains_key("s3") => record::read(fields, is_encoded, events),
            _ => read(item, events, deeper),
        });
    }
    if fields.contains_key("s3") {
        return record::read(fields, false, events);
    }
    if fields.contains_key("event_type") && fields.contains_key("message") {
        return seaweed::read(fields, events);
    }
    if let Some(messages) = fields.get("Messages").and_then(Value::as_array) {
        return messages.iter().try_for_each(|message| read(message, events, deeper));
    }
    if let Some(inner) = fields.get("Sns") {
        return read(inner, events, deeper);
    }
    if let Some(inner) = ["Body", "body", "Message"].iter().find_map(|key| text(fields, key)) {
        let inner: Value = serde_json::from_str(inner).map_err(|_| unknown("the message in it is not JSON"))?;
        return read(&inner, events, deeper);
    }
    Err(unknown("it has neither records nor a message of a queue"))
}

fn unknown(reason: &str) -> Problem {
    Problem::new(
        Kind::Invalid,
        format!("the body tells of no event of a bucket: {reason}"),
        "send notifications of S3 or MinIO, messages of SQS or SNS that hold them, CloudEvents, or those of SeaweedFS"
            .to_owned(),
    )
}

fn text<'a>(fields: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    fields.get(key).and_then(Value::as_str)
}

/// A text at the end of a path of keys.
fn text_at<'a>(fields: &'a Map<String, Value>, path: &[&str]) -> Option<&'a str> {
    let (last, objects) = path.split_last()?;
    let mut fields = fields;
    for key in objects {
        fields = fields.get(*key)?.as_object()?;
    }
    text(fields, last)
}

fn moment(text: &str) -> Option<Timestamp> {
    Timestamp::absolute(text)
}
