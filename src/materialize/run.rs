//! The run of one view: under its lock, chunk by chunk, each recorded after its values are stored.

use std::{collections::BTreeMap, sync::atomic::AtomicBool, time::Instant};

use uuid::Uuid;

use super::{
    checks, computed,
    context::{RunOptions, Stores},
    event::{Event, OnEvent},
    history::RunHistory,
    interval::{ViewRun, chunks},
    record::{recorded, registered, unchanged},
    report::{ChunkReport, OpenShards, Outcome, ViewReport},
    shards,
    values::{replace_in, write_values},
};
use crate::{
    model::{Checks, FeatureView, Interval, RunCounts, ShardedRun, Timestamp, ViewId},
    offline::{BatchSink, NewestQuery, NewestRead, Stage, Stager, Tasks},
    online::Replace,
    problem::{Advice, Kind, Problem},
    registry::{Decision, Snapshot, stale_until, update_view},
    retrieval::Retrieval,
};

/// From about so many entities on newest rows come through files where an engine writes such: servers limit what an answer may
/// have (Spark to 1 GB unless `spark.driver.maxResultSize` says else).
const MANY: u64 = 2_000_000;

/// Into how many files.
const FILES: u32 = 8;

/// Materializes one view: alone, chunk by chunk, each recorded when its values are stored.
pub(crate) struct ViewMaterialization<'a> {
    stores: &'a Stores<'a>,
    options: &'a RunOptions<'a>,
    /// As it was planned.
    run: &'a ViewRun,
    on_event: &'a OnEvent<'a>,
    history: RunHistory<'a>,
    interval: Interval,
    counts: RunCounts,
    chunks: Vec<ChunkReport>,
    /// Whether the source is known to have rows.
    has_rows: bool,
    /// Until when stored values were made by an earlier definition.
    stale_until: Option<Timestamp>,
    /// What is left to workers, if it is.
    opened: Option<OpenShards>,
}

impl<'a> ViewMaterialization<'a> {
    pub(crate) fn new(
        stores: &'a Stores<'a>,
        options: &'a RunOptions<'a>,
        run: &'a ViewRun,
        on_event: &'a OnEvent<'a>,
        history_works: &'a AtomicBool,
    ) -> Self {
        let interval = run.asked();
        let history = RunHistory::new(stores, options, &run.view.name, on_event, history_works);
        let (counts, chunks) = (RunCounts::default(), Vec::new());
        let (has_rows, stale_until, opened) = (false, None, None);
        Self { stores, options, run, on_event, history, interval, counts, chunks, has_rows, stale_until, opened }
    }

    pub(crate) fn run(mut self) -> ViewReport {
        let began = Instant::now();
        let outcome = match (self.materialize(), self.opened.take()) {
            (Ok(()), None) => Outcome::Done,
            (Ok(()), Some(opened)) => Outcome::Open(opened),
            (Err(problem), _) => Outcome::Failed(problem),
        };
        let remarks = checks::remarks(self.counts);
        if !remarks.is_empty() {
            let message = format!("{}: {}", self.run.view.name, remarks.join("; "));
            (self.on_event)(&Event::Warning { message, help: None });
        }
        let written_until = match outcome {
            Outcome::Done => Some(self.interval.end),
            _ => self.chunks.last().map(|chunk| chunk.interval.end),
        };
        ViewReport {
            view: self.run.view.name.clone(),
            interval: self.interval,
            counts: self.counts,
            seconds: began.elapsed().as_secs_f64(),
            outcome,
            chunks: self.chunks,
            materialized_until: written_until.filter(|_| self.options.entities.is_none()).max(self.run.left_at),
        }
    }

