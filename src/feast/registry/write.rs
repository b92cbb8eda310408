//! The bytes of stored objects after a change.
//!
//! A change starts from the stored message and replaces what the model knows: what else Feast keeps in it
//! stays, and so do fields that only a newer Feast knows.

use prost::Message;

use super::{
    convert::{
        RowVersion, SourceRows, data_source_to_message, entity_to_message, feature_service_to_message,
        feature_view_to_message, label_view_to_message, materialized_from_message, on_demand_feature_view_to_message,
        permission_to_message, project_to_message, record_materialization, saved_dataset_to_message,
        stream_feature_view_to_message, validation_reference_to_message,
    },
    messages::{self, DecodeError, decode},
    unknown_fields::{UnknownFieldsLost, keep_unknown},
};
use crate::model::{Interval, Object, ObjectKind, Timestamp};

/// Why a stored object cannot be changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WriteError {
    /// What is stored cannot be read.
    #[error("its row in the registry is damaged: {0}")]
    Damaged(#[from] DecodeError),
    /// A newer Feast stored something that would be lost.
    #[error(transparent)]
    UnknownFields(#[from] UnknownFieldsLost),
}

/// What is written with every object of a change.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The rows of data sources as the change leaves them.
    pub sources: &'a SourceRows,
    /// The project of the objects.
    pub project: &'a str,
    /// When it is done.
    pub now: Timestamp,
    /// Which version a view becomes; other objects have none.
    pub version: RowVersion,
    /// Whether nothing is materialized any more of a view: it has another name, and no values under it.
    pub forget_values: bool,
}

/// The message of an object that is new or changed; `stored` is the one until now.
///
/// # Errors
/// When the stored message is damaged, or holds what the new one would lose.
pub fn write(object: &Object, stored: Option<&[u8]>, change: Change<'_>) -> Result<Vec<u8>, WriteError> {
    let Change { sources, project, now, version, forget_values } = change;
    let forget = |meta: Option<&mut messages::FeatureViewMeta>| {
        if let Some(meta) = meta.filter(|_| forget_values) {
            meta.materialization_intervals.clear();
        }
    };
    match object {
        Object::Project(project) => changed(stored, |stored| project_to_message(project, stored, now)),
        Object::Entity(entity) => changed(stored, |stored| entity_to_message(entity, stored, now)),
        Object::DataSource(source) => changed(stored, |stored| data_source_to_message(source, stored, sources, now)),
        Object::FeatureView(view) => changed(stored, |mut stored: Option<messages::FeatureView>| {
            forget(stored.as_mut().and_then(|stored| stored.meta.as_mut()));
            feature_view_to_message(view, stored, sources, version, project, now)
        }),
        Object::StreamFeatureView(view) => changed(stored, |mut stored: Option<messages::StreamFeatureView>| {
            forget(stored.as_mut().and_then(|stored| stored.meta.as_mut()));
            stream_feature_view_to_message(view, stored, sources, version, project, now)
        }),
        Object::OnDemandFeatureView(view) => {
            changed(stored, |stored| on_demand_feature_view_to_message(view, stored, sources, version, project, now))
        }
        Object::LabelView(view) => {
            changed(stored, |stored| label_view_to_message(view, stored, sources, version, project, now))
        }
        Object::FeatureService(service) => {
            changed(stored, |stored| feature_service_to_message(service, stored, sources, now))
        }
        Object::Permission(permission) => changed(stored, |stored| permission_to_message(permission, stored, now)),
        Object::SavedDataset(dataset) => changed(stored, |stored| saved_dataset_to_message(dataset, stored, now)),
        // Nothing creates one.
        Object::ValidationReference(reference) => {
            changed(stored, |stored| validation_reference_to_message(reference, stored.unwrap_or_default()))
        }
    }
}

