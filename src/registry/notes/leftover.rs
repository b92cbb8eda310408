//! Online values that no view has any more, until they are removed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::note;
use crate::{model::Timestamp, registry::objects::Write};

const PREFIX: &str = "feastr.cleanup.";

/// How many bytes of features' names go into one note: MySQL has 64 KB for it.
const NOTE_BYTES: usize = 32 << 10;

/// Values in the online store that are to be removed; also the form of a note.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Leftover {
    /// The view that they were values of.
    pub view: String,
    /// The features; empty for all of them.
    pub features: Vec<String>,
    /// The join keys that they are stored under.
    pub join_keys: Vec<String>,
    /// Whether these are all values that the view had under the join keys, and not some features'.
    pub whole: bool,
}

impl Leftover {
    /// The key of the note. Different remains of one view have different ones.
    fn key(&self) -> String {
        let mut digest = Sha256::new();
        for part in [&self.view].into_iter().chain(&self.join_keys).chain(&self.features) {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        digest.update(self.join_keys.len().to_le_bytes());
        digest.update([u8::from(self.whole)]);
        note::key(PREFIX, digest.finalize())
    }

    /// The same values in pieces that fit into notes. Removing the first one removes what is no
    /// feature's, if the whole view goes.
    fn pieces(&self) -> Vec<Self> {
        let piece =
            |whole| Self { view: self.view.clone(), features: Vec::new(), join_keys: self.join_keys.clone(), whole };
        let (mut pieces, mut last, mut bytes) = (Vec::new(), piece(self.whole), 0);
        for feature in &self.features {
            // With quotes and a comma.
            bytes += feature.len() + 3;
            if bytes > NOTE_BYTES {
                pieces.push(std::mem::replace(&mut last, piece(false)));
                bytes = feature.len() + 3;
            }
            last.features.push(feature.clone());
        }
        pieces.push(last);
        pieces
    }
}

/// Whether values are found under the same join keys; the order of the names does not matter.
pub fn same_keys(one: &[String], other: &[String]) -> bool {
    one.iter().collect::<BTreeSet<_>>() == other.iter().collect()
}

/// Notes that values are to be removed, in as many notes as their features take.
pub fn put_leftover(leftover: &Leftover, now: Timestamp) -> Vec<Write> {
    leftover.pieces().into_iter().map(|piece| note::put(piece.key(), &piece, now)).collect()
}

/// What is left of the values `before` where there are those of `after` now.
pub fn left_of(before: Vec<Leftover>, after: &[Leftover]) -> Vec<Leftover> {
    let left = |leftover: Leftover| {
        let stays =
            after.iter().find(|after| after.view == leftover.view && same_keys(&after.join_keys, &leftover.join_keys));
        let Some(stays) = stays else { return Some(leftover) };
        let Leftover { view, mut features, join_keys, .. } = leftover;
        features.retain(|feature| !stays.features.contains(feature));
        (!features.is_empty()).then_some(Leftover { view, features, join_keys, whole: false })
    };
    before.into_iter().filter_map(left).collect()
}

/// Whether a note is about values to be removed.
pub(crate) fn is_leftover(key: &str) -> bool {
    key.starts_with(PREFIX)
}

/// The values that a note with this key and value is about, if it is about some.
pub(crate) fn leftover_of(key: &str, value: &str) -> Option<Leftover> {
    is_leftover(key).then(|| serde_json::from_str(value).ok()).flatten()
}

/// Removes the note, once the values are gone.
pub fn forget_leftover(leftover: &Leftover) -> Write {
    Write::DeleteMetadata { key: leftover.key() }
}

/// The values that are noted, by view, a piece for each note.
pub fn leftovers(metadata: &BTreeMap<String, String>) -> Vec<Leftover> {
    let mut leftovers: Vec<Leftover> = note::read(metadata, PREFIX);
    leftovers.sort();
    leftovers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leftover(features: &[&str], whole: bool) -> Leftover {
        Leftover {
            view: "a name longer than the column: ".repeat(5),
            features: features.iter().map(|&feature| feature.to_owned()).collect(),
            join_keys: vec!["driver_id".to_owned()],
            whole,
        }
    }

    #[test]
    fn notes_read_back_and_fit_the_column() {
        let all = [leftover(&["a"], false), leftover(&["a", "b"], true), leftover(&["b"], false)];
        let mut metadata = BTreeMap::from([("feastr.cleanup.damaged".to_owned(), "{".to_owned())]);
        for leftover in &all {
            let mut notes = put_leftover(leftover, Timestamp::from_micros(7_000_000));
            let (Some(Write::PutMetadata { key, value, updated }), []) = (notes.pop(), notes.as_slice()) else {
                panic!("not one note")
            };
            assert_eq!((key.len(), updated), (47, 7));
            assert_eq!(forget_leftover(leftover), Write::DeleteMetadata { key: key.to_string() });
            metadata.insert(key.into_owned(), value);
        }
        assert_eq!(leftovers(&metadata), all);
    }

    #[test]
    fn many_features_take_several_notes() {
        let names: Vec<String> = (0..2_000).map(|number| format!("feature_{number:0>60}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for whole in [true, false] {
            let all = leftover(&names, whole);
            let mut metadata = BTreeMap::new();
            for note in put_leftover(&all, Timestamp::from_micros(0)) {
                let Write::PutMetadata { key, value, .. } = note else { panic!("no note") };
                assert!(value.len() < 40_000, "{}", value.len());
                metadata.insert(key.into_owned(), value);
            }
            let noted = leftovers(&metadata);
            assert!(noted.len() == metadata.len() && noted.len() > 3, "{}", noted.len());
            let mut features: Vec<&str> =
                noted.iter().flat_map(|piece| piece.features.iter().map(String::as_str)).collect();
            features.sort_unstable();
            assert_eq!(features, names);
            // What is not a feature's is removed once.
            assert_eq!(noted.iter().filter(|piece| piece.whole).count(), usize::from(whole));
            for piece in &noted {
                let Write::DeleteMetadata { key } = forget_leftover(piece) else { panic!("not forgotten") };
                metadata.remove(&key).unwrap();
            }
            assert!(metadata.is_empty());
        }
    }
}
