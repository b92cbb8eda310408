//! Runs that several programs carry out: an engine has written the newest rows to files, and each worker writes those of a shard.
//! Which entity is in which file does not matter: each is in one, and older values never take the place of newer ones.

use std::{collections::BTreeMap, sync::atomic::AtomicBool, time::Instant};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{
    checks,
    context::Stores,
    event::{Event, OnEvent},
    history::RunHistory,
    record::{RecordError, recorded, registered},
    report::ShardReport,
    values::{replace_in, write_values},
};
use crate::{
    model::{FeatureView, ObjectKind, RunCounts, ShardCounts, ShardedRun, Timestamp, ViewId},
    offline::{BatchSink, NewestRead},
    online::Replace,
    problem::{Advice, Kind, Problem},
    registry::{
        Decision, Row, Snapshot, forget_sharded_run, object, put_sharded_run, sharded_run, stale_until, update_view,
    },
    staging::{Manifest, StagedFile, StagedFolder},
};

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 0.
    pub index: u32,
    /// How many there are, as somebody believes; `None` is as many as the run has.
    pub of: Option<u32>,
}

/// That no run of a view is open, which others have to wait for.
///
/// # Errors
/// Which run is.
pub(super) fn none_open(metadata: &BTreeMap<String, String>, view: &str, now: Timestamp) -> Result<(), Problem> {
    let Some(run) = sharded_run(metadata, view).filter(|run| run.is_open(now)) else { return Ok(()) };
    let done = run.shards_done();
    let message =
        format!("run {} of it is open since {}: {} of {} shards are done", run.id, run.started, done.done, done.of);
    Err(Problem::new(Kind::Conflict, message, None).advise(Advice::EndRun(run.id)))
}

/// Notes that a run is open, unless its view has become another one.
///
/// # Errors
/// When it has, or the registry cannot be written or has no place for such notes.
pub(super) fn open(stores: &Stores<'_>, run: &ShardedRun, view: &FeatureView) -> Result<(), Problem> {
    let id = ViewId { project: stores.project, name: &run.view };
    update_view(stores.registry, id, |snapshot| {
        let (now, _) = registered(snapshot, &run.view)?;
        if !now.same_values(view) {
            return Err(Problem::from(RecordError::Changed));
        }
        Ok(Decision::Write(vec![put_sharded_run(run, run.heard)], ()))
    })?;
    if sharded_run(&stores.registry.view(id)?.metadata, &run.view).is_some_and(|noted| noted.id == run.id) {
        return Ok(());
    }
    let message = format!("{} has no place for runs of several programs", stores.registry.location());
    Err(Problem::new(Kind::Unsupported, message, None).advise(Advice::WholeRunOrEngine))
}

/// Writes the values of a shard, and records the interval if it is the last one. A shard may be written again.
///
/// # Errors
/// When the run is not what it was, files cannot be read, or the store or the registry refuses or is away.
pub fn write_shard(
    stores: &Stores<'_>,
    run: &ShardedRun,
    shard: Shard,
    on_event: &OnEvent<'_>,
) -> Result<ShardReport, Problem> {
    let began = Instant::now();
    check(run, shard, (stores.clock)())?;
    let id = ViewId { project: stores.project, name: &run.view };
    let snapshot = stores.registry.view(id)?;
    let folder = stores.staged.folder(&run.folder)?;
    let (view, files) = staged(run, &folder, &snapshot)?;
    let files: Vec<_> = files.files.iter().skip(index(shard.index)).step_by(index(run.shards).max(1)).collect();
    on_event(&Event::ViewStarted { view: &run.view, interval: run.interval, chunks: 1 });
    let replace = if run.overwrites { Replace::Everything } else { Replace::Outdated };
    let replace = replace_in(run.interval, replace, stale_until(&snapshot.metadata, &run.view));
    let mut counts = RunCounts::default();
    let read = |sink: &mut dyn BatchSink| read_files(stores, &view, (&folder, &files), sink);
    let what = (&view, checks::of(&view)?, replace);
    let servers = write_values(stores, what, (&mut counts, on_event), read, |writer| writer.finish_telling())?;
    let counts = ShardCounts {
        written: counts.written,
        skipped: counts.skipped,
        out_of_range: counts.out_of_range,
        ties: counts.ties,
    };
    let (run, again) = finish(stores, run, &view, (shard.index, counts), &servers)?;
    let complete = run.is_complete();
    if complete {
        let history_works = AtomicBool::new(true);
        RunHistory::of(stores, &run, on_event, &history_works).finish(run.interval, run.total(), None);
        remove(&folder, on_event);
    }
    Ok(ShardReport {
        run: run.id.clone(),
        view: run.view.clone(),
        interval: run.interval,
        shard: shard.index,
        files: files.len(),
        counts,
        seconds: began.elapsed().as_secs_f64(),
        shards: run.shards_done(),
        complete,
        again,
    })
}

