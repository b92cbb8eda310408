//! Which version of a view a change makes the active one, and what goes into the history of its versions.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{ApplyError, RowWriter};
use crate::{
    feast::registry::{RowVersion, is_same_version},
    model::{Object, ObjectId, Repo, ViewVersion},
    problem::Problem,
    registry::{Objects, Row, VersionRow, Write, object},
};

/// Rows of stored versions that views are pinned to, by name of the view.
pub(crate) type PinnedVersions = BTreeMap<String, Vec<u8>>;

/// The stored versions that a repo pins views to.
///
/// # Errors
/// When the registry cannot be read.
pub(crate) fn pinned_versions(repo: &Repo, registry: &dyn Objects) -> Result<PinnedVersions, Problem> {
    let pins: BTreeMap<&String, i32> = repo
        .objects()
        .iter()
        .filter_map(|(id, object)| match pin(object) {
            ViewVersion::Pinned(number) => Some((&id.name, number)),
            ViewVersion::Latest => None,
        })
        .collect();
    if pins.is_empty() {
        return Ok(PinnedVersions::new());
    }
    let stored = registry.versions(repo.project())?.into_iter();
    let pinned = stored.filter(|version| pins.get(&version.view) == Some(&version.number));
    Ok(pinned.map(|version| (version.view, version.proto)).collect())
}

/// Which version a change makes the active one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activation {
    /// The one that is.
    Same,
    /// One of the history.
    Stored(i32),
    /// A new one.
    New(i32),
}

impl From<Activation> for RowVersion {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Same => Self::Same,
            Activation::Stored(number) | Activation::New(number) => Self::Number(number),
        }
    }
}

impl RowWriter<'_> {
    pub(super) fn put_view(&mut self, object: &Object, before: Option<&Object>) -> Result<(), ApplyError> {
        let id = object.id();
        let activation = self.activation(object, before)?;
        let proto = self.push(object, RowVersion::from(activation))?;
        if let Activation::New(number) = activation {
            if number > 0
                && self.last_version(&id.name).is_none()
                && let Some(first) = self.snapshot.proto(id.kind, &id.name)
            {
                // The history starts with what was there before, as in Feast.
                self.add_version(&id, 0, first.to_vec());
            }
            self.add_version(&id, number, proto);
        }
        Ok(())
    }

    fn activation(&self, view: &Object, before: Option<&Object>) -> Result<Activation, ApplyError> {
        let id = view.id();
        if before.is_some_and(|before| is_same_version(before, view) && is_pinned_alike(before, view)) {
            return Ok(Activation::Same);
        }
        let last = self.last_version(&id.name);
        let ViewVersion::Pinned(number) = pin(view) else {
            // Feast leaves the history behind when it deletes a project.
            let next = if before.is_some() { last.unwrap_or(0) + 1 } else { last.map_or(0, |last| last + 1) };
            return Ok(Activation::New(next));
        };
        let Some(proto) = self.pinned.get(&id.name).filter(|_| last.is_some()) else {
            return Ok(Activation::New(number));
        };
        let row = Row { kind: id.kind, name: id.name.clone(), updated: 0, proto: proto.clone() };
        match object(&row) {
            Ok(stored) if is_same_version(&stored, view) => Ok(Activation::Stored(number)),
            _ => Err(ApplyError::PinConflict { id, number }),
        }
    }

    /// The highest number in the history that a view of this name has after the deletes.
    fn last_version(&self, view: &str) -> Option<i32> {
        if self.deleted_views.contains(view) { None } else { self.snapshot.versions.get(view).copied() }
    }

    fn add_version(&mut self, view: &ObjectId, number: i32, proto: Vec<u8>) {
        self.writes.push(Write::AddVersion(VersionRow {
            view: view.name.clone(),
            view_type: view.kind.view_type(),
            number,
            proto,
            created: self.now.seconds(),
            id: Uuid::new_v4().to_string(),
        }));
    }
}

/// Whether the number of the active version stays: it is not pinned, or pinned as it was.
fn is_pinned_alike(before: &Object, after: &Object) -> bool {
    pin(after) == ViewVersion::Latest || pin(after) == pin(before)
}

fn pin(view: &Object) -> ViewVersion {
    match view {
        Object::FeatureView(view) => view.version,
        Object::StreamFeatureView(view) => view.version,
        Object::OnDemandFeatureView(view) => view.version,
        _ => ViewVersion::Latest,
    }
}
