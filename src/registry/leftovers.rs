//! Online values that no view has any more: notes about the project, until the values are removed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{locking::short_hex, store::Write};
use crate::model::Timestamp;

const PREFIX: &str = "feastr.cleanup.";

/// Values in the online store that are to be removed; also the form of a note.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Leftover {
    pub view: String,
    pub features: Vec<String>,
    pub join_keys: Vec<String>,
    /// Whether these are all values that the view had under the join keys, and not some features'.
    pub whole: bool,
}

impl Leftover {
    /// The key of the note: a digest, because Feast's table has 50 characters for keys. Different
    /// remains of one view have different ones.
    fn key(&self) -> String {
        let mut digest = Sha256::new();
        for part in [&self.view].into_iter().chain(&self.join_keys).chain(&self.features) {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        digest.update(self.join_keys.len().to_le_bytes());
        digest.update([u8::from(self.whole)]);
        format!("{PREFIX}{}", short_hex(&digest.finalize().into()))
    }
}

/// Notes that values are to be removed.
pub fn put_leftover(leftover: &Leftover, now: Timestamp) -> Write {
    // Names always have a JSON form.
    let value = serde_json::to_string(leftover).unwrap_or_default();
    Write::PutMetadata { key: leftover.key().into(), value, updated: now.seconds() }
}

/// Removes the note, once the values are gone.
pub fn forget_leftover(leftover: &Leftover) -> Write {
    Write::DeleteMetadata { key: leftover.key() }
}

/// The values that are noted, by view. Notes that feastr cannot read count as none.
pub fn leftovers(metadata: &BTreeMap<String, String>) -> Vec<Leftover> {
    let notes = metadata.range(PREFIX.to_owned()..).take_while(|(key, _)| key.starts_with(PREFIX));
    let mut leftovers: Vec<Leftover> = notes.filter_map(|(_, value)| serde_json::from_str(value).ok()).collect();
    leftovers.sort();
    leftovers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_read_back_and_fit_the_column() {
        let leftover = |features: &[&str], whole| Leftover {
            view: "a name longer than the column: ".repeat(5),
            features: features.iter().map(|&feature| feature.to_owned()).collect(),
            join_keys: vec!["driver_id".to_owned()],
            whole,
        };
        let all = [leftover(&["a"], false), leftover(&["a", "b"], true), leftover(&["b"], false)];
        let mut metadata = BTreeMap::from([("feastr.cleanup.damaged".to_owned(), "{".to_owned())]);
        for leftover in &all {
            let Write::PutMetadata { key, value, updated } = put_leftover(leftover, Timestamp::from_micros(7_000_000))
            else {
                panic!("no note")
            };
            assert_eq!((key.len(), updated), (47, 7));
            assert_eq!(forget_leftover(leftover), Write::DeleteMetadata { key: key.to_string() });
            metadata.insert(key.into_owned(), value);
        }
        assert_eq!(leftovers(&metadata), all);
    }
}
