//! Whether the engine that the settings name can do what feastr will hand to it.

use std::path::Path;

use futures_util::TryStreamExt as _;

use super::{Caller, Failure, FeatureStore};
use crate::{
    clients::{buckets::Buckets, runtime::wait},
    config::{BucketUrl, StoreConfig},
    offline::{Cancel, EngineReport, EngineStep, check_engine},
    problem::{Kind, Problem},
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
    let left = report.written.clone().filter(|folder| !is_removed(folder, config));
    Ok(Found { report, left })
}

/// Removes a folder that the engine wrote, if it can be reached from here.
fn is_removed(folder: &str, config: &StoreConfig) -> bool {
    match BucketUrl::parse(folder) {
        Some(Ok(url)) => wait(remove_objects(&url, config)).is_ok_and(|count| count > 0),
        Some(Err(_)) => false,
        None => {
            let path = folder.strip_prefix("file://").or_else(|| folder.strip_prefix("file:")).unwrap_or(folder);
            // Elsewhere a path that is not whole means another folder.
            Path::new(path).is_absolute() && std::fs::remove_dir_all(path).is_ok()
        }
    }
}

/// Removes what is in a folder of a bucket, and says how much it was.
async fn remove_objects(url: &BucketUrl, config: &StoreConfig) -> Result<usize, Problem> {
    let bucket = Buckets::new(config.buckets.clone()).open(url, None)?;
    let objects: Vec<_> = bucket.list(&url.key).try_collect().await?;
    for object in &objects {
        bucket.delete(&object.key).await?;
    }
    Ok(objects.len())
}
