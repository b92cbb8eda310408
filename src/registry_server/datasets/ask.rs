//! What both protocols ask of datasets.

use std::sync::Arc;

use super::jobs::Job;
use crate::{
    app::{
        Caller, Failure,
        datasets::{DatasetRequest, EntityRows, Making, Sample, WrittenRows, may_know, sample},
    },
    feast::registry_server::CreateDataset,
    model::{Author, Timestamp, printable},
    problem::{Kind, Problem},
    registry_server::state::State,
};

/// So many rows are given where nobody says how many, as in Feast.
const USUAL_ROWS: usize = 10;

/// Begins to make a dataset for who asks, whose call has this id.
pub(in crate::registry_server) fn create(
    state: &State,
    caller: &Caller,
    (author, id): (Author, &str),
    request: CreateDataset,
) -> Result<Arc<Job>, Failure> {
    let request = understood(request, state.registry.store().now())?;
    let making = Making::of(&state.registry, caller, author, request)?;
    Ok(state.datasets.submit(&state.registry, making, id)?)
}

fn understood(request: CreateDataset, now: Timestamp) -> Result<DatasetRequest, Problem> {
    let unsupported = |what: String, help: &str| Err(Problem::new(Kind::Unsupported, what, help.to_owned()));
    let tags = request.labels();
    let moment = |what: &str, text: &str| {
        let wrong = |error| Problem::new(Kind::Invalid, format!("the {what} of the times: {error}"), None);
        (!text.is_empty()).then(|| Timestamp::parse(text, now).map_err(wrong)).transpose()
    };
    let rows = match request.entity_source_type.as_str() {
        "inline" => EntityRows::Written(WrittenRows {
            start: moment("start", request.start_date.trim())?,
            end: moment("end", request.end_date.trim())?,
            keys: request.entity_keys,
            values: request.entity_values,
            columns: request.extra_columns,
        }),
        _ if !request.extra_columns.trim().is_empty() => {
            return unsupported(
                "columns are not added to rows of a file".to_owned(),
                "write them into the file, or the rows into the request",
            );
        }
        _ => EntityRows::File(request.entity_source_path),
    };
    if !matches!(request.storage_type.as_str(), "" | "file") {
        let what = format!("datasets are not made in storage of type `{}`", printable(&request.storage_type));
        return unsupported(what, "have them made in files, with storage type `file`");
    }
    Ok(DatasetRequest {
        name: request.name.trim().to_owned(),
        project: request.project.trim().to_owned(),
        service: request.feature_service_name.trim().to_owned(),
        features: request.features,
        rows,
        path: request.storage_path,
        tags,
        allow_overwrite: request.allow_overwrite,
    })
}

/// The first rows of a dataset of a project; that of the server if none is named.
pub(in crate::registry_server) fn data(
    state: &State,
    caller: &Caller,
    (project, name): (&str, &str),
    limit: i32,
) -> Result<Sample, Failure> {
    let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(USUAL_ROWS);
    let project = if project.is_empty() { state.registry.store().project() } else { project };
    sample(&state.registry, caller, (project, name), limit)
}

/// A job, for those who may know its dataset.
pub(in crate::registry_server) fn job(state: &State, caller: &Caller, id: &str) -> Result<Arc<Job>, Problem> {
    let job = state.datasets.find(id).ok_or_else(|| {
        Problem::new(Kind::NotFound, format!("there is no job `{}` that makes a dataset", printable(id)), None)
    })?;
    may_know(&state.registry, caller, &job.project, &job.dataset)?;
    Ok(job)
}

/// The jobs of whose datasets somebody may know, those of a project and with a status if these are named.
pub(in crate::registry_server) fn jobs(
    state: &State,
    caller: &Caller,
    project: &str,
    status: &str,
) -> Result<Vec<Arc<Job>>, Problem> {
    let mut jobs = state.datasets.all();
    jobs.retain(|job| project.is_empty() || job.project == project);
    // Words that are no status ask for nothing in Feast.
    let is_status = ["pending", "running", "completed", "failed"].contains(&status);
    jobs.retain(|job| !is_status || job.progress().word() == status);
    let mut known = Vec::with_capacity(jobs.len());
    for job in jobs {
        match may_know(&state.registry, caller, &job.project, &job.dataset) {
            Ok(()) => known.push(job),
            Err(problem) if problem.kind == Kind::Denied => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(known)
}
