//! Rows of an object that somebody sends as its message, whether definitions can declare it or not.

use super::{
    ApplyError, add_bookkeeping, damaged,
    versions::{Activation, PinnedVersions, ViewChange, history},
};
use crate::{
    feast::registry::{
        self, RowVersion, Sending, SourceRows, is_same_object, is_same_stored_version, sent_version, stored_of_sent,
    },
    model::{Object, ObjectId, ObjectKind, Project, Timestamp, ViewVersion},
    plan::Conflict,
    problem::{Kind, Problem},
    registry::{Objects, Row, Snapshot, Write, forget_owner, forget_sharded_run, forget_stale},
};

/// An object as its message.
#[derive(Debug, Clone, Copy)]
pub struct SentObject<'a> {
    /// Which object it is.
    pub id: &'a ObjectId,
    /// The message of this kind.
    pub proto: &'a [u8],
}

impl SentObject<'_> {
    /// The stored version that the object asks for, if it is a view that asks for one.
    ///
    /// # Errors
    /// When the registry cannot be read, or the object asks for what is no version.
    pub fn pinned(self, registry: &dyn Objects, project: &str) -> Result<PinnedVersions, Problem> {
        let ViewVersion::Pinned(number) = self.version()? else { return Ok(PinnedVersions::new()) };
        let stored = registry.versions(project)?.into_iter();
        let pinned = stored.filter(|version| version.view == self.id.name && version.number == number);
        Ok(pinned.map(|version| (version.view, version.proto)).collect())
    }

    /// What is written where the object is put into a project; nothing if it is there as it was sent.
    ///
    /// # Errors
    /// When a view of another kind has the name, when the object asks for a version that is another one, and when what is stored
    /// or sent cannot be read.
    pub fn writes(
        self,
        project: &str,
        snapshot: &Snapshot,
        pinned: &PinnedVersions,
        now: Timestamp,
    ) -> Result<Vec<Write>, ApplyError> {
        let Self { id, proto } = self;
        self.check_name(snapshot)?;
        let stored = snapshot.proto(id.kind, &id.name);
        if let Some(stored) = stored
            && is_same_object(id.kind, stored, proto).map_err(damaged(id))?
        {
            return Ok(Vec::new());
        }
        let (version, activation) = self.activation(snapshot, stored, pinned)?;
        let sending = Sending { project, now, version };
        let after = stored_of_sent(id.kind, proto, stored, sending).map_err(damaged(id))?;
        let mut writes = Vec::new();
        if id.kind != ObjectKind::Project && snapshot.proto(ObjectKind::Project, project).is_none() {
            writes.push(project_row(project, now)?);
        }
        if let Some(activation) = activation {
            let last = snapshot.versions.get(&id.name).copied();
            writes.extend(history(id, activation, last, [stored, Some(&after)], now));
        }
        let row = Row { kind: id.kind, name: id.name.clone(), updated: now.seconds(), proto: after };
        writes.push(Write::Put(row));
        add_bookkeeping(&mut writes, snapshot, now);
        Ok(writes)
    }

    fn version(self) -> Result<ViewVersion, Problem> {
        sent_version(self.id.kind, self.proto).map_err(|reason| {
            Problem::new(
                Kind::Invalid,
                format!("{}: {reason}", self.id),
                "write `latest`, or a number such as `v2`".to_owned(),
            )
        })
    }

    /// Names of views are unique together.
    fn check_name(self, snapshot: &Snapshot) -> Result<(), ApplyError> {
        let Self { id, .. } = self;
        let is_other = |row: &&Row| row.kind.is_view() && row.kind != id.kind && row.name == id.name;
        match snapshot.rows.iter().find(is_other).filter(|_| id.kind.is_view()) {
            None => Ok(()),
            Some(other) => {
                let reason = "names of views are unique together".to_owned();
                let existing = Some(other.id());
                let conflict = Conflict { declared: id.clone(), existing, reason, owner: None, place: None };
                Err(ApplyError::Conflicts(vec![conflict]))
            }
        }
    }

    /// Which version of a view it becomes, and how; of other objects there are none.
    fn activation(
        self,
        snapshot: &Snapshot,
        stored: Option<&[u8]>,
        pinned: &PinnedVersions,
    ) -> Result<(RowVersion, Option<Activation>), ApplyError> {
        let Self { id, proto } = self;
        if !id.kind.is_view() {
            return Ok((RowVersion::Same, None));
        }
        let pin = self.version()?;
        let is_same = |other: &[u8]| is_same_stored_version(id.kind, other, proto).map_err(damaged(id));
        let is_pinned_alike = |stored: &[u8]| pin == ViewVersion::Latest || sent_version(id.kind, stored) == Ok(pin);
        let change = ViewChange {
            pin,
            is_new: stored.is_none(),
            is_same: stored
                .map(|stored| Ok::<_, ApplyError>(is_same(stored)? && is_pinned_alike(stored)))
                .transpose()?
                == Some(true),
            last: snapshot.versions.get(&id.name).copied(),
            pinned: pinned.get(&id.name).map(|pinned| is_same(pinned)).transpose()?,
        };
        let activation = change.activation_of(id.clone())?;
        Ok((activation.into(), Some(activation)))
    }
}

/// What is written where an object goes: its notes go with it.
pub fn removal(id: &ObjectId, snapshot: &Snapshot, now: Timestamp) -> Vec<Write> {
    let mut writes = vec![Write::Delete { kind: id.kind, name: id.name.clone() }];
    let of_values = || [forget_stale(&id.name), forget_sharded_run(&id.name)];
    let of_values = id.kind.is_view().then(of_values).into_iter().flatten();
    let notes = std::iter::once(forget_owner(id)).chain(of_values);
    let is_there = |note: &Write| matches!(note, Write::DeleteMetadata { key } if snapshot.metadata.contains_key(key));
    writes.extend(notes.filter(is_there));
    add_bookkeeping(&mut writes, snapshot, now);
    writes
}

/// The row of a project that nobody has described yet.
fn project_row(name: &str, now: Timestamp) -> Result<Write, ApplyError> {
    let project = Project::undescribed(name);
    let id = ObjectId::new(ObjectKind::Project, name);
    let sources = SourceRows::default();
    let change =
        registry::Change { sources: &sources, project: name, now, version: RowVersion::Same, forget_values: false };
    let proto = registry::write(&Object::Project(project), None, change)
        .map_err(|error| Problem::new(Kind::Internal, format!("{id} cannot be written: {error}"), None))?;
    Ok(Write::Put(Row { kind: id.kind, name: id.name, updated: now.seconds(), proto }))
}
