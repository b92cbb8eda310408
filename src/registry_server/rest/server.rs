//! The server itself.

use serde_json::{Value as Json, json};

use super::{asked::Asked, refusal::Refusal};
use crate::{
    app::registered,
    problem::{Kind, Problem},
};

/// The version of the program.
pub(super) fn version(_: &Asked<'_>) -> Result<Json, Refusal> {
    Ok(json!({"version": env!("CARGO_PKG_VERSION"), "server": "feastr"}))
}

/// Has the server look at the registry, so that what it has in memory is right.
pub(super) fn refresh(asked: &Asked<'_>) -> Result<Json, Refusal> {
    registered::refresh(asked.registry(), asked.caller, asked.registry().store().project())?;
    Ok(Json::Null)
}

/// What Feast's server does and this one does not.
pub(super) fn monitoring(_: &Asked<'_>) -> Result<Json, Refusal> {
    let help =
        "checks of sources are declared with their views, and carried out when these are materialized".to_owned();
    Err(Problem::new(Kind::Unsupported, "statistics of features are not computed here", help).into())
}

/// The jobs that make datasets, of which there are none: commands make datasets.
pub(super) fn dataset_jobs(_: &Asked<'_>) -> Result<Json, Refusal> {
    Ok(json!({"jobs": []}))
}

/// One of these jobs.
pub(super) fn dataset_job(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let id = crate::model::printable(asked.part("job_id")).into_owned();
    Err(Problem::new(Kind::NotFound, format!("there is no job `{id}` that makes a dataset"), None).into())
}

/// Making datasets and reading them is for those who have their storage.
pub(super) fn datasets(_: &Asked<'_>) -> Result<Json, Refusal> {
    let help = "have historical features saved as a dataset where its storage is".to_owned();
    Err(Problem::new(Kind::Unsupported, "this server neither makes datasets nor reads them", help).into())
}
