//! The projects of a registry that somebody asks for, each kept in memory.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

use super::{ProjectObjects, Rights, StoredObject};
use crate::{
    app::FeatureStore,
    config::RegistryCache,
    model::{ObjectKind, Timestamp},
    problem::Problem,
    registry::{Cached, Mark, Objects, Row, Snapshot, Status, Write},
};

/// So many projects are kept at most; that which nobody asked for longest gives way.
const MOST_PROJECTS: usize = 128;

/// A registry with all its projects. Threads can share it.
pub struct SharedRegistry {
    store: Arc<FeatureStore>,
    freshness: RegistryCache,
    projects: RwLock<BTreeMap<String, Arc<Kept>>>,
    /// The projects themselves.
    rows: Mutex<Option<KeptRows>>,
    /// Who reads the projects themselves.
    turn: Mutex<()>,
    /// How often something was changed here.
    changes: AtomicU64,
}

/// All projects, by name.
type ProjectRows = Arc<[Arc<StoredObject>]>;

/// All projects as they were read.
#[derive(Clone)]
struct KeptRows {
    rows: ProjectRows,
    /// When it was tried to read them last.
    looked: Timestamp,
    /// How much had been changed here then.
    changes: u64,
}

/// A project that is kept.
struct Kept {
    objects: Cached<ProjectObjects>,
    /// When somebody asked for it last, in microseconds.
    asked: AtomicI64,
    /// Whether it was changed here since it was looked at: who asks next is to see that.
    is_changed: AtomicBool,
}

/// What was written into a project.
pub(in crate::app) struct Written {
    /// What the project was recognised by before.
    mark: Option<Mark>,
    writes: Vec<Write>,
}

impl Written {
    /// These writes, into a project that held `before`.
    pub(super) fn of(before: &Snapshot, writes: Vec<Write>) -> Self {
        Self { mark: before.mark.clone(), writes }
    }

    /// Whether the project itself was written.
    fn is_of_project(&self) -> bool {
        self.writes.iter().any(|write| match write {
            Write::Put(Row { kind, .. }) | Write::Delete { kind, .. } => *kind == ObjectKind::Project,
            write => matches!(write, Write::DeleteProject),
        })
    }
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
        Self {
            store,
            freshness,
            projects: RwLock::default(),
            rows: Mutex::default(),
            turn: Mutex::default(),
            changes: AtomicU64::new(0),
        }
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

    /// A project was changed here: what is kept of it is brought up to date where it is known what was written, else it is read
    /// before it is given again.
    pub(in crate::app) fn changed(&self, project: &str, written: Option<&Written>) {
        let is_brought_up = |objects: &Cached<ProjectObjects>| {
            written
                .is_some_and(|Written { mark, writes }| objects.changed(mark.as_ref(), |objects| objects.after(writes)))
        };
        if let Some(kept) = self.known(project)
            && !is_brought_up(&kept.objects)
        {
            kept.is_changed.store(true, Ordering::SeqCst);
        }
        if written.is_none_or(Written::is_of_project) {
            self.changes.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// The objects of a project, if they are given without waiting for anybody.
    pub fn at_hand(&self, project: &str) -> Option<Arc<ProjectObjects>> {
        self.known(project).filter(|kept| !kept.is_changed.load(Ordering::SeqCst))?.objects.at_hand()
    }

    /// All projects themselves, by name; while the registry is away, those that are known.
    ///
    /// # Errors
    /// When they were never read and cannot be.
    pub fn projects(&self, freshness: Freshness) -> Result<ProjectRows, Problem> {
        let kept = self.rows().clone();
        let kept_enough = kept.as_ref().filter(|kept| freshness == Freshness::Kept && kept.changes == self.changes());
        if let Some(kept) = kept_enough.filter(|kept| self.is_recent(kept.looked)) {
            return Ok(Arc::clone(&kept.rows));
        }
        let _turn = match (self.turn.try_lock(), kept_enough) {
            (Ok(turn), _) => turn,
            // Somebody looks already, which may take long.
            (Err(TryLockError::WouldBlock), Some(kept)) => return Ok(Arc::clone(&kept.rows)),
            _ => self.turn.lock().unwrap_or_else(PoisonError::into_inner),
        };
        let changes = self.changes();
        let (rows, changes) = match (self.store.replica().project_rows(), kept) {
            (Ok(rows), _) => (rows.into_iter().map(|row| Arc::new(StoredObject::of(row))).collect(), changes),
            (Err(_), Some(kept)) => (kept.rows, kept.changes),
            (Err(problem), None) => return Err(problem),
        };
        *self.rows() = Some(KeptRows { rows: Arc::clone(&rows), looked: self.store.now(), changes });
        Ok(rows)
    }

    fn rows(&self) -> MutexGuard<'_, Option<KeptRows>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Whether it need not be looked again after this moment.
    fn is_recent(&self, looked: Timestamp) -> bool {
        let age = self.now().checked_sub(looked.micros()).and_then(|age| u128::try_from(age).ok());
        age.is_some_and(|age| age < self.freshness.period.as_micros())
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
        let (store, of_project) = (Arc::clone(&self.store), project.to_owned());
        let make = move |snapshot: Snapshot, before: Option<&ProjectObjects>| {
            let rights = Rights::in_project(&store, &of_project, &snapshot.rows);
            ProjectObjects::of(snapshot, rights, before)
        };
        let clock: fn() -> Timestamp = self.store.clock();
        let registry: Arc<dyn Objects> = Arc::clone(self.store.replica()) as _;
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
