//! Workers: they do the jobs of the index, and give signs of life.

use std::{
    sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::Indexer;
use crate::{
    entity_index::{BEAT, Job, Outcome, Status},
    problem::{Kind, Problem},
};

/// How often those who have nothing to do look whether there is something. Whoever notes a job here wakes them.
const PAUSE: Duration = Duration::from_secs(1);

/// The most jobs that a worker takes at once.
const MOST: u32 = 16;

/// Who was faster with its jobs takes more of them the next time.
const SOON: Duration = Duration::from_millis(500);

/// How often jobs are forgotten that were done long ago.
const FORGETTING: Duration = Duration::from_secs(3_600);

/// When workers end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When there is nothing to do.
    Idle,
    /// When they are told to.
    Told,
}

/// Tells workers that there is something to do, or that they are to end.
#[derive(Debug, Default)]
pub struct Work {
    ended: AtomicBool,
    /// How often somebody noted something.
    noted: Mutex<u64>,
    changed: Condvar,
}

impl Work {
    /// There is something to do.
    pub fn wake(&self) {
        *self.noted.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    /// They are to end, after the jobs that they are at.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
        self.wake();
    }

    fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    fn noted(&self) -> u64 {
        *self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something was noted since, or for a while.
    fn wait(&self, since: u64, longest: Duration) {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_quiet = |noted: &mut u64| *noted == since && !self.is_ended();
        drop(self.changed.wait_timeout_while(noted, longest, is_quiet));
    }
}

/// What became of a job.
#[derive(Debug)]
pub enum Done {
    /// It is done.
    Ended(Job, Outcome),
    /// It failed, and this is how it stands now.
    Failed(Job, Problem, Status),
    /// Somebody else took it over.
    Lost(Job),
    /// The index cannot be used.
    Away(Problem),
}

/// Does jobs with some workers until they are to end; a job that fails `most_attempts` times is dead. `tell` hears of each.
/// When this returns, no job is held any more.
///
/// # Errors
/// When the index cannot be used, for workers that end when there is nothing to do; others wait until it can.
pub fn work(
    indexer: &Indexer,
    work: &Work,
    (workers, until, most_attempts): (usize, Until, u32),
    tell: &(dyn Fn(&Done) + Sync),
) -> Result<(), Problem> {
    let process = Uuid::new_v4().simple().to_string();
    let ended = AtomicBool::new(false);
    let worked = thread::scope(|scope| {
        scope.spawn(|| give_signs(indexer, &process, &ended));
        let one =
            |number: usize| Worker { indexer, work, until, most_attempts, tell, name: format!("{process}/{number}") };
        let running: Vec<_> = (0..workers.max(1)).map(|number| scope.spawn(move || one(number).run())).collect();
        let worked = running.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(panicked()))).collect();
        ended.store(true, Ordering::Relaxed);
        worked
    });
    let released = indexer.index.release(&process);
    let worked: Result<Vec<()>, Problem> = worked;
    worked.and(released)
}

fn panicked() -> Problem {
    Problem::new(Kind::Internal, "a worker of the entity index has ended by a mistake", None)
}

/// Lets nobody think that the workers of this process are dead, and forgets what was done long ago.
fn give_signs(indexer: &Indexer, process: &str, ended: &AtomicBool) {
    /// How soon it notices the end.
    const TICK: Duration = Duration::from_millis(50);
    let mut last = Instant::now();
    let mut forgot: Option<Instant> = None;
    while !ended.load(Ordering::Relaxed) {
        if forgot.is_none_or(|forgot| forgot.elapsed() >= FORGETTING) {
            forgot = Some(Instant::now());
            let kept = indexer.store.config().entity_index.keep_jobs;
            // What is not forgotten now is later.
            let _ = kept.map(|kept| indexer.index.forget(kept));
        }
        thread::sleep(TICK);
        if last.elapsed() >= BEAT {
            last = Instant::now();
            // While the index is away nobody else takes a job either.
            let _ = indexer.index.beat(process);
        }
    }
}

struct Worker<'a> {
    indexer: &'a Indexer,
    work: &'a Work,
    until: Until,
    most_attempts: u32,
    tell: &'a (dyn Fn(&Done) + Sync),
    name: String,
}

impl Worker<'_> {
    fn run(&self) -> Result<(), Problem> {
        let (mut was_away, mut most) = (false, 1);
        while !self.work.is_ended() {
            let noted = self.work.noted();
            match (self.indexer.index.claim(&self.name, most), self.until) {
                (Ok(jobs), _) if !jobs.is_empty() => {
                    was_away = false;
                    let began = Instant::now();
                    self.some(jobs);
                    // What takes longer is left to others.
                    most = if began.elapsed() < SOON { (most * 2).min(MOST) } else { 1 };
                }
                (Ok(_), Until::Idle) => return Ok(()),
                (Ok(_), Until::Told) => {
                    was_away = false;
                    self.work.wait(noted, PAUSE);
                }
                (Err(problem), Until::Idle) => return Err(problem),
                (Err(problem), Until::Told) => {
                    if !was_away {
                        (self.tell)(&Done::Away(problem));
                    }
                    was_away = true;
                    self.work.wait(noted, PAUSE);
                }
            }
        }
        Ok(())
    }

    /// Does some jobs, and tells of each.
    fn some(&self, jobs: Vec<Job>) {
        let done = match self.indexer.views() {
            Ok(views) => self.indexer.index.carry_out(&jobs, &views, self.indexer.store.whereabouts()),
            Err(problem) => jobs.iter().map(|_| Err(problem.clone())).collect(),
        };
        for (job, outcome) in jobs.into_iter().zip(done) {
            (self.tell)(&match outcome {
                Ok(outcome) => Done::Ended(job, outcome),
                Err(problem) => match self.indexer.index.fail(&job, &problem, self.most_attempts) {
                    Ok(Some(status)) => Done::Failed(job, problem, status),
                    Ok(None) => Done::Lost(job),
                    // It is begun again when the index is back.
                    Err(away) => Done::Away(away),
                },
            });
        }
    }
}
