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
