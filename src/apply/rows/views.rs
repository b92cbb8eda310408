//! Rows of views, and their version histories.

use std::collections::BTreeMap;

use prost::Message;
use uuid::Uuid;

use super::{ApplyError, RowWriter};
use crate::{
    feast::registry::{
        convert::{
            RowVersion, feature_view_to_message, is_new_label_version, is_new_on_demand_version, is_new_stream_version,
            is_new_version, label_view_to_message, on_demand_feature_view_to_message, stream_feature_view_to_message,
        },
        messages,
    },
    model::{Object, ObjectId, Repo, ViewVersion},
    problem::Problem,
    registry::{Objects, Row, VersionRow, Write, object},
};

/// Rows of stored versions that views are pinned to, by name of the view.
pub type PinnedVersions = BTreeMap<String, Vec<u8>>;

/// The stored versions that a repo pins views to.
///
/// # Errors
/// When the registry cannot be read.
pub fn pinned_versions(repo: &Repo, registry: &dyn Objects) -> Result<PinnedVersions, Problem> {
    let views = repo.feature_views.iter().map(|view| (&view.name, view.version));
    let stream_views = repo.stream_feature_views.iter().map(|view| (&view.name, view.version));
    let on_demand_views = repo.on_demand_feature_views.iter().map(|view| (&view.name, view.version));
    let pins: BTreeMap<&String, i32> = views
        .chain(stream_views)
        .chain(on_demand_views)
        .filter_map(|(view, version)| match version {
            ViewVersion::Pinned(number) => Some((view, number)),
            ViewVersion::Latest => None,
        })
        .collect();
    if pins.is_empty() {
        return Ok(PinnedVersions::new());
    }
    let stored = registry.versions(&repo.project.name)?.into_iter();
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
        let version = RowVersion::from(activation);
        let (project, now) = (self.project, self.now);
        match object {
            Object::FeatureView(view) => {
                let stored = self.stored(&id)?;
                let mut known: Option<messages::FeatureView> = stored.clone();
                self.forget_values(&id, known.as_mut().and_then(|view| view.meta.as_mut()));
                let message = feature_view_to_message(view, known, &self.sources, version, project, now);
                self.push_view(id, stored, &message, activation)
            }
            Object::StreamFeatureView(view) => {
                let stored = self.stored(&id)?;
                let mut known: Option<messages::StreamFeatureView> = stored.clone();
                self.forget_values(&id, known.as_mut().and_then(|view| view.meta.as_mut()));
                let message = stream_feature_view_to_message(view, known, &self.sources, version, project, now);
                self.push_view(id, stored, &message, activation)
            }
            Object::OnDemandFeatureView(view) => {
                let stored = self.stored(&id)?;
                let message =
                    on_demand_feature_view_to_message(view, stored.clone(), &self.sources, version, project, now);
                self.push_view(id, stored, &message, activation)
            }
            Object::LabelView(view) => {
                let stored = self.stored(&id)?;
                let message = label_view_to_message(view, stored.clone(), &self.sources, version, project, now);
                self.push_view(id, stored, &message, activation)
            }
            _ => Ok(()),
        }
    }

    /// A renamed view has no values yet under its new name.
    fn forget_values(&self, id: &ObjectId, meta: Option<&mut messages::FeatureViewMeta>) {
        if let Some(meta) = meta.filter(|_| self.renamed.contains_key(id)) {
            meta.materialization_intervals.clear();
        }
    }

    /// Adds the row of a view; a new version goes into the history, too.
    fn push_view<M: Message>(
        &mut self,
        id: ObjectId,
        stored: Option<M>,
        message: &M,
        activation: Activation,
    ) -> Result<(), ApplyError> {
        let proto = self.push(id.clone(), stored, message)?;
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

/// Whether two states of a view are one version: its columns and all that Feast counts with them
/// are the same.
fn is_same_version(before: &Object, after: &Object) -> bool {
    match (before, after) {
        (Object::FeatureView(before), Object::FeatureView(after)) => !is_new_version(before, after),
        (Object::StreamFeatureView(before), Object::StreamFeatureView(after)) => !is_new_stream_version(before, after),
        (Object::OnDemandFeatureView(before), Object::OnDemandFeatureView(after)) => {
            !is_new_on_demand_version(before, after)
        }
        (Object::LabelView(before), Object::LabelView(after)) => !is_new_label_version(before, after),
        _ => false,
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
