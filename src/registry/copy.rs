//! Copying a project to another registry: what goes along, and what stays behind under another name.

use std::collections::BTreeMap;

use super::{
    change_log::with_record,
    decision::{Decision, update},
    notes::{Leftover, PROJECT_UUID, is_leftover, is_sharded_run, left_of, put_leftover},
    objects::{Row, Snapshot, VersionRow, Write},
    read_objects::read_objects,
    traits::Registry,
};

use crate::{
    feast::registry::rename_project::rename_project,
    model::{Author, DUMMY_ENTITY, ObjectKind, RegistryState, Timestamp},
    problem::{Advice, Kind, Problem},
};

/// How often a source is read again because somebody changes it at the same time.
const ATTEMPTS: usize = 5;

/// A project to copy.
pub struct CopyFrom<'a> {
    /// Where the project is.
    pub registry: &'a dyn Registry,
    /// Its name there.
    pub project: &'a str,
}

/// Where a project is copied to.
pub struct CopyTo<'a> {
    /// Where it goes.
    pub registry: &'a dyn Registry,
    /// Its name there.
    pub project: &'a str,
    /// Whether what the project holds there is replaced.
    pub replace: bool,
    /// Who copies it, for the log of changes.
    pub author: &'a Author,
    /// The online values of all views of a state.
    pub values: &'a dyn Fn(&RegistryState) -> Vec<Leftover>,
}

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Copied {
    /// Number of objects by kind, without the dummy entity.
    pub objects: BTreeMap<ObjectKind, usize>,
    /// How many versions of views came along.
    pub versions: usize,
    /// Views at the target of whose online values some are left, now noted to be removed.
    pub leftovers: Vec<String>,
}

/// Copies a project between registries at the time `now`, in one transaction of the target: rows
/// byte for byte, with their history. Under another name only the name changes inside them, and what
/// is about online values, which are stored under the name, is left out: the record of their tables,
/// and what was materialized. Online values of replaced objects are noted for removal, as in apply.
/// What Feast's REST server stores beside view rows (`user_metadata`) is not copied.
///
/// # Errors
/// When the source has no such project or holds what cannot be read, when the target has objects in
/// the project and may not be replaced, and when a registry cannot be read or written.
pub fn copy(from: &CopyFrom<'_>, to: &CopyTo<'_>, now: Timestamp) -> Result<Copied, Problem> {
    let (snapshot, versions) = read(from)?;
    if snapshot.rows.is_empty() {
        let projects = from.registry.projects()?;
        let message = format!("the registry {} has no project `{}`", from.registry.location(), from.project);
        let help =
            if projects.is_empty() { "it is empty".to_owned() } else { format!("it has {}", projects.join(", ")) };
        return Err(Problem::new(Kind::NotFound, message, help));
    }
    let rename = |kind: ObjectKind, name: &str, proto: &[u8]| {
        if from.project == to.project {
            return Ok(proto.to_vec());
        }
        rename_project(kind, proto, from.project, to.project).ok_or_else(|| {
            Problem::new(Kind::Internal, format!("the row of {kind} `{name}` is damaged; nothing was copied"), None)
        })
    };
    let mut copied = Copied { versions: versions.len(), ..Copied::default() };
    let mut puts = Vec::with_capacity(snapshot.rows.len() + versions.len());
    for row in &snapshot.rows {
        if row.name != DUMMY_ENTITY {
            *copied.objects.entry(row.kind).or_default() += 1;
        }
        let name = if row.kind == ObjectKind::Project { to.project } else { &row.name };
        let proto = rename(row.kind, &row.name, &row.proto)?;
        puts.push(Write::Put(Row { kind: row.kind, name: name.to_owned(), updated: row.updated, proto }));
    }
    for version in versions {
        let kind = ObjectKind::of_view_type(&version.view_type).unwrap_or(ObjectKind::FeatureView);
        let proto = rename(kind, &version.view, &version.proto)?;
        puts.push(Write::AddVersion(VersionRow { proto, ..version }));
    }
    let values = (to.values)(&read_objects(&snapshot));
    copied.leftovers = update(to.registry, to.project, |target| {
        if !to.replace && target.rows.iter().any(|row| row.kind != ObjectKind::Project && row.name != DUMMY_ENTITY) {
            let message = format!("project `{}` in the registry {} is not empty", to.project, to.registry.location());
            return Err(Problem::new(Kind::Conflict, message, None).advise(Advice::Replace));
        }
        // Also where nothing is replaced: Feast leaves the history of deleted projects behind.
        let mut writes = vec![Write::DeleteProject];
        writes.extend(puts.iter().cloned());
        writes.extend(notes(&snapshot, target, from.project == to.project, now));
        let left = left_of((to.values)(&read_objects(target)), &values);
        writes.extend(left.iter().flat_map(|leftover| put_leftover(leftover, now)));
        let writes = with_record(writes, target, to.author, now);
        Ok(Decision::Write(writes, left.into_iter().map(|leftover| leftover.view).collect()))
    })?;
    Ok(copied)
}

