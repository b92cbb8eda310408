use std::time::Duration;

use super::messages as wire;
use crate::{
    model::{ObjectId, ObjectKind, Timestamp},
    registry::{
        change_log::WantedChanges,
        locks::Holder,
        objects::{Row, VersionRow, Write},
    },
};

/// What the other end says and this one does not know, as one that is newer does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// A kind of objects.
    #[error("it tells of a kind of objects that this feastr does not know: `{0}`")]
    Kind(String),
    /// Something to write.
    #[error("it wants something written that this feastr does not know")]
    Write,
}

fn kind(word: &str) -> Result<ObjectKind, Unknown> {
    ObjectKind::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| Unknown::Kind(word.to_owned()))
}

fn name(kind: ObjectKind, name: &str) -> wire::Name {
    wire::Name { kind: kind.as_str().to_owned(), name: name.to_owned() }
}

/// Objects by their names.
pub fn names_of(ids: &[ObjectId]) -> wire::Names {
    wire::Names { names: ids.iter().map(|id| name(id.kind, &id.name)).collect() }
}

/// The object that a name is of.
///
/// # Errors
/// When it is of a kind that is not known.
pub fn read_name(name: wire::Name) -> Result<ObjectId, Unknown> {
    Ok(ObjectId::new(kind(&name.kind)?, name.name))
}

impl From<&Row> for wire::Row {
    fn from(row: &Row) -> Self {
        let Row { kind, name, updated, proto } = row;
        Self { kind: kind.as_str().to_owned(), name: name.clone(), updated: *updated, proto: proto.clone() }
    }
}

impl TryFrom<wire::Row> for Row {
    type Error = Unknown;

    fn try_from(row: wire::Row) -> Result<Self, Unknown> {
        let wire::Row { kind: word, name, updated, proto } = row;
        Ok(Self { kind: kind(&word)?, name, updated, proto })
    }
}

impl From<&VersionRow> for wire::Version {
    fn from(version: &VersionRow) -> Self {
        let VersionRow { view, view_type, number, proto, created, id } = version.clone();
        Self { view, view_type, number, proto, created, id }
    }
}

/// A version of a view.
pub fn version_row(version: wire::Version) -> VersionRow {
    let wire::Version { view, view_type, number, proto, created, id } = version;
    VersionRow { view, view_type, number, proto, created, id }
}

/// The changes that are wanted, for the wire.
pub fn changes_request(project: &str, wanted: &WantedChanges) -> wire::ChangesRequest {
    wire::ChangesRequest {
        project: project.to_owned(),
        limit: u64::try_from(wanted.limit).unwrap_or(u64::MAX),
        name: wanted.name.clone(),
        kind: wanted.kind.map(|kind| kind.as_str().to_owned()),
        since_micros: wanted.since.map(Timestamp::micros),
    }
}

/// The changes that are wanted, from the wire.
///
/// # Errors
/// When they are of a kind of objects that is not known.
pub fn wanted_changes(request: wire::ChangesRequest) -> Result<WantedChanges, Unknown> {
    Ok(WantedChanges {
        limit: usize::try_from(request.limit).unwrap_or(usize::MAX),
        name: request.name,
        kind: request.kind.as_deref().map(kind).transpose()?,
        since: request.since_micros.map(Timestamp::from_micros),
    })
}

/// What is to be written, for the wire.
pub fn written(write: &Write) -> wire::Write {
    let mut message = wire::Write::default();
    match write {
        Write::Put(row) => message.put = Some(row.into()),
        Write::Delete { kind, name: object } => message.delete = Some(name(*kind, object)),
        Write::AddVersion(version) => message.version = Some(version.into()),
        Write::PutInfra { proto, updated } => {
            message.infra = Some(wire::Infra { proto: proto.clone(), updated: *updated });
        }
        Write::PutMetadata { key, value, updated } => {
            message.note = Some(wire::Note { key: key.to_string(), value: value.clone(), updated: *updated });
        }
        Write::DeleteMetadata { key } => message.forget_note = Some(key.clone()),
        Write::DeleteProject => message.delete_project = Some(wire::Nothing {}),
        // All of it has a JSON form.
        Write::Record(record) => message.record = Some(serde_json::to_vec(record).unwrap_or_default()),
    }
    message
}

/// What is to be written, from the wire.
///
/// # Errors
/// When a newer end wants something written that is not known here: leaving it out would be half of a change.
pub fn read_write(write: wire::Write) -> Result<Write, Unknown> {
    let wire::Write { put, delete, version, infra, note, forget_note, delete_project, record } = write;
    if let Some(row) = put {
        return row.try_into().map(Write::Put);
    }
    if let Some(name) = delete {
        return Ok(Write::Delete { kind: kind(&name.kind)?, name: name.name });
    }
    if let Some(record) = record {
        return serde_json::from_slice(&record).map(Write::Record).map_err(|_| Unknown::Write);
    }
    let note = note.map(|wire::Note { key, value, updated }| Write::PutMetadata { key: key.into(), value, updated });
    let infra = infra.map(|wire::Infra { proto, updated }| Write::PutInfra { proto, updated });
    let others = version.map(|version| Write::AddVersion(version_row(version))).or(infra).or(note);
    let removals = forget_note.map(|key| Write::DeleteMetadata { key });
    others.or(removals).or(delete_project.map(|_| Write::DeleteProject)).ok_or(Unknown::Write)
}

impl From<Holder> for wire::Holder {
    fn from(holder: Holder) -> Self {
        let micros = |since: Duration| u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
        Self { who: holder.who, since_micros: holder.since.map(micros) }
    }
}

impl From<wire::Holder> for Holder {
    fn from(holder: wire::Holder) -> Self {
        Self { who: holder.who, since: holder.since_micros.map(Duration::from_micros) }
    }
}
