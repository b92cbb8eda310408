//! What handlers share.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::Settings;
use crate::{
    app::{
        Caller,
        entity_index::{Indexer, Work},
    },
    daemon::telemetry::{IndexMetrics, Telemetry},
    problem::Problem,
};

/// What handlers and workers share.
pub(super) struct State {
    pub(super) indexer: Indexer,
    pub(super) work: Work,
    pub(super) settings: Settings,
    /// What is told of requests and jobs.
    pub(super) telemetry: Arc<Telemetry>,
    /// How many more requests may be worked on.
    pub(super) room: Arc<Semaphore>,
}

impl State {
    /// # Errors
    /// When what is told of requests cannot be told.
    pub(super) fn new(indexer: Indexer, caller: &Caller, settings: Settings) -> Result<Self, Problem> {
        let room = Arc::new(Semaphore::new(settings.most_requests));
        let telemetry = Arc::new(Telemetry::of_entity_index(&settings.telemetry, indexer.store(), caller)?);
        Ok(Self { indexer, work: Work::default(), settings, telemetry, room })
    }

    /// What jobs and events count in, if they are counted.
    pub(super) fn metrics(&self) -> Option<&IndexMetrics> {
        self.telemetry.metrics.as_ref()?.index.as_ref()
    }
}
