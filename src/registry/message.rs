//! The registry in one message of Feast's, wherever its bytes are kept: from bytes to what is asked of it, and changed.

use super::{
    notes,
    objects::{Row, Snapshot, VersionRow, Write},
};
use crate::{
    feast::registry::file::{FileObject, FileVersion, RegistryFile, RegistryFileError},
    model::{ObjectId, ObjectKind, ViewId},
    problem::{Kind, Problem},
};

/// The message in the bytes of the registry at `location`; without bytes an empty one. `of_database` says what to do
/// where they are those of a database.
///
/// # Errors
/// When they are not a registry.
pub(super) fn parse(
    bytes: Option<&[u8]>,
    location: &str,
    of_database: impl FnOnce() -> String,
) -> Result<RegistryFile, Problem> {
    let Some(bytes) = bytes else { return Ok(RegistryFile::default()) };
    RegistryFile::parse(bytes).map_err(|error| {
        let (kind, help) = match &error {
            RegistryFileError::Empty => (
                Kind::Internal,
                "a write was cut off: restore it from a backup, or remove it to start a new one".to_owned(),
            ),
            RegistryFileError::Sqlite => (Kind::Unavailable, of_database()),
            RegistryFileError::Damaged => {
                (Kind::Internal, "check the path in feature_store.yaml, or restore it from a backup".to_owned())
            }
            RegistryFileError::Newer(_) => (Kind::Unsupported, "use a newer feastr".to_owned()),
        };
        Problem::new(kind, format!("the registry {location} cannot be used: {error}"), help)
    })
}

/// The names of a project's objects of some kinds, sorted.
pub(super) fn names(file: &RegistryFile, project: &str, kinds: &[ObjectKind]) -> Vec<ObjectId> {
    let wanted = file.objects(project).filter(|object| kinds.contains(&object.kind));
    let mut names: Vec<ObjectId> = wanted.map(|object| ObjectId::new(object.kind, &object.name)).collect();
    names.sort();
    names
}

/// The names of all projects, sorted.
pub(super) fn projects(file: &RegistryFile) -> Vec<String> {
    let mut projects: Vec<String> = file.projects().map(str::to_owned).collect();
    projects.sort();
    projects
}

/// The history of a project's views, by view and number.
pub(super) fn versions(file: &RegistryFile, project: &str) -> Vec<VersionRow> {
    let rows = file.history(project).map(|FileVersion { view, view_type, number, proto, created, id }| VersionRow {
        view,
        view_type,
        number,
        proto,
        created,
        id,
    });
    let mut versions: Vec<VersionRow> = rows.collect();
    versions.sort_by(|a, b| (&a.view, a.number).cmp(&(&b.view, b.number)));
    versions
}

/// What the message has of a project.
pub(super) fn snapshot(file: &RegistryFile, project: &str) -> Snapshot {
    let mut rows: Vec<Row> = file.objects(project).map(row).collect();
    rows.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    Snapshot {
        rows,
        infra: file.infra(project),
        versions: file.versions(project),
        metadata: file.notes(project),
        mark: None,
    }
}

/// What the file has of one view.
pub(super) fn view(file: &RegistryFile, view: ViewId<'_>) -> Snapshot {
    let rows = file
        .objects(view.project)
        .filter(|object| object.kind.is_view() && object.name == view.name)
        .map(row)
        .collect();
    let mut metadata = file.notes(view.project);
    let wanted = notes::of_view(view.name);
    metadata.retain(|key, _| wanted.contains(key));
    Snapshot { rows, metadata, ..Snapshot::default() }
}

/// The file has no column for the last update; nothing but that column is made from it.
fn row(object: &FileObject) -> Row {
    Row { kind: object.kind, name: object.name.clone(), updated: 0, proto: object.message() }
}

/// Changes the message.
pub(super) fn carry_out(file: &mut RegistryFile, project: &str, write: Write) {
    match write {
        Write::Put(row) => {
            file.touch(row.updated);
            file.put(project, row.kind, &row.name, &row.proto);
        }
        Write::Delete { kind, name } => file.delete(project, kind, &name),
        Write::AddVersion(VersionRow { view, view_type, number, proto, created, id }) => {
            file.add_version(project, FileVersion { view, view_type, number, proto, created, id });
        }
        Write::PutInfra { proto, updated } => {
            file.touch(updated);
            file.put_infra(project, &proto);
        }
        Write::PutMetadata { key, value, updated } => {
            file.touch(updated);
            file.put_note(project, &key, &value);
        }
        Write::DeleteMetadata { key } => file.remove_note(project, &key),
        Write::DeleteProject => file.delete_project(project),
        // The message has no place for it.
        Write::Record(_) => {}
    }
}
