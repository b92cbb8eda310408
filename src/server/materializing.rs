//! How materializations are carried out: each on a thread of its own to its end, whether or not somebody waits for it.

use std::{sync::Arc, thread};

use tokio::sync::oneshot;

use super::{
    error::Error,
    jobs::{Accepted, Job},
    state::State,
};
use crate::{
    app::{
        Caller,
        materialize::{Materialized, busy_views, materialize, wanted_views},
    },
    clients::runtime::blocking,
    diagnostics::counted,
    materialize::Outcome,
    problem::{Kind, Problem},
};

impl State {
    /// Carries out a job when it is its turn, and waits for it. One that has begun ends by itself, even if nobody waits any
    /// more. What was done is told in any case.
    ///
    /// # Errors
    /// When it cannot be begun.
    pub(super) async fn carry_out(self: &Arc<Self>, caller: Caller, job: Job) -> Result<Materialized, Problem> {
        let slot = self.jobs.slot().await?;
        let (tell, told) = oneshot::channel();
        let state = Arc::clone(self);
        let work = move || {
            let done = materialize(&state.store, &caller, job.request());
            if let Ok(done) = &done {
                state.tell(done);
            }
            drop(slot);
            // Who waited for it may be gone.
            let _ = tell.send(done);
        };
        let thread = thread::Builder::new().name("feastr-materialize".to_owned());
        thread.spawn(work).map_err(|error| {
            Problem::new(Kind::Unavailable, format!("there is no thread to materialize on: {error}"), None)
        })?;
        let panicked = || Problem::new(Kind::Internal, "the server has a mistake, which it wrote to its log", None);
        told.await.map_err(|_| panicked())?.map_err(Problem::from)
    }

    /// The same for a job that was accepted and nobody waits for. That it cannot be begun is told, too.
    pub(super) fn carry_out_later(self: &Arc<Self>, caller: Caller, job: Job, accepted: Accepted) {
        let state = Arc::clone(self);
        tokio::spawn(async move {
            let views = job.views.clone();
            if let Err(problem) = state.carry_out(caller, job).await {
                tracing::warn!("Not materialized: {}: {problem}", views.join(", "));
            }
            drop(accepted);
        });
    }

    /// Takes a job in, unless some of its views are being materialized or about to be; with `force` in any case. Tells the
    /// views that it is of, or else those.
    ///
    /// # Errors
    /// When something is wanted that cannot be done, or the registry cannot be read.
    pub(super) async fn take_in(
        self: &Arc<Self>,
        caller: Caller,
        job: Job,
        force: bool,
    ) -> Result<Result<Vec<String>, Vec<String>>, Error> {
        let (state, asks) = (Arc::clone(self), caller.clone());
        Ok(match blocking(move || state.accept(&asks, job, force)).await? {
            Ok((job, accepted)) => {
                let views = job.views.clone();
                self.carry_out_later(caller, job, accepted);
                Ok(views)
            }
            Err(busy) => Err(busy),
        })
    }

    /// The job with the names of its views, or those of them that are busy.
    fn accept(&self, caller: &Caller, job: Job, force: bool) -> Result<Result<(Job, Accepted), Vec<String>>, Error> {
        let views = wanted_views(&self.store, caller, job.request())?;
        let accepted = match self.jobs.accept(&views, force) {
            Ok(accepted) => accepted,
            Err(busy) => return Ok(Err(busy)),
        };
        if !force {
            let busy = busy_views(&self.store, caller, &views)?;
            if !busy.is_empty() {
                return Ok(Err(busy));
            }
        }
        Ok(Ok((Job { views, ..job }, accepted)))
    }

    /// Tells the log and the metrics what was done.
    fn tell(&self, done: &Materialized) {
        if let Some(problem) = done.problem() {
            tracing::warn!("Materialized not all: {problem}");
        }
        let report = match done {
            Materialized::Here(report) => report,
            Materialized::ByServer(run) => {
                return tracing::info!("Materialized by {}: {}", run.server, run.views.join(", "));
            }
        };
        for view in &report.views {
            let is_done = view.outcome == Outcome::Done;
            if is_done {
                tracing::info!("Materialized {} ({})", view.view, counted(view.counts.written, "row"));
            }
            if let Some(metrics) = &self.telemetry.metrics {
                metrics.materialized(&view.view, is_done, view.seconds);
            }
        }
    }
}