    fn id(&self) -> ViewId<'a> {
        ViewId { project: self.stores.project, name: &self.run.view.name }
    }

    /// Keeps the lock until the history says how the run ended, so that it never seems to have been cut off.
    fn materialize(&mut self) -> Result<(), Problem> {
        let lock = self.stores.registry.lock_view(self.id());
        let outcome = match &lock {
            Ok(_) => self.write_chunks(),
            Err(error) => Err(error.clone()),
        };
        if self.opened.is_none() {
            let message = outcome.as_ref().err().map(ToString::to_string);
            self.history.finish(self.interval, self.counts, message);
        }
        outcome
    }

    fn write_chunks(&mut self) -> Result<(), Problem> {
        let name = &self.run.view.name;
        // Read under the lock: since this run was planned, another one may have come further, and the
        // view may have become another one.
        let snapshot = self.stores.registry.view(self.id())?;
        let (view, materialized) = match &self.run.computed {
            Some(_) => (unchanged(&snapshot, &self.run.view)?, Vec::new()),
            None => registered(&snapshot, name)?,
        };
        self.stale_until = stale_until(&snapshot.metadata, name);
        shards::none_open(&snapshot.metadata, name, (self.stores.clock)())?;
        let run = ViewRun { view, ..self.run.clone() };
        let view = &run.view;
        let Some(interval) = self.interval(&run, &materialized)? else { return Ok(()) };
        let checks = checks::of(view)?;
        (self.interval, self.counts.future) = checks::look_ahead(self.stores, view, checks, interval)?;
        let chunks = chunks(self.interval, self.options.chunk)?;
        (self.on_event)(&Event::ViewStarted { view: name, interval: self.interval, chunks: chunks.len() });
        if let Some(shards) = self.options.shards {
            return self.divide(&snapshot, view, self.interval, shards);
        }
        self.history.start(self.interval);
        for interval in chunks {
            let (began, before) = (Instant::now(), self.counts);
            self.write_values(view, interval, checks)?;
            self.record(view, interval)?;
            let counts = difference(self.counts, before);
            let chunk = ChunkReport { interval, counts, seconds: began.elapsed().as_secs_f64() };
            (self.on_event)(&Event::ChunkFinished { view: name, chunk: &chunk });
            self.chunks.push(chunk);
        }
        Ok(())
    }

    /// What is left to write; `None` if another run has done it since this one was planned.
    fn interval(&self, run: &ViewRun, materialized: &[Interval]) -> Result<Option<Interval>, Problem> {
        let end = run.end();
        let start = match run.start(materialized) {
            Some(start) => start,
            None => run.start_at(self.first_event(&run.view)?.ok_or_else(empty_source)?),
        };
        if start <= end {
            return Ok(Some(Interval { start, end }));
        }
        if run.is_done(start, (self.stores.clock)()) {
            return Ok(None);
        }
        let message = format!("it is already materialized until {start}, after {end}");
        Err(Problem::new(Kind::Conflict, message, None).advise(Advice::LaterEndOrRange))
    }

    /// Counts the rows of an interval, and says about how many entities they are of; none without rows.
    fn count(&mut self, query: &NewestQuery<'_>) -> Result<Option<u64>, Problem> {
        let (view, interval) = (query.view, query.interval);
        let counted = match self.computed() {
            Some(inputs) => computed::count(self.stores, inputs, interval)?,
            None => self.stores.offline.count(query)?,
        };
        self.counts.without_time = counted.without_time;
        (self.on_event)(&Event::Counted { view: &view.name, rows: counted.rows, entities: counted.entities });
        if counted.rows == 0 {
            // Nothing new is fine, but no rows at all is a mistake.
            let is_empty = !self.has_rows && counted.is_empty && self.first_event(view)?.is_none();
            self.has_rows = !is_empty;
            return if is_empty { Err(empty_source()) } else { Ok(None) };
        }
        self.has_rows = true;
        self.counts.read += counted.rows;
        self.counts.without_key += counted.null_keys;
        Ok(Some(counted.entities))
    }

    fn write_values(&mut self, view: &FeatureView, interval: Interval, checks: Checks) -> Result<(), Problem> {
        let query = NewestQuery { view, interval, entities: self.options.entities };
        let Some(entities) = self.count(&query)? else { return Ok(()) };
        let (stores, inputs, replace) = (self.stores, self.computed(), self.replace(interval));
        let stager = stores.offline.stager().filter(|stager| entities >= MANY && stager.has_place());
        let on_event = self.on_event;
        let read = |sink: &mut dyn BatchSink| match (inputs, stager) {
            (Some(inputs), _) => computed::newest(stores, inputs, &query, sink),
            (None, Some(stager)) => newest_by_files(stores, stager, &query, (sink, on_event)),
            (None, None) => stores.offline.newest(&query, sink),
        };
        let written = (&mut self.counts, self.on_event);
        write_values(stores, (view, checks, replace), written, read, |writer| Ok((writer.finish()?, ())))
    }

    /// Has the newest rows written to files by an engine, and notes that the run is open.
    fn divide(
        &mut self,
        snapshot: &Snapshot,
        view: &FeatureView,
        interval: Interval,
        shards: u32,
    ) -> Result<(), Problem> {
        let query = NewestQuery::of(view, interval);
        if self.count(&query)?.is_none() {
            return self.record(view, interval);
        }
        let Some(stager) = self.stores.offline.stager() else { return Err(no_engine()) };
        let message = snapshot.rows.iter().find(|row| row.name == view.name);
        let message = message.map(|row| row.proto.as_slice());
        let now = (self.stores.clock)();
        let stage = Stage { run: self.history.id(), files: shards, view: message, now };
        let (name, on_event) = (&view.name, self.on_event);
        let watch = |tasks: Tasks| on_event(&Event::Staging { view: name, done: tasks.done, known: tasks.known });
        let folder = stager.stage_newest(&query, &stage, &watch)?;
        let opened = || {
            let files = folder.manifest()?.files.len();
            let run = ShardedRun {
                id: self.history.id().to_owned(),
                view: view.name.clone(),
                interval,
                folder: folder.location().to_owned(),
                shards,
                overwrites: self.options.replace == Replace::Everything,
                started: self.history.started(),
                heard: (self.stores.clock)(),
                by: self.options.by.to_owned(),
                counts: self.counts,
                done: BTreeMap::new(),
                servers: BTreeMap::new(),
            };
            shards::open(self.stores, &run, view)?;
            Ok::<_, Problem>((run, files))
        };
        let (run, files) = opened().inspect_err(|_| {
            // Nobody knows of it.
            let _ = folder.remove();
        })?;
        self.history.divide(interval, self.counts, run.shards_done());
        self.opened = Some(OpenShards { run: run.id, folder: run.folder, files, shards });
        Ok(())
    }

    /// What the values are computed of, if they are.
    fn computed(&self) -> Option<&'a Retrieval> {
        self.run.computed.as_deref()
    }

    fn first_event(&self, view: &FeatureView) -> Result<Option<Timestamp>, Problem> {
        match self.computed() {
            Some(inputs) => computed::first_event(self.stores, inputs),
            None => self.stores.offline.first_event(view),
        }
    }

    /// Which stored values give way to those of an interval.
    fn replace(&self, interval: Interval) -> Replace {
        replace_in(interval, self.options.replace, self.stale_until)
    }

    /// Notes in the registry that the interval of the view is in the online store, if it is for all entities.
    fn record(&self, view: &FeatureView, interval: Interval) -> Result<(), Problem> {
        // Feast's message of an on-demand view has no place for intervals; and of some entities it says nothing.
        if self.run.computed.is_some() || self.options.entities.is_some() {
            return Ok(());
        }
        let now = (self.stores.clock)();
        update_view(self.stores.registry, self.id(), |snapshot| {
            Ok(Decision::Write(recorded(snapshot, view, interval, now)?, ()))
        })
    }
}

