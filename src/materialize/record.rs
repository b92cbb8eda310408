//! What the registry says about the materialization of a view.

use super::interval::online_view;
use crate::{
    feast::registry::{Stored, Unmanaged, WriteError, with_interval},
    model::{FeatureView, Interval, Object, Timestamp},
    problem::{Kind, Problem},
    registry::{Row, Snapshot, Write, object},
};

/// Why the registry has no place for what is written of a view.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("it was removed from the registry meanwhile")]
    Removed,
    #[error("feastr cannot materialize it: {0}")]
    Unmanaged(String),
    #[error(transparent)]
    NotOnline(#[from] Problem),
    #[error("its definition changed while it was materialized, so that its values are not complete")]
    Changed,
    #[error(transparent)]
    Unwritable(#[from] WriteError),
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        let message = error.to_string();
        match error {
            RecordError::NotOnline(problem) => problem,
            RecordError::Removed => Self::new(Kind::NotFound, message, None),
            RecordError::Unmanaged(_) => Self::new(Kind::Unsupported, message, None),
            RecordError::Changed => {
                Self::new(Kind::Conflict, message, "the interval is not recorded; run again".to_owned())
            }
            RecordError::Unwritable(_) => Self::new(Kind::Internal, message, None),
        }
    }
}

impl From<Unmanaged> for RecordError {
    fn from(Unmanaged(reason): Unmanaged) -> Self {
        Self::Unmanaged(reason)
    }
}

/// A view as the registry has it, and the intervals recorded for it.
///
/// # Errors
/// When the registry has no such view, or one that is not to be materialized.
pub(crate) fn registered(snapshot: &Snapshot, view: &str) -> Result<(FeatureView, Vec<Interval>), RecordError> {
    let row = row(snapshot, view)?;
    let view = online_view(&object(row)?)?;
    let materialized = Stored::read(row.kind, &row.name, &row.proto).materialized.unwrap_or_default();
    Ok((view, materialized.intervals))
}

/// An on-demand view that the registry has just as it was planned, as it is stored.
///
/// # Errors
/// When the registry has it no longer, or otherwise.
pub(crate) fn unchanged(snapshot: &Snapshot, planned: &FeatureView) -> Result<FeatureView, RecordError> {
    let Object::OnDemandFeatureView(view) = object(row(snapshot, &planned.name)?)? else {
        return Err(RecordError::Changed);
    };
    let is_same = FeatureView { ttl: planned.ttl, ..view.as_stored() } == *planned && view.write_to_online_store;
    if is_same { Ok(planned.clone()) } else { Err(RecordError::Changed) }
}

/// What to write, at `now`, so that one more interval is recorded for a view whose values were
/// `written` as it was then.
///
/// # Errors
/// When the view is not there any more, would be written differently now, or its row cannot be changed.
pub(crate) fn recorded(
    snapshot: &Snapshot,
    written: &FeatureView,
    interval: Interval,
    now: Timestamp,
) -> Result<Vec<Write>, RecordError> {
    let (registered, _) = registered(snapshot, &written.name)?;
    if !registered.same_values(written) {
        return Err(RecordError::Changed);
    }
    let Row { kind, name, proto: stored, .. } = row(snapshot, &written.name)?;
    let proto = with_interval(*kind, stored, interval, now)?;
    let updated = now.seconds();
    Ok(vec![
        Write::Put(Row { kind: *kind, name: name.clone(), updated, proto }),
        Write::PutMetadata { key: "last_updated_timestamp".into(), value: updated.to_string(), updated },
    ])
}

fn row<'a>(snapshot: &'a Snapshot, view: &str) -> Result<&'a Row, RecordError> {
    snapshot.rows.iter().find(|row| row.kind.is_view() && row.name == view).ok_or(RecordError::Removed)
}
