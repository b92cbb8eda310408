//! The same work for many items, on all processors, or by as many as can wait at a time.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// What `work` makes of each item, in their order, on all processors.
pub(crate) fn side_by_side<'a, I: Sync, T: Send>(items: &'a [I], work: impl Fn(&'a I) -> T + Sync) -> Vec<T> {
    // A few items are done before threads have started.
    const FEW: usize = 4;
    if items.len() <= FEW {
        return items.iter().map(work).collect();
    }
    // Asking for the processors reads files, so it is not done for a few items.
    on_threads(thread::available_parallelism().map_or(1, usize::from), items, work)
}

/// The same for work that mostly waits for somebody else, as for a server.
pub(crate) fn waiting_side_by_side<'a, I: Sync, T: Send>(items: &'a [I], work: impl Fn(&'a I) -> T + Sync) -> Vec<T> {
    /// How many wait at a time.
    const WAITING: usize = 16;
    on_threads(WAITING, items, work)
}

fn on_threads<'a, I: Sync, T: Send>(threads: usize, items: &'a [I], work: impl Fn(&'a I) -> T + Sync) -> Vec<T> {
    let threads = threads.min(items.len());
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let some = || {
        let mut done = Vec::new();
        while let Some(index) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|index| *index < items.len()) {
            done.push((index, work(&items[index])));
        }
        done
    };
    let mut all: Vec<(usize, T)> = thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(some)).collect();
        let mut all = some();
        for worker in workers {
            match worker.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, made)| made).collect()
}
