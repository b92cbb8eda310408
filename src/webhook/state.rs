//! What handlers share.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::Settings;
use crate::app::entity_index::{Indexer, Work};

/// What handlers and workers share.
pub(super) struct State {
    pub(super) indexer: Indexer,
    pub(super) work: Work,
    pub(super) settings: Settings,
    /// How many more requests may be worked on.
    pub(super) room: Arc<Semaphore>,
}

impl State {
    pub(super) fn new(indexer: Indexer, settings: Settings) -> Self {
        let room = Arc::new(Semaphore::new(settings.most_requests));
        Self { indexer, work: Work::default(), settings, room }
    }
}
