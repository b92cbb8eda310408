//! The history of runs, for people.

use crate::{model::RunRecord, problem::Problem};

/// How many runs of each view are kept.
pub const KEPT_RUNS: usize = 500;

/// The runs of a project's views, as far as they are remembered.
pub trait RunLog: Send + Sync {
    /// Makes room for notes about runs; [`record_run`](Self::record_run) does so itself where it may.
    ///
    /// # Errors
    /// When the registry cannot be written.
    fn create_run_log(&self) -> Result<(), Problem>;

    /// Notes how far a run has come, in place of what was noted of it before. A note may be lost when the server fails
    /// right after it. When a run has ended, only the newest [`KEPT_RUNS`] of its view are kept.
    ///
    /// # Errors
    /// When there is no place for them or it cannot be written.
    fn record_run(&self, project: &str, run: &RunRecord) -> Result<(), Problem>;

    /// The newest `limit` noted runs of these views of a project, or of all, the newest first. Writes
    /// nothing.
    ///
    /// # Errors
    /// When they cannot be read.
    fn runs(&self, project: &str, views: &[String], limit: usize) -> Result<Vec<RunRecord>, Problem>;

    /// Removes the noted runs of a project.
    ///
    /// # Errors
    /// When they cannot be written.
    fn forget_runs(&self, project: &str) -> Result<(), Problem>;
}

/// Sorted for people.
pub(crate) fn newest_first(mut runs: Vec<RunRecord>) -> Vec<RunRecord> {
    runs.sort_by(|a, b| (b.started, &a.view, &a.id).cmp(&(a.started, &b.view, &b.id)));
    runs
}
