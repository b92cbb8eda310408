//! What all notes have in common: a key of at most 50 characters, for which Feast's table has room.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    model::Timestamp,
    registry::{digest::short_hex, objects::Write},
};

/// The key of a note about something: a digest of its name, because names may be longer than keys.
pub(crate) fn key(prefix: &str, digest: impl Into<[u8; 32]>) -> String {
    format!("{prefix}{}", short_hex(&digest.into()))
}

/// Notes something at `now`. What is noted always has a JSON form.
pub(crate) fn put(key: String, value: &impl Serialize, now: Timestamp) -> Write {
    Write::PutMetadata {
        key: key.into(),
        value: serde_json::to_string(value).unwrap_or_default(),
        updated: now.seconds(),
    }
}

/// What is noted under keys that begin so, by key. Notes that feastr cannot read count as none.
pub(crate) fn read<T: DeserializeOwned>(metadata: &BTreeMap<String, String>, prefix: &str) -> Vec<T> {
    let notes = metadata.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
    notes.filter_map(|(_, value)| serde_json::from_str(value).ok()).collect()
}
