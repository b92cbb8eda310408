//! Which repo applied an object.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::note;
use crate::{
    model::{ObjectId, ObjectKind, Timestamp},
    registry::objects::Write,
};

const PREFIX: &str = "feastr.owner.";

/// The value of a note.
#[derive(Serialize, Deserialize)]
struct Note {
    repo: String,
    kind: ObjectKind,
    name: String,
}

/// The key of the note about an object.
pub(crate) fn key(id: &ObjectId) -> String {
    note::key(PREFIX, Sha256::digest(format!("{}/{}", id.kind.slug(), id.name)))
}

/// Notes that `repo` has applied an object at `now`.
pub fn put_owner(repo: &str, id: &ObjectId, now: Timestamp) -> Write {
    note::put(key(id), &Note { repo: repo.to_owned(), kind: id.kind, name: id.name.clone() }, now)
}

/// Removes the note about an object.
pub fn forget_owner(id: &ObjectId) -> Write {
    Write::DeleteMetadata { key: key(id) }
}

/// The repos by the objects they applied.
pub(crate) fn owners(metadata: &BTreeMap<String, String>) -> BTreeMap<ObjectId, String> {
    let notes = note::read(metadata, PREFIX).into_iter();
    notes.map(|Note { repo, kind, name }| (ObjectId::new(kind, name), repo)).collect()
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
