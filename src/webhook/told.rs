//! What the log tells of jobs.

use crate::{
    app::entity_index::Done,
    daemon::telemetry::IndexMetrics,
    diagnostics::counted,
    entity_index::{Outcome, Status},
};

/// Counts what became of a job.
pub(super) fn count(done: &Done, metrics: &IndexMetrics) {
    match done {
        Done::Ended(_, Outcome::Indexed(rows)) => metrics.ended("indexed", *rows),
        Done::Ended(_, Outcome::Known) => metrics.ended("known", 0),
        Done::Ended(_, Outcome::Removed) => metrics.ended("removed", 0),
        Done::Ended(_, Outcome::Nothing) => metrics.ended("nothing", 0),
        Done::Failed(_, _, Status::Dead) => metrics.ended("dead", 0),
        Done::Failed(..) => metrics.ended("failed", 0),
        Done::Lost(_) | Done::Away(_) => {}
    }
}

/// Tells what became of a job.
pub(super) fn tell(done: &Done) {
    match done {
        Done::Ended(job, outcome) => {
            let (path, view) = (&job.path, &job.view);
            match outcome {
                Outcome::Indexed(rows) => tracing::info!("Indexed {path} of `{view}`: {}", counted(*rows, "row")),
                Outcome::Removed => tracing::info!("Removed {path} of `{view}`"),
                Outcome::Known => tracing::debug!("{path} of `{view}` is in the index as it is"),
                Outcome::Nothing => tracing::debug!("{path} of `{view}` is not there, and not in the index"),
            }
        }
        Done::Failed(job, problem, status) => {
            let (id, path, view) = (job.id, &job.path, &job.view);
            match status {
                Status::Dead => tracing::error!("Job {id} is dead, {path} of `{view}`: {problem}"),
                _ => tracing::warn!("Job {id} is tried again, {path} of `{view}`: {problem}"),
            }
        }
        Done::Lost(job) => tracing::warn!("Job {} was taken over by another worker", job.id),
        Done::Away(problem) => tracing::warn!("The index cannot be used: {problem}"),
    }
}