/// Has the newest rows written to files by an engine, and reads them from there.
fn newest_by_files(
    stores: &Stores<'_>,
    stager: &dyn Stager,
    query: &NewestQuery<'_>,
    (sink, on_event): (&mut dyn BatchSink, &OnEvent<'_>),
) -> Result<NewestRead, Problem> {
    let run = Uuid::new_v4().to_string();
    let stage = Stage { run: &run, files: FILES, view: None, now: (stores.clock)() };
    let view = &query.view.name;
    let watch = |tasks: Tasks| on_event(&Event::Staging { view, done: tasks.done, known: tasks.known });
    let folder = stager.stage_newest(query, &stage, &watch)?;
    let read = folder.manifest().and_then(|manifest| {
        let files: Vec<_> = manifest.files.iter().collect();
        shards::read_files(stores, query.view, (&folder, &files), sink)
    });
    shards::remove(&folder, on_event);
    read
}

fn no_engine() -> Problem {
    let message = "only an engine divides newest rows into shards";
    Problem::new(Kind::Unsupported, message, None).advise(Advice::WholeRunOrEngine)
}

fn empty_source() -> Problem {
    Problem::new(Kind::NotFound, "its source is empty", "write its data first; nothing was recorded".to_owned())
}

fn difference(after: RunCounts, before: RunCounts) -> RunCounts {
    RunCounts {
        read: after.read - before.read,
        written: after.written - before.written,
        skipped: after.skipped - before.skipped,
        without_key: after.without_key - before.without_key,
        // They are in no chunk.
        without_time: 0,
        out_of_range: after.out_of_range - before.out_of_range,
        future: after.future - before.future,
        ties: after.ties - before.ties,
    }
}
