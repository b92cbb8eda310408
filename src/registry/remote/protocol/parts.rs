//! What is larger than a message should be, in parts.

use prost::Message;

use super::{
    PART,
    convert::{Unknown, written},
    messages::{HighestVersion, Note, SnapshotPart, UpdateHead, UpdatePart, Version, VersionsPart},
};
use crate::registry::objects::{Snapshot, VersionRow, Write};

/// Parts that are filled one after another.
struct Filling<P> {
    parts: Vec<P>,
    /// Bytes in the last of them.
    bytes: usize,
}

impl<P: Default> Filling<P> {
    fn beginning_with(part: P) -> Self {
        Self { parts: vec![part], bytes: 0 }
    }

    /// Puts something of this size into the last part, or into a new one.
    fn put(&mut self, bytes: usize, into: impl FnOnce(&mut P)) {
        if self.bytes > 0 && self.bytes + bytes > PART {
            self.parts.push(P::default());
            self.bytes = 0;
        }
        self.bytes += bytes;
        if let Some(last) = self.parts.last_mut() {
            into(last);
        }
    }
}

/// What a registry holds, in parts; there is always one, with the revision.
pub fn snapshot_parts(snapshot: &Snapshot, revision: String) -> Vec<SnapshotPart> {
    let mut filling = Filling::beginning_with(SnapshotPart { revision, ..SnapshotPart::default() });
    for row in &snapshot.rows {
        filling.put(row.proto.len() + row.name.len(), |part| part.rows.push(row.into()));
    }
    if let Some(infra) = &snapshot.infra {
        filling.put(infra.len(), |part| part.infra = Some(infra.clone()));
    }
    for (view, number) in &snapshot.versions {
        let highest = HighestVersion { view: view.clone(), number: *number };
        filling.put(highest.encoded_len(), |part| part.versions.push(highest));
    }
    for (key, value) in &snapshot.metadata {
        let note = Note { key: key.clone(), value: value.clone(), updated: 0 };
        filling.put(note.encoded_len(), |part| part.notes.push(note));
    }
    filling.parts
}

/// The parts of a snapshot, put together as they come.
#[derive(Debug, Default)]
pub struct Gathered {
    /// What is in them.
    pub snapshot: Snapshot,
    /// What the whole is recognised by.
    pub revision: String,
}

impl Gathered {
    /// Takes the next part.
    ///
    /// # Errors
    /// When there is something in it that is not known here.
    pub fn take(&mut self, part: SnapshotPart) -> Result<(), Unknown> {
        if !part.revision.is_empty() {
            self.revision = part.revision;
        }
        for row in part.rows {
            self.snapshot.rows.push(row.try_into()?);
        }
        if part.infra.is_some() {
            self.snapshot.infra = part.infra;
        }
        self.snapshot.versions.extend(part.versions.into_iter().map(|highest| (highest.view, highest.number)));
        self.snapshot.metadata.extend(part.notes.into_iter().map(|note| (note.key, note.value)));
        Ok(())
    }
}

/// The history of views in parts.
pub fn version_parts(versions: &[VersionRow]) -> Vec<VersionsPart> {
    let mut filling = Filling::beginning_with(VersionsPart::default());
    for version in versions {
        filling.put(version.proto.len() + version.view.len(), |part| part.versions.push(Version::from(version)));
    }
    filling.parts
}

/// A change in parts.
pub fn update_parts(head: UpdateHead, writes: &[Write]) -> Vec<UpdatePart> {
    let mut filling = Filling::beginning_with(UpdatePart { head: Some(head), ..UpdatePart::default() });
    for write in writes.iter().map(written) {
        filling.put(write.encoded_len(), |part| part.writes.push(write));
    }
    if let Some(last) = filling.parts.last_mut() {
        last.is_last = true;
    }
    filling.parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::ObjectKind,
        registry::{objects::Row, remote::protocol::read_write},
    };

    fn row(name: &str, size: usize) -> Row {
        Row { kind: ObjectKind::OnDemandFeatureView, name: name.to_owned(), updated: 7, proto: vec![1; size] }
    }

    #[test]
    fn snapshots_come_in_parts_that_are_the_whole() {
        let rows = vec![row("a", PART / 2), row("b", PART / 3), row("c", PART / 2), row("d", 3 * PART), row("e", 1)];
        let snapshot = Snapshot {
            rows,
            infra: Some(vec![]),
            versions: [("a".to_owned(), 3)].into(),
            metadata: [("k".to_owned(), "v".to_owned())].into(),
            mark: None,
        };
        let parts = snapshot_parts(&snapshot, "r".to_owned());
        assert_eq!(parts.iter().map(|part| part.rows.len()).collect::<Vec<_>>(), [2, 1, 1, 1]);
        let mut gathered = Gathered::default();
        for part in parts {
            gathered.take(part).unwrap();
        }
        assert_eq!((gathered.snapshot, gathered.revision.as_str()), (snapshot, "r"));
        assert_eq!(snapshot_parts(&Snapshot::default(), "r".to_owned()).len(), 1);
    }

    #[test]
    fn writes_are_read_as_they_were_sent() {
        let version = VersionRow {
            view: "v".to_owned(),
            view_type: "feature_view".to_owned(),
            number: 2,
            proto: vec![1, 2],
            created: 3,
            id: "i".to_owned(),
        };
        let writes = vec![
            Write::DeleteProject,
            Write::Put(row("a", PART)),
            Write::Delete { kind: ObjectKind::Entity, name: "e".to_owned() },
            Write::AddVersion(version),
            Write::PutInfra { proto: vec![], updated: 1 },
            Write::PutMetadata { key: "k".into(), value: "v".to_owned(), updated: 2 },
            Write::DeleteMetadata { key: "k".to_owned() },
        ];
        let parts = update_parts(UpdateHead::default(), &writes);
        assert_eq!(parts.iter().map(|part| part.is_last).collect::<Vec<_>>(), [false, false, true]);
        let read = parts.into_iter().flat_map(|part| part.writes).map(read_write);
        assert_eq!(read.collect::<Result<Vec<_>, _>>().unwrap(), writes);
        assert_eq!(read_write(super::super::Write::default()), Err(Unknown::Write));
    }
}
