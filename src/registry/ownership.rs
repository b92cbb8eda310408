//! Which repo applied an object, in notes about the project that Feast never reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::objects::Write;
use crate::model::{ObjectId, ObjectKind, Timestamp};

const PREFIX: &str = "feastr.owner.";

/// The value of a note.
#[derive(Serialize, Deserialize)]
struct Note {
    repo: String,
    kind: ObjectKind,
    name: String,
}

/// The key of an object's note: a digest, because names may be longer than the 50 characters that
/// Feast's table has for keys.
fn key(id: &ObjectId) -> String {
    let digest = Sha256::digest(format!("{}/{}", id.kind.slug(), id.name));
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{PREFIX}{hex}")
}

/// Notes that `repo` has applied an object at `now`.
pub fn put_owner(repo: &str, id: &ObjectId, now: Timestamp) -> Write {
    let note = Note { repo: repo.to_owned(), kind: id.kind, name: id.name.clone() };
    // Three texts always have a JSON form.
    let value = serde_json::to_string(&note).unwrap_or_default();
    Write::PutMetadata { key: key(id).into(), value, updated: now.seconds() }
}

/// Removes the note about an object.
pub fn forget_owner(id: &ObjectId) -> Write {
    Write::DeleteMetadata { key: key(id) }
}

/// The repos by the objects they applied. Notes that feastr cannot read count as none.
pub fn owners(metadata: &BTreeMap<String, String>) -> BTreeMap<ObjectId, String> {
    let notes = metadata.range(PREFIX.to_owned()..).take_while(|(key, _)| key.starts_with(PREFIX));
    let notes = notes.filter_map(|(_, value)| serde_json::from_str::<Note>(value).ok());
    notes.map(|note| (ObjectId::new(note.kind, note.name), note.repo)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_read_back_and_fit_the_column() {
        let id = ObjectId::new(ObjectKind::OnDemandFeatureView, "a name longer than the column: ".repeat(5));
        let Write::PutMetadata { key, value, updated } = put_owner("team-a", &id, Timestamp::from_micros(7_000_000))
        else {
            panic!("no note")
        };
        assert_eq!((key.len(), updated), (45, 7));
        assert_eq!(forget_owner(&id), Write::DeleteMetadata { key: key.to_string() });
        let metadata = [
            (key.to_string(), value),
            ("feastr.owner.damaged".to_owned(), "{".to_owned()),
            ("project_uuid".to_owned(), "x".to_owned()),
        ];
        assert_eq!(owners(&metadata.into()), BTreeMap::from([(id, "team-a".to_owned())]));
    }
}
