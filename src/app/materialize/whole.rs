//! A materialization from its request to its end, for faces that show nothing while it goes on.

use super::{Materialization, Request, ServerRun, by_server};
use crate::{
    app::{Caller, Failure, FeatureStore},
    materialize::RunReport,
    model::ViewId,
    offline::Cancel,
    problem::Problem,
};

/// What was done.
#[derive(Debug, Clone, PartialEq)]
pub enum Materialized {
    /// By this program.
    Here(RunReport),
    /// By the feature server that has the online store.
    ByServer(ServerRun),
}

impl Materialized {
    /// Why not all views are written, if they are not.
    pub fn problem(&self) -> Option<Problem> {
        match self {
            Self::Here(report) => report.problem(),
            Self::ByServer(_) => None,
        }
    }
}

/// Materializes, here or by the feature server that has the online store. A view that fails does not stop the others
/// unless that is wanted; the report has it.
///
/// # Errors
/// As those of [`Materialization::plan`] and [`by_server`].
pub fn materialize(store: &FeatureStore, caller: &Caller, request: Request<'_>) -> Result<Materialized, Failure> {
    match by_server(store, caller, request)? {
        Some(run) => Ok(Materialized::ByServer(run)),
        None => Ok(Materialized::Here(Materialization::plan(store, caller, request)?.run(&Cancel::default())?)),
    }
}

/// The views that would be materialized; those that are named if a feature server would do it.
///
/// # Errors
/// As those of [`Materialization::plan`].
pub fn wanted_views(store: &FeatureStore, caller: &Caller, request: Request<'_>) -> Result<Vec<String>, Failure> {
    if store.feature_server().is_some() {
        return Ok(request.views.to_vec());
    }
    Ok(Materialization::plan(store, caller, request)?.names().map(str::to_owned).collect())
}

/// Those of some views that are being materialized now, by whatever program of feastr.
///
/// # Errors
/// When the registry cannot be read.
pub fn busy_views(store: &FeatureStore, _: &Caller, views: &[String]) -> Result<Vec<String>, Failure> {
    let mut busy = Vec::new();
    for name in views {
        if store.registry().view_holder(ViewId { project: store.project(), name })?.is_some() {
            busy.push(name.clone());
        }
    }
    Ok(busy)
}
