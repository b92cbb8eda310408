//! Whether the engine that the settings name can do what feastr will hand to it.

use super::{Caller, Failure, FeatureStore};
use crate::{
    offline::{Cancel, EngineReport, EngineStep, check_engine},
    problem::{Kind, Problem},
    staging::StagedFolder,
};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What the engine can do.
    pub report: EngineReport,
    /// A folder that the engine wrote, and that is left because it cannot be removed from here.
    pub left: Option<String>,
}

/// Tries the engine of the settings; `watch` is told what goes on. What it writes is removed.
///
/// # Errors
/// When the settings name no engine, it cannot be reached, or it is called off.
pub fn check(store: &FeatureStore, _: &Caller, cancel: &Cancel, watch: &dyn Fn(EngineStep)) -> Result<Found, Failure> {
    let config = store.config();
    let engine = config.engine().ok_or_else(|| {
        let help = "write `offline_store: {type: spark, spark_conf: {spark.remote: sc://host:15002}}` in \
                    feature_store.yaml, or the same as `batch_engine` with `type: spark.engine`";
        Problem::new(Kind::Unsupported, "feature_store.yaml names no engine", help.to_owned())
    })?;
    let report = check_engine(engine, cancel, watch)?;
    let removed = |folder: &String| StagedFolder::at(folder, &store.whereabouts().buckets)?.remove();
    let left = report.written.clone().filter(|folder| !removed(folder).unwrap_or(false));
    Ok(Found { report, left })
}
