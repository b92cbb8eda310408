//! What the registry says about the materialization of a view.

use prost::Message;

use crate::{
    feast::{
        convert::{materialized_from_message, record_materialization},
        messages::{self, DecodeError, decode},
        unknown_fields::{UnknownFieldsLost, keep_unknown},
    },
    model::{Interval, ObjectKind, Timestamp},
    registry::{Row, Snapshot, Write},
};

/// Why an interval cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("it was removed from the registry meanwhile; its values stay unrecorded")]
    Removed,
    #[error("its row in the registry is damaged: {0}")]
    Damaged(#[from] DecodeError),
    #[error(transparent)]
    UnknownFields(#[from] UnknownFieldsLost),
}

/// The intervals recorded for a view.
///
/// # Errors
/// When the registry has no such view that has a source, or its row is damaged.
pub fn materialized(snapshot: &Snapshot, view: &str) -> Result<Vec<Interval>, RecordError> {
    let meta = if let Some(stored) = snapshot.proto(ObjectKind::FeatureView, view) {
        decode::<messages::FeatureView>(stored)?.meta
    } else if let Some(stored) = snapshot.proto(ObjectKind::StreamFeatureView, view) {
        decode::<messages::StreamFeatureView>(stored)?.meta
    } else {
        return Err(RecordError::Removed);
    };
    Ok(materialized_from_message(meta.as_ref()).intervals)
}

/// What to write, at `now`, so that one more interval is recorded for a view.
///
/// # Errors
/// When the registry has no such view that has a source, or its row cannot be changed.
pub fn recorded(
    snapshot: &Snapshot,
    view: &str,
    interval: Interval,
    now: Timestamp,
) -> Result<Vec<Write>, RecordError> {
    let note = |meta: &mut Option<messages::FeatureViewMeta>| {
        record_materialization(meta.get_or_insert_default(), interval, now);
    };
    let (kind, proto) = if let Some(stored) = snapshot.proto(ObjectKind::FeatureView, view) {
        (ObjectKind::FeatureView, change(stored, |message: &mut messages::FeatureView| note(&mut message.meta))?)
    } else if let Some(stored) = snapshot.proto(ObjectKind::StreamFeatureView, view) {
        let noted = change(stored, |message: &mut messages::StreamFeatureView| note(&mut message.meta))?;
        (ObjectKind::StreamFeatureView, noted)
    } else {
        return Err(RecordError::Removed);
    };
    let updated = now.seconds();
    Ok(vec![
        Write::Put(Row { kind, name: view.to_owned(), updated, proto }),
        Write::PutMetadata { key: "last_updated_timestamp".into(), value: updated.to_string(), updated },
    ])
}

/// The bytes of a changed message, with what a newer Feast stored in it.
fn change<M: Message + Default>(stored: &[u8], change: impl FnOnce(&mut M)) -> Result<Vec<u8>, RecordError> {
    let mut message: M = decode(stored)?;
    let reencoded = message.encode_to_vec();
    change(&mut message);
    Ok(keep_unknown(stored, &reencoded, message.encode_to_vec())?)
}