/// The message of a stored view, of which one more interval was written to the online store at `now`.
///
/// # Errors
/// When the stored message is damaged, or holds what the new one would lose.
pub fn with_interval(
    kind: ObjectKind,
    stored: &[u8],
    interval: Interval,
    now: Timestamp,
) -> Result<Vec<u8>, WriteError> {
    let note = |meta: &mut Option<messages::FeatureViewMeta>| {
        record_materialization(meta.get_or_insert_default(), interval, now);
    };
    match kind {
        ObjectKind::StreamFeatureView => changed(Some(stored), |stored| {
            let mut view: messages::StreamFeatureView = stored.unwrap_or_default();
            note(&mut view.meta);
            view
        }),
        _ => changed(Some(stored), |stored| {
            let mut view: messages::FeatureView = stored.unwrap_or_default();
            note(&mut view.meta);
            view
        }),
    }
}

/// The intervals that a view has and had not before, if nothing else of it differs: what a materialization records of a
/// view.
pub fn materialized_since(kind: ObjectKind, before: &[u8], after: &[u8]) -> Option<Vec<Interval>> {
    let meta = |bytes: &[u8]| match kind {
        ObjectKind::FeatureView => taken::<messages::FeatureView>(bytes, |view| view.meta.take()),
        ObjectKind::StreamFeatureView => taken::<messages::StreamFeatureView>(bytes, |view| view.meta.take()),
        _ => None,
    };
    let ((before, old), (after, new)) = (meta(before)?, meta(after)?);
    if before != after {
        return None;
    }
    let intervals = |meta: &messages::FeatureViewMeta| materialized_from_message(Some(meta)).intervals;
    let known = intervals(&old);
    let come: Vec<Interval> = intervals(&new).into_iter().filter(|interval| !known.contains(interval)).collect();
    let noted = |meta| messages::FeatureViewMeta {
        materialization_intervals: Vec::new(),
        last_updated_timestamp: None,
        state: 0,
        ..meta
    };
    (!come.is_empty() && noted(old) == noted(new)).then_some(come)
}

/// What stays of a message when something is taken out, and that.
fn taken<M: Message + Default>(
    bytes: &[u8],
    take: impl FnOnce(&mut M) -> Option<messages::FeatureViewMeta>,
) -> Option<(Vec<u8>, messages::FeatureViewMeta)> {
    let mut message: M = decode(bytes).ok()?;
    let meta = take(&mut message).unwrap_or_default();
    Some((message.encode_to_vec(), meta))
}

/// The message of a stored dataset whose rows are from `first` to `last`.
///
/// # Errors
/// As [`with_interval`].
pub fn with_event_range(stored: &[u8], first: Timestamp, last: Timestamp) -> Result<Vec<u8>, WriteError> {
    changed(Some(stored), |stored| {
        let mut dataset: messages::SavedDataset = stored.unwrap_or_default();
        let meta = dataset.meta.get_or_insert_default();
        meta.min_event_timestamp = Some(first.into());
        meta.max_event_timestamp = Some(last.into());
        dataset
    })
}

/// The times of the first and the last rows of a stored dataset, if it has some.
///
/// # Errors
/// When the message is damaged.
pub fn event_range(stored: &[u8]) -> Result<Option<Interval>, DecodeError> {
    let meta = decode::<messages::SavedDataset>(stored)?.meta.unwrap_or_default();
    let times = meta.min_event_timestamp.zip(meta.max_event_timestamp);
    Ok(times.map(|(first, last)| Interval { start: first.into(), end: last.into() }))
}

/// The bytes of a changed message, with what a newer Feast stored in it.
fn changed<M: Message + Default>(
    stored: Option<&[u8]>,
    change: impl FnOnce(Option<M>) -> M,
) -> Result<Vec<u8>, WriteError> {
    let Some(original) = stored else { return Ok(change(None).encode_to_vec()) };
    let message: M = decode(original)?;
    let reencoded = message.encode_to_vec();
    Ok(keep_unknown(original, &reencoded, change(Some(message)).encode_to_vec())?)
}
