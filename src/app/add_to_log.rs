//! Rows that somebody has logged, added to the log of a feature service.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch, new_null_array},
    compute::cast,
};

use super::{
    Caller, Failure, FeatureStore,
    access::Access,
    log_served::{log_places, registered},
};
use crate::{
    diagnostics::did_you_mean,
    feature_log::{Appended, FeatureLog},
    model::{ObjectId, ObjectKind, PermissionAction, printable},
    problem::{Kind, Problem, Subject},
    retrieval::Entities,
    sources::{Role, Wanted},
};

/// Adds rows to the log of a service; they have the columns of the log, in any order.
///
/// # Errors
/// When the caller may not, there is no such service, it has no log, or the rows are none of it: then nothing is written.
pub fn add_to_log(store: &FeatureStore, caller: &Caller, service: &str, rows: &Entities) -> Result<Appended, Failure> {
    let state = store.registered_now()?;
    let Some(found) = registered(&state, service) else {
        let known = state.objects.keys().filter(|id| id.kind == ObjectKind::FeatureService).map(|id| id.name.as_str());
        let message = format!("there is no feature service `{}`", printable(service));
        let problem = Problem::new(Kind::NotFound, message, did_you_mean(service, known));
        return Err(problem.about(Subject::FeatureService).into());
    };
    let id = ObjectId::new(ObjectKind::FeatureService, service);
    Access::of(store, caller, &state).check(&[PermissionAction::WriteOffline], state.objects.get(&id))?;
    let log = FeatureLog::of(&state, found, log_places(store))?;
    let opened = rows.open()?;
    let schema = Arc::clone(log.schema());
    for column in &opened.columns().columns {
        if schema.index_of(&column.name).is_err() {
            let known = schema.fields().iter().map(|field| field.name().as_str());
            let message = format!("column `{}` is none of the log of feature service `{service}`", column.name);
            return Err(Problem::new(Kind::Invalid, message, did_you_mean(&column.name, known)).into());
        }
    }
    // What a client of an earlier time does not log is null.
    let given: Vec<Option<usize>> = {
        let place = |name: &String| opened.columns().columns.iter().position(|column| column.name == *name);
        schema.fields().iter().map(|field| place(field.name())).collect()
    };
    let wanted = opened.columns().columns.iter();
    let wanted = wanted.map(|column| Wanted { column: column.name.clone(), role: Role::AsIs, null_if_unfit: false });
    let scan = Arc::new(opened.scan(wanted.collect())?);
    let mut open = log.begin()?;
    let run = scan.run();
    while let Some(mut part) = run.part()? {
        while let Some(batch) = run.batch(&mut part)? {
            let count = batch.columns.first().map_or(0, |column| column.len());
            let columns = schema.fields().iter().zip(&given).map(|(field, place)| match place {
                Some(place) => cast(&batch.columns[*place], field.data_type()).map_err(|error| {
                    let message = format!("column `{}` of the log cannot be written: {error}", field.name());
                    Problem::new(Kind::Invalid, message, None)
                }),
                None => Ok(new_null_array(field.data_type(), count)),
            });
            let columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>()?;
            let batch = RecordBatch::try_new(Arc::clone(&schema), columns)
                .map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))?;
            open.write(&batch)?;
        }
    }
    Ok(open.complete()?)
}
