//! Which version of a view a change makes the active one, and what goes into the history of its versions.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{ApplyError, RowWriter};
use crate::{
    feast::registry::{RowVersion, is_same_version},
    model::{Object, ObjectId, Repo, Timestamp, ViewVersion},
    problem::Problem,
    registry::{Objects, Row, VersionRow, Write, object},
};

/// Rows of stored versions that views are pinned to, by name of the view.
pub type PinnedVersions = BTreeMap<String, Vec<u8>>;

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
pub(super) enum Activation {
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

/// What is to become of a view, as far as its version depends on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ViewChange {
    /// Which version is declared.
    pub(super) pin: ViewVersion,
    /// Whether there was no view.
    pub(super) is_new: bool,
    /// Whether the view stays the same version of itself.
    pub(super) is_same: bool,
    /// The highest number in the history, if there is one.
    pub(super) last: Option<i32>,
    /// Whether the version that is declared is in the history, and is this one.
    pub(super) pinned: Option<bool>,
}

impl ViewChange {
    /// The version of a view that becomes the active one.
    ///
    /// # Errors
    /// When another version has the number that is declared.
    pub(super) fn activation_of(self, id: ObjectId) -> Result<Activation, ApplyError> {
        if self.is_same {
            return Ok(Activation::Same);
        }
        let ViewVersion::Pinned(number) = self.pin else {
            // Feast leaves the history behind when it deletes a project.
            let next = if self.is_new { self.last.map_or(0, |last| last + 1) } else { self.last.unwrap_or(0) + 1 };
            return Ok(Activation::New(next));
        };
        match self.pinned.filter(|_| self.last.is_some()) {
            None => Ok(Activation::New(number)),
            Some(true) => Ok(Activation::Stored(number)),
            Some(false) => Err(ApplyError::PinConflict { id, number }),
        }
    }
}

/// What a version adds to the history of a view, whose rows are these before and after.
pub(super) fn history(
    view: &ObjectId,
    activation: Activation,
    last: Option<i32>,
    [before, after]: [Option<&[u8]>; 2],
    now: Timestamp,
) -> Vec<Write> {
    let Activation::New(number) = activation else { return Vec::new() };
    let row = |number: i32, proto: &[u8]| {
        Write::AddVersion(VersionRow {
            view: view.name.clone(),
            view_type: view.kind.view_type(),
            number,
            proto: proto.to_vec(),
            created: now.seconds(),
            id: Uuid::new_v4().to_string(),
        })
    };
    // The history starts with what was there before, as in Feast.
    let first = before.filter(|_| number > 0 && last.is_none()).map(|before| row(0, before));
    first.into_iter().chain(after.map(|after| row(number, after))).collect()
}

impl RowWriter<'_> {
    pub(super) fn put_view(&mut self, object: &Object, before: Option<&Object>) -> Result<(), ApplyError> {
        let id = object.id();
        let activation = self.activation(object, before)?;
        let proto = self.push(object, RowVersion::from(activation))?;
        let before = self.snapshot.proto(id.kind, &id.name);
        self.writes.extend(history(&id, activation, self.last_version(&id.name), [before, Some(&proto)], self.now));
        Ok(())
    }

    fn activation(&self, view: &Object, before: Option<&Object>) -> Result<Activation, ApplyError> {
        let (id, pin) = (view.id(), pin(view));
        let is_stored = |proto: &Vec<u8>| {
            let row = Row { kind: id.kind, name: id.name.clone(), updated: 0, proto: proto.clone() };
            object(&row).is_ok_and(|stored| is_same_version(&stored, view))
        };
        let change = ViewChange {
            pin,
            is_new: before.is_none(),
            is_same: before.is_some_and(|before| is_same_version(before, view) && is_pinned_alike(before, view)),
            last: self.last_version(&id.name),
            pinned: self.pinned.get(&id.name).map(is_stored),
        };
        change.activation_of(id)
    }

    /// The highest number in the history that a view of this name has after the deletes.
    fn last_version(&self, view: &str) -> Option<i32> {
        if self.deleted_views.contains(view) { None } else { self.snapshot.versions.get(view).copied() }
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
