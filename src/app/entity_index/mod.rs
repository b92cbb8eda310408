//! The index of entities: events are noted, jobs done, files compared, and entities looked up.

mod backfill;
mod seen;
mod workers;

use std::sync::{Arc, Mutex, PoisonError};

pub use backfill::{Backfilled, Selected, Step, backfill, verify};
pub(super) use seen::Sought;
pub use workers::{Done, Until, Work, work};

use super::{Failure, FeatureStore};
use crate::{
    entity_index::{BucketEvent, EntityIndex, IndexedView, JobRecord, Noted, Standing, Status, indexed_views},
    model::RegistryState,
    problem::Problem,
};

/// What is registered, and the views of it that are indexed.
type ViewsOfState = (Arc<RegistryState>, Arc<Vec<IndexedView>>);

/// The index of a feature store, opened once. Threads can share it.
pub struct Indexer {
    store: Arc<FeatureStore>,
    index: EntityIndex,
    /// The views of the state that was registered when somebody asked last.
    views: Mutex<Option<ViewsOfState>>,
}

impl Indexer {
    /// The index that the settings of the store name. Nothing is opened yet.
    ///
    /// # Errors
    /// When there is no database for it.
    pub fn open(store: Arc<FeatureStore>) -> Result<Self, Problem> {
        let index = opened(&store)?;
        Ok(Self { store, index, views: Mutex::default() })
    }

    /// The store.
    pub const fn store(&self) -> &Arc<FeatureStore> {
        &self.store
    }

    /// Where it is, without a password.
    pub fn place(&self) -> String {
        self.index.place()
    }

    /// Notes what is to be done because of events; when this returns it is stored. With `most` jobs that are not done,
    /// nothing is.
    ///
    /// # Errors
    /// When too many jobs wait, or the registry or the index cannot be used.
    pub fn note(&self, events: &[BucketEvent], most: u64) -> Result<Noted, Failure> {
        let views = self.views()?;
        let config = self.store.config();
        Ok(self.index.note_events(events, &views, (&config.entity_index, &config.repo), most)?)
    }

    /// Jobs, the latest first: those of a status, or all.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn jobs(&self, status: Option<Status>, most: u32) -> Result<Vec<JobRecord>, Failure> {
        Ok(self.index.jobs(status, most)?)
    }

    /// Lets dead jobs be tried again: those with these numbers, or all. Says how many.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn retry(&self, ids: Option<&[i64]>) -> Result<u64, Failure> {
        Ok(self.index.retry(ids)?)
    }

    /// How many jobs stand in each way, and for how long the oldest has been waiting.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn standing(&self) -> Result<Standing, Failure> {
        Ok(self.index.standing()?)
    }

    /// The views that the index knows, as they are registered.
    fn views(&self) -> Result<Arc<Vec<IndexedView>>, Problem> {
        let state = self.store.registered()?;
        let mut known = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, views)) = known.as_ref()
            && Arc::ptr_eq(of, &state)
        {
            return Ok(Arc::clone(views));
        }
        let views = Arc::new(indexed_views(&state));
        *known = Some((state, Arc::clone(&views)));
        Ok(views)
    }
}

/// The index of a store.
fn opened(store: &FeatureStore) -> Result<EntityIndex, Problem> {
    let config = store.config();
    EntityIndex::open(&config.entity_index, &config.registry, store.project())
}
