use std::sync::atomic::{AtomicBool, Ordering};

use super::{
    context::{RunOptions, Stores},
    event::{Event, OnEvent},
};
use crate::model::{Interval, RunCounts, RunRecord, RunState, ShardedRun, ShardsDone, Timestamp};

/// Characters of a message that are kept; some databases have little room.
const MESSAGE: usize = 2_000;

/// Notes the start and the end of a view's run in the registry's history. A history that cannot be
/// written stops no run: it is said once.
pub(crate) struct RunHistory<'a> {
    stores: &'a Stores<'a>,
    by: &'a str,
    view: &'a str,
    on_event: &'a OnEvent<'a>,
    /// Whether the history of all views together works, as far as is known.
    works: &'a AtomicBool,
    id: String,
    started: Timestamp,
    /// How far the shards are, of a run that has some.
    shards: Option<ShardsDone>,
}

impl<'a> RunHistory<'a> {
    pub(crate) fn new(
        stores: &'a Stores<'a>,
        options: &'a RunOptions<'a>,
        view: &'a str,
        on_event: &'a OnEvent<'a>,
        works: &'a AtomicBool,
    ) -> Self {
        let (id, started) = (uuid::Uuid::new_v4().to_string(), (stores.clock)());
        Self { stores, by: options.by, view, on_event, works, id, started, shards: None }
    }

    /// That of a run that was begun elsewhere.
    pub(crate) fn of(
        stores: &'a Stores<'a>,
        run: &'a ShardedRun,
        on_event: &'a OnEvent<'a>,
        works: &'a AtomicBool,
    ) -> Self {
        let (id, started, shards) = (run.id.clone(), run.started, Some(run.shards_done()));
        Self { stores, by: &run.by, view: &run.view, on_event, works, id, started, shards }
    }

    /// When the run began.
    pub(crate) const fn started(&self) -> Timestamp {
        self.started
    }

    /// What the run is called.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Notes that the run goes on in so many shards.
    pub(crate) fn divide(&mut self, interval: Interval, counts: RunCounts, shards: ShardsDone) {
        self.shards = Some(shards);
        self.note(interval, counts, RunState::Started);
    }

    /// Notes that the run has begun. If nothing follows, it was cut off.
    pub(crate) fn start(&self, interval: Interval) {
        self.note(interval, RunCounts::default(), RunState::Started);
    }

    /// Notes how the run ended: `message` says why it failed.
    pub(crate) fn finish(&self, interval: Interval, counts: RunCounts, message: Option<String>) {
        let finished = (self.stores.clock)();
        let state = match message {
            None => RunState::Done { finished },
            Some(message) => RunState::Failed { finished, message: message.chars().take(MESSAGE).collect() },
        };
        self.note(interval, counts, state);
    }

    fn note(&self, interval: Interval, counts: RunCounts, state: RunState) {
        if !self.works.load(Ordering::Relaxed) {
            return;
        }
        let run = RunRecord {
            id: self.id.clone(),
            view: self.view.to_owned(),
            interval,
            started: self.started,
            by: self.by.to_owned(),
            counts,
            shards: self.shards,
            state,
        };
        if let Err(error) = self.stores.registry.record_run(self.stores.project, &run)
            && self.works.swap(false, Ordering::Relaxed)
        {
            let message = format!("this run is not in the history: {}", error.message);
            (self.on_event)(&Event::Warning { message, help: error.advice });
        }
    }
}
