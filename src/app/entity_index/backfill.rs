//! What is there before anybody tells of it: compared with the index, and brought into it.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use super::{Done, Indexer, Until, Work, work};
use crate::{
    app::Failure,
    diagnostics::did_you_mean,
    entity_index::{Compared, Difference, IndexedView, Outcome},
    problem::{Kind, Problem},
};

/// Views by their names, or all.
pub type Selected<'a> = Option<&'a [String]>;

/// How far it is.
#[derive(Debug)]
pub enum Step<'a> {
    /// The files of a view were found: its name, and how many there are.
    Listed(&'a str, usize),
    /// So many objects differ from what is in the index.
    Differ(usize),
    /// What became of one of them.
    Done(&'a Done),
}

/// What was brought into the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backfilled {
    /// Objects whose rows are new or replaced.
    pub indexed: u64,
    /// How many rows they have together, of all entities.
    pub rows: u64,
    /// Objects that are not there any more.
    pub removed: u64,
    /// Attempts that failed; they are made again later.
    pub failed: u64,
}

/// What differs between the files of views and the index.
///
/// # Errors
/// When a view is not known, files cannot be listed, or the index cannot be read.
pub fn verify(indexer: &Indexer, selected: Selected<'_>, tell: &dyn Fn(&Step<'_>)) -> Result<Vec<Difference>, Failure> {
    let views = indexer.views()?;
    check(&views, selected)?;
    let whereabouts = indexer.store.whereabouts();
    let compared = Compared { views: &views, only: selected, whereabouts };
    Ok(indexer.index.compare(compared, &mut |view, files| tell(&Step::Listed(view, files)))?)
}

/// Brings into the index what differs, with some workers; a job that fails `most_attempts` times is dead. What other jobs
/// wait are done as well.
///
/// # Errors
/// As for [`verify`], and when the index cannot be written.
pub fn backfill(
    indexer: &Indexer,
    selected: Selected<'_>,
    (workers, most_attempts): (usize, u32),
    tell: &(dyn Fn(&Step<'_>) + Sync),
) -> Result<Backfilled, Failure> {
    let differences = verify(indexer, selected, &|step| tell(step))?;
    tell(&Step::Differ(differences.len()));
    if differences.is_empty() {
        return Ok(Backfilled::default());
    }
    indexer.index.note_differences(&differences)?;
    let [indexed, rows, removed, failed] = [const { AtomicU64::new(0) }; 4];
    let away = Mutex::new(None);
    work(indexer, &Work::default(), (workers, Until::Idle, most_attempts), &|done| {
        let (counter, count) = match done {
            Done::Ended(_, Outcome::Indexed(of_object)) => {
                rows.fetch_add(*of_object, Ordering::Relaxed);
                (&indexed, 1)
            }
            Done::Ended(_, Outcome::Removed) => (&removed, 1),
            Done::Failed(..) => (&failed, 1),
            Done::Away(problem) => {
                *away.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem.clone());
                return;
            }
            Done::Ended(_, Outcome::Known | Outcome::Nothing) | Done::Lost(_) => (&indexed, 0),
        };
        counter.fetch_add(count, Ordering::Relaxed);
        tell(&Step::Done(done));
    })?;
    if let Some(problem) = away.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(problem.into());
    }
    Ok(Backfilled {
        indexed: indexed.into_inner(),
        rows: rows.into_inner(),
        removed: removed.into_inner(),
        failed: failed.into_inner(),
    })
}

/// Whether all names are those of views that the index knows.
fn check(views: &[IndexedView], selected: Selected<'_>) -> Result<(), Problem> {
    for name in selected.unwrap_or_default() {
        if !views.iter().any(|view| view.name == *name) {
            let help = did_you_mean(name, views.iter().map(|view| view.name.as_str())).unwrap_or_else(|| {
                "it knows registered views with entities over files, but for computed views and Delta tables".to_owned()
            });
            return Err(Problem::new(Kind::NotFound, format!("the entity index knows no view `{name}`"), help));
        }
    }
    Ok(())
}
