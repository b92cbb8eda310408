//! Rows of views, and their version histories.

use prost::Message;
use uuid::Uuid;

use super::{ApplyError, RowWriter};
use crate::{
    feast::convert::{
        RowVersion, feature_view_to_message, is_new_label_version, is_new_on_demand_version, is_new_stream_version,
        is_new_version, label_view_to_message, on_demand_feature_view_to_message, stream_feature_view_to_message,
    },
    model::{Object, ObjectId, ObjectKind, ViewVersion},
    registry::{VersionRow, Write},
};

impl RowWriter<'_> {
    pub(super) fn put_view(&mut self, object: &Object, before: Option<&Object>) -> Result<(), ApplyError> {
        let id = object.id();
        let version = self.next_version(object, before)?;
        let (project, now) = (self.project, self.now);
        match object {
            Object::FeatureView(view) => {
                let stored = self.stored(&id)?;
                let message = feature_view_to_message(view, stored.clone(), &self.sources, version, project, now);
                self.push_view(id, stored, &message, version)
            }
            Object::StreamFeatureView(view) => {
                let stored = self.stored(&id)?;
                let message =
                    stream_feature_view_to_message(view, stored.clone(), &self.sources, version, project, now);
                self.push_view(id, stored, &message, version)
            }
            Object::OnDemandFeatureView(view) => {
                let stored = self.stored(&id)?;
                let message =
                    on_demand_feature_view_to_message(view, stored.clone(), &self.sources, version, project, now);
                self.push_view(id, stored, &message, version)
            }
            Object::LabelView(view) => {
                let stored = self.stored(&id)?;
                let message = label_view_to_message(view, stored.clone(), &self.sources, version, project, now);
                self.push_view(id, stored, &message, version)
            }
            _ => Ok(()),
        }
    }

    /// Adds the row of a view; a new version goes into the history, too.
    fn push_view<M: Message>(
        &mut self,
        id: ObjectId,
        stored: Option<M>,
        message: &M,
        version: RowVersion,
    ) -> Result<(), ApplyError> {
        let proto = self.push(id.clone(), stored, message)?;
        if let RowVersion::Number(number) = version {
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

    fn next_version(&self, view: &Object, before: Option<&Object>) -> Result<RowVersion, ApplyError> {
        let id = view.id();
        let last = self.last_version(&id.name);
        if before.is_some_and(|before| is_same_version(before, view)) {
            return Ok(RowVersion::Same);
        }
        match pin(view) {
            ViewVersion::Pinned(number) if last.is_none_or(|last| number > last) => Ok(RowVersion::Number(number)),
            ViewVersion::Pinned(number) => Err(ApplyError::PinConflict { id, number }),
            ViewVersion::Latest if before.is_some() => Ok(RowVersion::Number(last.unwrap_or(0) + 1)),
            // Feast leaves the history behind when it deletes a project.
            ViewVersion::Latest => Ok(RowVersion::Number(last.map_or(0, |last| last + 1))),
        }
    }

    /// The highest number in the history that a view of this name has after the deletes.
    fn last_version(&self, view: &str) -> Option<i32> {
        if self.deleted_views.contains(view) { None } else { self.snapshot.versions.get(view).copied() }
    }

    fn add_version(&mut self, view: &ObjectId, number: i32, proto: Vec<u8>) {
        self.writes.push(Write::AddVersion(VersionRow {
            view: view.name.clone(),
            view_type: view_type(view.kind).to_owned(),
            number,
            proto,
            created: self.now.seconds(),
            id: Uuid::new_v4().to_string(),
        }));
    }
}

/// Whether a changed view stays the version it is: its columns and all that Feast counts with them
/// are the same, and it is not pinned to another number.
fn is_same_version(before: &Object, after: &Object) -> bool {
    let is_new = match (before, after) {
        (Object::FeatureView(before), Object::FeatureView(after)) => is_new_version(before, after),
        (Object::StreamFeatureView(before), Object::StreamFeatureView(after)) => is_new_stream_version(before, after),
        (Object::OnDemandFeatureView(before), Object::OnDemandFeatureView(after)) => {
            is_new_on_demand_version(before, after)
        }
        (Object::LabelView(before), Object::LabelView(after)) => is_new_label_version(before, after),
        _ => true,
    };
    !is_new && (pin(after) == ViewVersion::Latest || pin(after) == pin(before))
}

fn pin(view: &Object) -> ViewVersion {
    match view {
        Object::FeatureView(view) => view.version,
        Object::StreamFeatureView(view) => view.version,
        Object::OnDemandFeatureView(view) => view.version,
        _ => ViewVersion::Latest,
    }
}

/// Feast's word for a kind of view in the history.
fn view_type(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::StreamFeatureView => "stream_feature_view",
        ObjectKind::OnDemandFeatureView => "on_demand_feature_view",
        ObjectKind::LabelView => "label_view",
        _ => "feature_view",
    }
}
