//! The projects of a registry that somebody asks for, each kept in memory.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use super::{ProjectObjects, StoredObject};
use crate::{
    app::FeatureStore,
    config::RegistryCache,
    model::Timestamp,
    problem::Problem,
    registry::{Cached, Objects, Status},
};

/// So many projects are kept at most; that which nobody asked for longest gives way.
const MOST_PROJECTS: usize = 128;

/// A registry with all its projects. Threads can share it.
pub struct SharedRegistry {
    store: Arc<FeatureStore>,
    freshness: RegistryCache,
    projects: RwLock<BTreeMap<String, Arc<Kept>>>,
    /// The projects themselves, and when they were read.
    rows: Mutex<Option<(Timestamp, ProjectRows)>>,
}

/// All projects, by name.
type ProjectRows = Arc<Vec<Arc<StoredObject>>>;

/// A project that is kept.
struct Kept {
    objects: Cached<ProjectObjects>,
    /// When somebody asked for it last, in microseconds.
    asked: AtomicI64,
    /// Whether it was changed here since it was looked at: who asks next is to see that.
    is_changed: AtomicBool,
}

/// How right an answer has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// As it is kept: as old as the registry is looked at again.
    Kept,
    /// The registry is looked at before it is answered; while it is away, what is known is given.
    Now,
}

impl SharedRegistry {
    /// The registry of a store. What is read of it is kept, as fresh as this.
    pub fn of(store: Arc<FeatureStore>, freshness: RegistryCache) -> Self {
        Self { store, freshness, projects: RwLock::default(), rows: Mutex::default() }
    }

    /// The store whose registry it is.
    pub const fn store(&self) -> &Arc<FeatureStore> {
        &self.store
    }

    /// The objects of a project; of one that does not exist there are none.
    ///
    /// # Errors
    /// When the project was never read and cannot be.
    pub fn objects(&self, project: &str, freshness: Freshness) -> Result<Arc<ProjectObjects>, Problem> {
        let kept = self.kept(project)?;
        let is_changed = kept.is_changed.swap(false, Ordering::SeqCst);
        match freshness {
            Freshness::Kept if !is_changed => kept.objects.state(),
            Freshness::Kept | Freshness::Now => kept.objects.fresh(),
        }
    }

    /// A project was changed here.
    pub(super) fn changed(&self, project: &str) {
        if let Some(kept) = self.known(project) {
            kept.is_changed.store(true, Ordering::SeqCst);
        }
        *self.rows.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The objects of a project, if they are given without waiting for anybody.
    pub fn at_hand(&self, project: &str) -> Option<Arc<ProjectObjects>> {
        self.known(project).filter(|kept| !kept.is_changed.load(Ordering::SeqCst))?.objects.at_hand()
    }

    /// All projects themselves, by name.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn projects(&self, freshness: Freshness) -> Result<ProjectRows, Problem> {
        let mut kept = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.store.now();
        let is_right = |read: &Timestamp| {
            let age = now.micros().checked_sub(read.micros()).and_then(|age| u128::try_from(age).ok());
            age.is_some_and(|age| age < self.freshness.period.as_micros())
        };
        if let (Some((read, rows)), Freshness::Kept) = (&*kept, freshness)
            && is_right(read)
        {
            return Ok(Arc::clone(rows));
        }
        let rows = self.store.replica().project_rows()?;
        let rows: ProjectRows = Arc::new(rows.into_iter().map(|row| Arc::new(StoredObject::of(row))).collect());
        *kept = Some((now, Arc::clone(&rows)));
        Ok(rows)
    }

    /// How right what is known is of the store's own project; `None` before it was read.
    pub fn status(&self) -> Option<Status> {
        self.known(self.store.project())?.objects.status()
    }

    fn known(&self, project: &str) -> Option<Arc<Kept>> {
        let kept = self.projects.read().unwrap_or_else(PoisonError::into_inner).get(project).map(Arc::clone)?;
        kept.asked.store(self.now(), Ordering::Relaxed);
        Some(kept)
    }

    fn kept(&self, project: &str) -> Result<Arc<Kept>, Problem> {
        if let Some(kept) = self.known(project) {
            return Ok(kept);
        }
        let mut projects = self.projects.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = projects.get(project) {
            return Ok(Arc::clone(kept));
        }
        let (registry, unruled) = (Arc::clone(self.store.replica()), self.store.unruled());
        let reviewed = self.store.reviewed_in(project);
        let make = move |snapshot| ProjectObjects::of(snapshot, unruled).reviewed_by(reviewed.clone());
        let clock: fn() -> Timestamp = self.store.clock();
        let registry: Arc<dyn Objects> = registry;
        let objects = Cached::made(registry, project, self.freshness, Arc::new(clock), make)?;
        let kept = Arc::new(Kept { objects, asked: AtomicI64::new(self.now()), is_changed: AtomicBool::new(false) });
        let longest = projects.iter().min_by_key(|(_, kept)| kept.asked.load(Ordering::Relaxed));
        let given_up = longest.filter(|_| projects.len() >= MOST_PROJECTS).map(|(name, _)| name.clone());
        let given_up = given_up.and_then(|name| projects.remove(&name));
        projects.insert(project.to_owned(), Arc::clone(&kept));
        drop(projects);
        // Its worker is waited for, but not by everybody.
        drop(given_up);
        Ok(kept)
    }

    fn now(&self) -> i64 {
        self.store.now().micros()
    }
}
