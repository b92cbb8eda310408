use crate::{
    app::{
        Caller, Failure, FeatureStore,
        registered::{Rights, StoredObject},
    },
    diagnostics::did_you_mean,
    feast::registry::{Unmanaged, event_range},
    model::{
        DataSource, DatasetStorage, FileSource, Interval, Object, ObjectKind, PermissionAction, SavedDataset,
        SourceKind, printable,
    },
    offline::{BatchSink, Cancel, RowsQuery},
    problem::{Kind, Problem},
    registry::{Row, object},
    retrieval::EVENT_TIMESTAMP,
};

/// Streams the rows of a dataset, those of the times that are registered for it.
///
/// # Errors
/// When there is no such dataset, the caller may not read it, or it cannot be read.
pub fn export(
    store: &FeatureStore,
    caller: &Caller,
    name: &str,
    cancel: &Cancel,
    sink: &mut dyn BatchSink,
) -> Result<(), Failure> {
    let snapshot = store.registry_to_read().snapshot(store.project())?;
    let of_kind = || snapshot.rows.iter().filter(|row| row.kind == ObjectKind::SavedDataset);
    let rights = Rights::in_project(store, store.project(), &snapshot.rows);
    let Some(row) = of_kind().find(|row| row.name == name) else {
        let may_know = |row: &&Row| {
            let object = StoredObject::of((*row).clone());
            rights.check(caller, &object, &[PermissionAction::Describe]).is_ok()
        };
        let help = did_you_mean(name, of_kind().filter(may_know).map(|row| row.name.as_str()));
        let message = format!("there is no saved dataset `{}` in the registry", printable(name));
        return Err(Problem::new(Kind::NotFound, message, help).into());
    };
    rights.check(caller, &StoredObject::of(row.clone()), &[PermissionAction::ReadOffline])?;
    let shown = format!("saved dataset `{}`", printable(name));
    let unreadable = |kind: Kind, why: &str| Problem::new(kind, format!("{shown} cannot be read: {why}"), None);
    let file = match stored_in_files(row) {
        Ok(Some(file)) => file,
        Ok(None) => return Err(unreadable(Kind::Unsupported, "it is not in files, which is not supported yet").into()),
        Err(reason) => return Err(unreadable(Kind::Unsupported, &reason.0).into()),
    };
    let interval = event_range(&row.proto)
        .map_err(|error| unreadable(Kind::Internal, &error.to_string()))?
        .ok_or_else(|| unreadable(Kind::Invalid, "the registry says no times of its rows"))?;
    let source =
        DataSource { timestamp_field: EVENT_TIMESTAMP.to_owned(), ..DataSource::new(name, SourceKind::File(file)) };
    // As Feast reads them.
    const BEYOND: i64 = 1_000_000;
    let interval = Interval { end: interval.end.minus(-BEYOND), ..interval };
    let query = RowsQuery { source: &source, shown: &shown, interval, columns: None };
    Ok(store.offline().cancelled_by(cancel).rows(&query, sink)?)
}

/// The files of a dataset; `None` if it is in none.
///
/// # Errors
/// When what is registered of it cannot be read.
pub(in crate::app) fn stored_in_files(row: &Row) -> Result<Option<FileSource>, Unmanaged> {
    Ok(match object(row)? {
        Object::SavedDataset(SavedDataset {
            storage: DatasetStorage::File { path, format, s3_endpoint_override },
            ..
        }) => Some(FileSource { path, format, s3_endpoint_override, ..FileSource::default() }),
        _ => None,
    })
}
