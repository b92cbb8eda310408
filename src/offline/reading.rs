//! Reading a scan on all processors.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use super::Cancel;
use crate::{
    problem::Problem,
    sources::{Rows, Scan},
};

/// What `make` makes of each batch of rows, in any order.
///
/// # Errors
/// The first problem of reading or making; the other threads end then.
pub(super) fn read<T: Send>(
    scan: &Arc<Scan>,
    cancel: &Cancel,
    make: impl Fn(Rows) -> Result<T, Problem> + Sync,
) -> Result<Vec<T>, Problem> {
    let run = scan.run();
    let failure: Mutex<Option<Problem>> = Mutex::new(None);
    let has_failed = || failure.lock().unwrap_or_else(PoisonError::into_inner).is_some();
    let work = || {
        let mut made = Vec::new();
        let mut read = || {
            while let Some(mut part) = run.part()? {
                while let Some(rows) = run.batch(&mut part)? {
                    cancel.check()?;
                    made.push(make(rows)?);
                }
                if has_failed() {
                    return Ok(());
                }
            }
            Ok(())
        };
        if let Err(problem) = read() {
            failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(problem);
        }
        made
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let made = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut made = work();
        for other in others {
            match other.join() {
                Ok(more) => made.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        made
    });
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(problem) => Err(problem),
        None => Ok(made),
    }
}
