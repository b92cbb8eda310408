//! Datasets as clients of gRPC ask for them.

use bytes::Bytes;
use prost::Message as _;

use super::{ask, jobs::Job};
use crate::{app::Failure, feast::registry_server as wire, registry_server::asked::Asked};

/// Begins to make a dataset.
pub(in crate::registry_server) fn create(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let request: wire::CreateDataset = asked.request(body)?;
    let job = ask::create(asked.state, asked.caller, (asked.author(), asked.id), request)?;
    let status = job.progress().word().to_owned();
    Ok(wire::DatasetBegun { job_id: job.id.clone(), status }.encode_to_vec().into())
}

/// The first rows of a dataset.
pub(in crate::registry_server) fn data(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let wire::GetDatasetData { name, project, limit } = asked.request(body)?;
    let sample = ask::data(asked.state, asked.caller, (&project, &name), limit)?;
    let count = i32::try_from(sample.rows.len()).unwrap_or(i32::MAX);
    let row = |row: &Vec<serde_json::Value>| wire::TabularRow { values: row.iter().map(ToString::to_string).collect() };
    let rows = sample.rows.iter().map(row).collect();
    let data = wire::DatasetData { columns: sample.columns, rows, total_rows: count, sample_size: count };
    Ok(data.encode_to_vec().into())
}

/// How far a dataset is.
pub(in crate::registry_server) fn job(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let wire::GetDatasetJobStatus { job_id } = asked.request(body)?;
    let job = ask::job(asked.state, asked.caller, &job_id)?;
    Ok(status(&job).encode_to_vec().into())
}

/// All that are made, or were.
pub(in crate::registry_server) fn jobs(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let wire::ListDatasetJobs { project, status_filter } = asked.request(body)?;
    let jobs = ask::jobs(asked.state, asked.caller, &project, &status_filter)?;
    Ok(wire::DatasetJobs { jobs: jobs.iter().map(|job| status(job)).collect() }.encode_to_vec().into())
}

/// What Feast says of a job.
pub(in crate::registry_server) fn status(job: &Job) -> wire::DatasetJob {
    let progress = job.progress();
    let (completed, error) = progress.end();
    wire::DatasetJob {
        job_id: job.id.clone(),
        dataset_name: job.dataset.clone(),
        project: job.project.clone(),
        status: progress.word().to_owned(),
        created_at: job.created.to_micros_text(),
        completed_at: completed.map(|moment| moment.to_micros_text()).unwrap_or_default(),
        error: error.unwrap_or_default().to_owned(),
    }
}