/// Reads the newest rows of a view in some files of a folder.
///
/// # Errors
/// When one cannot be read, or a value is not what is declared.
pub(super) fn read_files(
    stores: &Stores<'_>,
    view: &FeatureView,
    (folder, files): (&StagedFolder, &[&StagedFile]),
    sink: &mut dyn BatchSink,
) -> Result<NewestRead, Problem> {
    let mut all = NewestRead::default();
    for file in files {
        let read = stores.staged.newest(view, (folder, file), sink)?;
        all.unfit += read.unfit;
        all.ties += read.ties;
    }
    Ok(all)
}

/// Ends a run that nobody goes on with. Values that its shards have written stay, and nothing is recorded.
///
/// # Errors
/// When the registry cannot be written.
pub fn give_up(stores: &Stores<'_>, run: &ShardedRun, on_event: &OnEvent<'_>) -> Result<(), Problem> {
    let id = ViewId { project: stores.project, name: &run.view };
    update_view(stores.registry, id, |snapshot| match noted(snapshot, run) {
        Ok(_) => Ok::<_, Problem>(Decision::Write(vec![forget_sharded_run(&run.view)], ())),
        Err(_) => Ok(Decision::Leave(())),
    })?;
    let history_works = AtomicBool::new(true);
    let history = RunHistory::of(stores, run, on_event, &history_works);
    history.finish(run.interval, run.total(), Some("it was given up".to_owned()));
    remove(&stores.staged.folder(&run.folder)?, on_event);
    Ok(())
}

/// Whether a run has such a shard, and others wait for it.
fn check(run: &ShardedRun, shard: Shard, now: Timestamp) -> Result<(), Problem> {
    if shard.of.is_some_and(|of| of != run.shards) || shard.index >= run.shards {
        let message = format!("run {} has {} shards, from 0 to {}", run.id, run.shards, run.shards - 1);
        return Err(Problem::new(Kind::Invalid, message, None).advise(Advice::NameShard(run.shards)));
    }
    if run.is_open(now) {
        return Ok(());
    }
    let message = format!(
        "nobody was heard of run {} since {}, and other runs may have written its view meanwhile",
        run.id, run.heard
    );
    Err(Problem::new(Kind::Conflict, message, None).advise(Advice::EndRun(run.id.clone())))
}

/// The view as its rows were written, which is that of the registry in all that matters, and the files.
fn staged(run: &ShardedRun, folder: &StagedFolder, snapshot: &Snapshot) -> Result<(FeatureView, Manifest), Problem> {
    let manifest = folder.manifest()?;
    let odd = |what: &str| {
        let message = format!("the folder {} is not that of run {}: {what}", run.folder, run.id);
        Problem::new(Kind::Conflict, message, None).advise(Advice::EndRun(run.id.clone()))
    };
    if manifest.id != run.id {
        return Err(odd("another one has written it"));
    }
    let proto = manifest.view.as_ref().and_then(|view| BASE64_STANDARD.decode(view).ok()).unwrap_or_default();
    let row = snapshot.rows.iter().find(|row| row.name == run.view);
    let kind = row.map_or(ObjectKind::FeatureView, |row| row.kind);
    let staged =
        Snapshot { rows: vec![Row { kind, name: run.view.clone(), updated: 0, proto }], ..Snapshot::default() };
    object(&staged.rows[0]).map_err(|_| odd("it does not say of which view its rows are"))?;
    let (view, _) = registered(&staged, &run.view)?;
    let (now, _) = registered(snapshot, &run.view)?;
    if now.same_values(&view) { Ok((view, manifest)) } else { Err(RecordError::Changed.into()) }
}

/// Notes that a shard is done, in one transaction with the interval if all are.
fn finish(
    stores: &Stores<'_>,
    run: &ShardedRun,
    view: &FeatureView,
    (shard, counts): (u32, ShardCounts),
    servers: &BTreeMap<String, String>,
) -> Result<(ShardedRun, Vec<u32>), Problem> {
    let id = ViewId { project: stores.project, name: &run.view };
    update_view(stores.registry, id, |snapshot| {
        let mut run = noted(snapshot, run)?;
        let now = (stores.clock)();
        let again = run.finish(shard, counts, servers, now);
        let writes = if run.is_complete() {
            let mut writes = recorded(snapshot, view, run.interval, now)?;
            writes.push(forget_sharded_run(&run.view));
            writes
        } else {
            vec![put_sharded_run(&run, now)]
        };
        Ok::<_, Problem>(Decision::Write(writes, (run, again)))
    })
}

/// The run as it is noted now.
fn noted(snapshot: &Snapshot, run: &ShardedRun) -> Result<ShardedRun, Problem> {
    sharded_run(&snapshot.metadata, &run.view).filter(|noted| noted.id == run.id).ok_or_else(|| {
        let message = format!("run {} is not open any more: it was given up, or another one took its place", run.id);
        Problem::new(Kind::Conflict, message, "what was written stays, and nothing is recorded".to_owned())
    })
}

/// Removes files that nobody needs any more; that they stay is no failure.
pub(super) fn remove(folder: &StagedFolder, on_event: &OnEvent<'_>) {
    if let Err(problem) = folder.remove() {
        let message =
            format!("{} is not needed any more and could not be removed: {}", folder.location(), problem.message);
        on_event(&Event::Warning { message, help: None });
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
