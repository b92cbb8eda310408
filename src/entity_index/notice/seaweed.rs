//! Events of SeaweedFS, which tell of paths of its filer.

use serde_json::{Map, Value};

use super::text;
use crate::{
    entity_index::event::{BucketEvent, Change},
    model::Timestamp,
    problem::Problem,
};

/// Where the filer has buckets.
const BUCKETS: &str = "/buckets/";

/// Adds the events of a message; those of folders do not matter.
pub(super) fn read(fields: &Map<String, Value>, events: &mut Vec<BucketEvent>) -> Result<(), Problem> {
    let (Some(kind), Some(path)) = (text(fields, "event_type"), text(fields, "key")) else {
        return Err(super::unknown("it names no event or no path"));
    };
    let message = fields.get("message").and_then(Value::as_object);
    let entry = |names: [&str; 2]| names.iter().find_map(|name| message?.get(*name)?.as_object());
    let (old, new) = (entry(["old_entry", "oldEntry"]), entry(["new_entry", "newEntry"]));
    if new.or(old).is_some_and(is_folder) {
        return Ok(());
    }
    let written = |path: &str| event(path, Change::Written, new.and_then(modified));
    match kind {
        "create" | "update" => events.extend(written(path)),
        "delete" => events.extend(event(path, Change::Removed, None)),
        "rename" => {
            events.extend(event(path, Change::Removed, None));
            let parent = ["new_parent_path", "newParentPath"].iter().find_map(|name| text(message?, name));
            if let (Some(parent), Some(name)) = (parent, new.and_then(|new| text(new, "name"))) {
                events.extend(written(&format!("{parent}/{name}")));
            }
        }
        _ => {}
    }
    Ok(())
}

/// The event of an object; `None` for what is in no bucket.
fn event(path: &str, change: Change, time: Option<Timestamp>) -> Option<BucketEvent> {
    let (bucket, key) = path.strip_prefix(BUCKETS)?.split_once('/')?;
    Some(BucketEvent { bucket: bucket.to_owned(), key: key.to_owned(), change, time, sequencer: None, etag: None })
}

fn is_folder(entry: &Map<String, Value>) -> bool {
    ["is_directory", "isDirectory"].iter().any(|name| entry.get(*name) == Some(&Value::Bool(true)))
}

/// When an entry was written: whole seconds, and what is beyond them.
fn modified(entry: &Map<String, Value>) -> Option<Timestamp> {
    let attributes = entry.get("attributes")?.as_object()?;
    let number = |names: [&str; 2]| {
        let value = names.iter().find_map(|name| attributes.get(*name))?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    };
    let nanos = number(["mtime_ns", "mtimeNs"]).unwrap_or(0);
    Some(Timestamp::from_micros(number(["mtime", "mtime"])?.checked_mul(1_000_000)?.checked_add(nanos / 1_000)?))
}
