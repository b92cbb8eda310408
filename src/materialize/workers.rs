use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use super::{
    context::{RunOptions, Stores},
    event::{Event, OnEvent},
    interval::ViewRun,
    report::{Outcome, ViewReport},
    run::ViewMaterialization,
};
use crate::model::RunCounts;

/// Materializes views and reports on them in their order; one that fails does not stop the others
/// unless that is wanted.
///
/// A chunk's interval is recorded only after all its values are stored. A run that is killed before
/// leaves values but no interval, so the next one does it again.
pub fn run(stores: &Stores<'_>, runs: &[ViewRun], options: &RunOptions<'_>, on_event: &OnEvent<'_>) -> Vec<ViewReport> {
    let (next, stopped, history_works) = (AtomicUsize::new(0), AtomicBool::new(false), AtomicBool::new(true));
    let reports: Mutex<Vec<(usize, ViewReport)>> = Mutex::new(Vec::with_capacity(runs.len()));
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(run) = runs.get(number) else { return };
            let report = if stopped.load(Ordering::Relaxed) {
                not_started(run)
            } else {
                let offline = stores.offline.keeping();
                let stores = Stores { offline: offline.as_ref(), ..*stores };
                let report = ViewMaterialization::new(&stores, options, run, on_event, &history_works).run();
                on_event(&Event::ViewFinished(&report));
                report
            };
            if options.fail_fast && !report.outcome.is_right() {
                stopped.store(true, Ordering::Relaxed);
            }
            reports.lock().unwrap_or_else(PoisonError::into_inner).push((number, report));
        }
    };
    thread::scope(|scope| {
        for _ in 1..options.jobs.min(runs.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    reports.sort_by_key(|(number, _)| *number);
    reports.into_iter().map(|(_, report)| report).collect()
}

fn not_started(run: &ViewRun) -> ViewReport {
    ViewReport {
        view: run.view.name.clone(),
        interval: run.asked(),
        counts: RunCounts::default(),
        seconds: 0.0,
        outcome: Outcome::NotStarted,
        chunks: Vec::new(),
        materialized_until: run.left_at,
    }
}
