//! The datasets that a server makes: so many at a time, told of until others take their place.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Semaphore, time::timeout};

use crate::{
    app::{datasets::Making, registered::SharedRegistry},
    clients::runtime::{blocking, runtime},
    model::Timestamp,
    problem::{Kind, Problem},
};

/// So many are made at a time, as in Feast.
const AT_A_TIME: u32 = 2;
/// So many more may wait.
const MOST_WAITING: usize = 64;
/// So many are told of.
const MOST_KEPT: usize = 1_000;
/// How long those that are called off may take to end.
const LAST_MOMENTS: Duration = Duration::from_secs(5);

/// The datasets that are made, or were.
pub(in crate::registry_server) struct Jobs {
    /// The newest first.
    jobs: Mutex<VecDeque<Arc<Job>>>,
    slots: Arc<Semaphore>,
    is_ending: Arc<AtomicBool>,
}

/// A dataset that is made, or was.
pub(in crate::registry_server) struct Job {
    pub(super) id: String,
    pub(super) dataset: String,
    pub(super) project: String,
    pub(super) created: Timestamp,
    making: Making,
    progress: Mutex<Progress>,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Progress {
    Pending,
    Running,
    Completed(Timestamp),
    Failed(Timestamp, String),
}

impl Progress {
    /// Feast's word for it.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed(_) => "completed",
            Self::Failed(..) => "failed",
        }
    }

    /// When it ended, and why it failed if it did.
    pub(super) fn end(&self) -> (Option<Timestamp>, Option<&str>) {
        match self {
            Self::Pending | Self::Running => (None, None),
            Self::Completed(moment) => (Some(*moment), None),
            Self::Failed(moment, error) => (Some(*moment), Some(error)),
        }
    }

    const fn has_ended(&self) -> bool {
        matches!(self, Self::Completed(_) | Self::Failed(..))
    }
}

impl Default for Jobs {
    fn default() -> Self {
        Self { jobs: Mutex::default(), slots: Arc::new(Semaphore::new(AT_A_TIME as usize)), is_ending: Arc::default() }
    }
}

impl Job {
    /// How far it is.
    pub(super) fn progress(&self) -> Progress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, progress: Progress) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }
}

impl Jobs {
    /// Begins to make a dataset when there is room. `request` is the id of the call that wants it.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when too many wait, or the server ends.
    pub(super) fn submit(
        &self,
        registry: &Arc<SharedRegistry>,
        making: Making,
        request: &str,
    ) -> Result<Arc<Job>, Problem> {
        let mut jobs = self.jobs();
        if self.is_ending.load(Ordering::SeqCst) {
            return Err(Problem::new(Kind::Unavailable, "the server is about to end, and begins nothing", None));
        }
        if jobs.iter().filter(|job| job.progress() == Progress::Pending).count() >= MOST_WAITING {
            let message = format!("{MOST_WAITING} datasets wait to be made");
            return Err(Problem::new(Kind::Unavailable, message, "ask again later".to_owned()));
        }
        let job = Arc::new(Job {
            id: uuid::Uuid::new_v4().to_string(),
            dataset: making.name().to_owned(),
            project: making.project().to_owned(),
            created: registry.store().now(),
            making,
            progress: Mutex::new(Progress::Pending),
        });
        let task = carry_out(
            (Arc::clone(&job), Arc::clone(registry)),
            (Arc::clone(&self.slots), Arc::clone(&self.is_ending)),
            request.to_owned(),
        );
        runtime()?.spawn(task);
        jobs.push_front(Arc::clone(&job));
        // The oldest of those that have ended gives way.
        if let Some(oldest) = jobs.iter().rposition(|job| job.progress().has_ended()).filter(|_| jobs.len() > MOST_KEPT)
        {
            jobs.remove(oldest);
        }
        Ok(job)
    }

    /// The job with an id.
    pub(super) fn find(&self, id: &str) -> Option<Arc<Job>> {
        self.jobs().iter().find(|job| job.id == id).cloned()
    }

    /// All of them, the newest first.
    pub(super) fn all(&self) -> Vec<Arc<Job>> {
        self.jobs().iter().cloned().collect()
    }

    /// From now on none begins. Those that are carried out may end by themselves as long as the limit says; then they are
    /// called off, and leave nothing.
    pub(in crate::registry_server) async fn end(&self, limit: Duration) {
        self.is_ending.store(true, Ordering::SeqCst);
        // Those that wait for a slot come first, and see that it ends.
        if timeout(limit, self.slots.acquire_many(AT_A_TIME)).await.is_err() {
            self.all().iter().for_each(|job| job.making.call_off());
            let _ = timeout(LAST_MOMENTS, self.slots.acquire_many(AT_A_TIME)).await;
        }
    }

    fn jobs(&self) -> MutexGuard<'_, VecDeque<Arc<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a dataset when there is room for it.
async fn carry_out(
    (job, registry): (Arc<Job>, Arc<SharedRegistry>),
    (slots, is_ending): (Arc<Semaphore>, Arc<AtomicBool>),
    request: String,
) {
    let now = {
        let registry = Arc::clone(&registry);
        move || registry.store().now()
    };
    let slot = slots.acquire_owned().await;
    if slot.is_err() || is_ending.load(Ordering::SeqCst) {
        return job.note(Progress::Failed(now(), "the server ended before it was begun".to_owned()));
    }
    job.note(Progress::Running);
    let made = blocking({
        let job = Arc::clone(&job);
        move || job.making.carry_out(&registry)
    });
    let (project, dataset, id) = (job.project.as_str(), job.dataset.as_str(), job.id.as_str());
    match made.await {
        Ok(rows) => {
            tracing::info!(request_id = request, project, job = id, "saved dataset {dataset} was made, {rows} rows");
            job.note(Progress::Completed(now()));
        }
        Err(failure) => {
            let problem = failure.into_problem();
            let help = problem.help().map(|help| format!(" ({help})")).unwrap_or_default();
            tracing::warn!(request_id = request, project, job = id, "saved dataset {dataset} was not made: {problem}");
            job.note(Progress::Failed(now(), format!("{}{help}", problem.message)));
        }
    }
    drop(slot);
}
