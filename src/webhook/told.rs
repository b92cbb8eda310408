//! What the log tells of jobs.

use crate::{
    app::entity_index::Done,
    diagnostics::counted,
    entity_index::{Outcome, Status},
};

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
