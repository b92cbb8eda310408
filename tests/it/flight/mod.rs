//! `feastr serve-offline`: what it answers to clients of Feast, what it refuses, and how it ends.

mod answers;
pub mod client;
mod ends;
mod metrics;
mod older;
mod own_client;
mod permitted;
mod recorded;
mod stock;
mod tls;
mod writing;
mod wrong;

use std::path::Path;

use crate::support::Project;

/// The repo that Feast was recorded with, applied: features of drivers, some of them computed, and services, one of them
/// logged.
pub fn repo() -> Project {
    let project = Project::new(&[]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["feature_store.yaml", "drivers.yaml", "on_demand.yaml", "services.yaml"] {
        project.copy(&root.join("examples/feature_repo").join(file), file);
    }
    project.copy(
        &root.join("tests/golden/registry/local_pandas/input/data/driver_stats.parquet"),
        "data/driver_stats.parquet",
    );
    project.copy(&root.join("tests/repos/offline_server/services.yaml"), "offline_server.yaml");
    project.feastr(&["apply", "-q", "--skip-source-validation"]).ok();
    project
}
