//! CloudEvents: one, or several at once, with the event inside or as headers around it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::{moment, text, unknown};
use crate::{
    entity_index::event::{BucketEvent, Change},
    problem::Problem,
};

/// How the events of Azure's stores are called.
pub(super) const AZURE: &str = "Microsoft.Storage.";

/// The headers of a request that say of which event its body is, without `ce-`.
#[derive(Debug, Clone, Default)]
pub struct CloudHeaders(Map<String, Value>);

impl CloudHeaders {
    /// Those of a request, by their names in small letters.
    pub fn of<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let attributes = headers.into_iter().filter_map(|(name, value)| Some((name.strip_prefix("ce-")?, value)));
        Self(attributes.map(|(name, value)| (name.to_owned(), Value::from(value))).collect())
    }

    /// The event that they and a body make together, if they are those of one.
    pub(super) fn around(&self, body: &Value) -> Option<Map<String, Value>> {
        let is_event = self.0.contains_key("specversion") && self.0.contains_key("type");
        is_event.then(|| {
            let mut event = self.0.clone();
            event.insert("data".to_owned(), body.clone());
            event
        })
    }
}

/// Adds what an event tells.
pub(super) fn read(event: &Map<String, Value>, events: &mut Vec<BucketEvent>, depth: usize) -> Result<(), Problem> {
    let kind = text(event, "type").unwrap_or_default();
    let data = data(event)?;
    if let Some(kind) = kind.strip_prefix("google.cloud.storage.object.v1.") {
        return google(kind, event, &data, events);
    }
    if let Some(kind) = kind.strip_prefix(AZURE) {
        return azure(kind, event, &data, text(event, "time"), events);
    }
    super::read(&data, events, depth)
}

/// What an event holds: JSON, JSON in a text, or in base64.
fn data(event: &Map<String, Value>) -> Result<Value, Problem> {
    let no_json = || unknown("the data of the event are not JSON");
    match (event.get("data"), text(event, "data_base64")) {
        (Some(Value::String(text)), _) => serde_json::from_str(text).map_err(|_| no_json()),
        (Some(data), _) => Ok(data.clone()),
        (None, Some(text)) => {
            let bytes = STANDARD.decode(text).map_err(|_| no_json())?;
            serde_json::from_slice(&bytes).map_err(|_| no_json())
        }
        (None, None) => Err(unknown("the event has no data")),
    }
}

fn google(kind: &str, event: &Map<String, Value>, data: &Value, events: &mut Vec<BucketEvent>) -> Result<(), Problem> {
    let change = match kind {
        "finalized" => Change::Written,
        "deleted" | "archived" => Change::Removed,
        _ => return Ok(()),
    };
    let (Some(bucket), Some(key)) = (data["bucket"].as_str(), data["name"].as_str()) else {
        return Err(unknown("the event does not name its bucket and object"));
    };
    events.push(BucketEvent {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        change,
        time: text(event, "time").and_then(moment),
        sequencer: data["generation"].as_str().map(str::to_owned),
        etag: data["etag"].as_str().map(str::to_owned),
    });
    Ok(())
}

/// Adds what an event tells that Event Grid writes in its own form.
pub(super) fn event_grid(kind: &str, event: &Map<String, Value>, events: &mut Vec<BucketEvent>) -> Result<(), Problem> {
    let data = event.get("data").cloned().unwrap_or_default();
    azure(kind, event, &data, text(event, "eventTime"), events)
}

fn azure(
    kind: &str,
    event: &Map<String, Value>,
    data: &Value,
    time: Option<&str>,
    events: &mut Vec<BucketEvent>,
) -> Result<(), Problem> {
    let change = match kind {
        "BlobCreated" => Change::Written,
        "BlobDeleted" => Change::Removed,
        _ => return Ok(()),
    };
    let subject = text(event, "subject").unwrap_or_default();
    let place = subject.split_once("/containers/").and_then(|(_, rest)| rest.split_once("/blobs/"));
    let Some((container, blob)) = place else {
        return Err(unknown("the subject of the event names no blob in a container"));
    };
    events.push(BucketEvent {
        bucket: container.to_owned(),
        key: blob.to_owned(),
        change,
        time: time.and_then(moment),
        sequencer: data["sequencer"].as_str().map(str::to_owned),
        etag: data["eTag"].as_str().map(str::to_owned),
    });
    Ok(())
}