/// Objects and history of one moment.
fn read(from: &CopyFrom<'_>) -> Result<(Snapshot, Vec<VersionRow>), Problem> {
    let mut before = from.registry.snapshot(from.project)?;
    for _ in 0..ATTEMPTS {
        let versions = from.registry.versions(from.project)?;
        let after = from.registry.snapshot(from.project)?;
        if before == after {
            return Ok((before, versions));
        }
        before = after;
    }
    let message = format!("project `{}` in {} changes all the time", from.project, from.registry.location());
    Err(Problem::new(Kind::Conflict, message, "copy it when nobody applies or materializes".to_owned()))
}

/// The record of online tables and the notes. Under another name the copy is a project of its own:
/// it keeps the target's record and identity, and nobody has applied it yet. What the target is still
/// to remove from its online store stays noted in any case.
fn notes(source: &Snapshot, target: &Snapshot, same_project: bool, now: Timestamp) -> Vec<Write> {
    let updated = now.seconds();
    let put = |(key, value): (&String, &String)| Write::PutMetadata {
        key: key.clone().into(),
        value: value.clone(),
        updated,
    };
    // Runs that are open go on where they were begun.
    let (infra, mut notes): (_, Vec<Write>) = if same_project {
        (&source.infra, source.metadata.iter().filter(|(key, _)| !is_sharded_run(key)).map(put).collect())
    } else {
        (&target.infra, target.metadata.get_key_value(PROJECT_UUID).map(put).into_iter().collect())
    };
    notes.extend(target.metadata.iter().filter(|(key, _)| is_leftover(key)).map(put));
    notes.extend(infra.iter().map(|proto| Write::PutInfra { proto: proto.clone(), updated }));
    notes
}

/// Creates the tables (or the file) of a registry that are missing, and changes nothing else.
///
/// # Errors
/// When the registry cannot be written.
pub fn create_schema(registry: &dyn Registry, project: &str) -> Result<(), Problem> {
    registry.update(project, &mut |_| Some(Vec::new()))?;
    registry.create_run_log()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Memory, Objects as _};

    fn with_row(project: &str, proto: &[u8]) -> Memory {
        let registry = Memory::default();
        let row = Row { kind: ObjectKind::Entity, name: "driver".to_owned(), updated: 1, proto: proto.to_vec() };
        registry.update(project, &mut |_| Some(vec![Write::Put(row.clone())])).unwrap();
        registry
    }

    #[test]
    fn problems_have_the_kind_of_their_cause() {
        let kind = |from: &Memory, project: &str, to: &Memory| {
            let to =
                CopyTo { registry: to, project: "p", replace: false, author: Author::NOBODY, values: &|_| Vec::new() };
            copy(&CopyFrom { registry: from, project }, &to, Timestamp::from_micros(0)).unwrap_err().kind
        };
        assert_eq!(kind(&Memory::default(), "q", &Memory::default()), Kind::NotFound);
        assert_eq!(kind(&with_row("q", b"\x0a\xff"), "q", &Memory::default()), Kind::Internal);
        assert_eq!(kind(&with_row("q", b""), "q", &with_row("p", b"")), Kind::Conflict);
    }
}
