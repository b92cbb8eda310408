//! Runs that several programs carry out.

use std::sync::Arc;

use super::stores;
use crate::{
    app::{Caller, Event, Failure, FeatureStore, access::Access},
    materialize::{self as run, Shard, ShardReport, ViewRun},
    model::{PermissionAction, RunRecord, RunState, ShardedRun, Timestamp, ViewId},
    problem::{Advice, Kind, Problem},
    registry::{KEPT_RUNS, Snapshot, read_objects, sharded_runs},
};

/// What became of a shard.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// It is stored.
    Now(ShardReport),
    /// The whole run was done before.
    Before {
        /// When it was.
        finished: Timestamp,
    },
}

/// Whether these views can be materialized by several programs: one, whose values are those of a source, of everybody.
///
/// # Errors
/// Why not.
pub(super) fn check(runs: &[ViewRun], is_of_some: bool) -> Result<(), Problem> {
    let (message, advice) = match runs {
        _ if is_of_some => ("the run of some entities is not divided".to_owned(), Advice::WholeRunOrEngine),
        [run] if run.computed.is_none() => return Ok(()),
        [run] => {
            let message = format!("the values of `{}` are computed here, which is not divided", run.view.name);
            (message, Advice::WholeRunOrEngine)
        }
        _ => ("the run of one view is divided into shards".to_owned(), Advice::OneView),
    };
    Err(Problem::new(Kind::Invalid, message, None).advise(advice))
}

/// Writes the values of a shard of an open run; who writes the last one records the interval.
///
/// # Errors
/// When there is no such run or shard, the caller may not write it, or the stores refuse or are away.
pub fn write_shard(store: &FeatureStore, caller: &Caller, run: &str, shard: Shard) -> Result<Written, Failure> {
    let snapshot = store.registry().snapshot(store.project())?;
    let Some(open) = open_run(&snapshot, run) else { return before(store, run) };
    check_access(store, caller, &snapshot, &open)?;
    let on_event = |event: &run::Event<'_>| store.tell(&Event::Materializing(event));
    run::write_shard(&stores(store)?, &open, shard, &on_event).map(Written::Now).or_else(|problem| {
        // Others who write the same shards may have been faster.
        let is_over = open_run(&store.registry().snapshot(store.project())?, run).is_none();
        if is_over { before(store, run).map_err(|_| problem.into()) } else { Err(problem.into()) }
    })
}

/// Ends an open run that nobody goes on with.
///
/// # Errors
/// When there is no such run, the caller may not write it, or the registry refuses or is away.
pub fn give_up(store: &FeatureStore, caller: &Caller, run: &str) -> Result<ShardedRun, Failure> {
    let snapshot = store.registry().snapshot(store.project())?;
    let open = open_run(&snapshot, run).ok_or_else(|| unknown(run))?;
    check_access(store, caller, &snapshot, &open)?;
    let on_event = |event: &run::Event<'_>| store.tell(&Event::Materializing(event));
    run::give_up(&stores(store)?, &open, &on_event)?;
    Ok(open)
}

fn open_run(snapshot: &Snapshot, id: &str) -> Option<ShardedRun> {
    sharded_runs(&snapshot.metadata).into_iter().find(|run| run.id == id)
}

fn check_access(store: &FeatureStore, caller: &Caller, snapshot: &Snapshot, run: &ShardedRun) -> Result<(), Failure> {
    let registered = Arc::new(read_objects(snapshot));
    let access = Access::of(store, caller, &registered);
    access.check_views(&[PermissionAction::WriteOnline], [run.view.as_str()])?;
    Ok(())
}

/// What is known of a run that is not open. A worker that was stopped after the last shard is begun again.
fn before(store: &FeatureStore, id: &str) -> Result<Written, Failure> {
    let runs = store.registry().runs(store.project(), &[], KEPT_RUNS)?;
    let Some(run) = runs.into_iter().find(|run| run.id == id) else { return Err(unknown(id).into()) };
    match &run.state {
        RunState::Done { finished } => Ok(Written::Before { finished: *finished }),
        RunState::Failed { message, .. } => {
            let message = format!("run {id} has ended: {message}");
            Err(Problem::new(Kind::Conflict, message, None).advise(Advice::OpenRun).into())
        }
        RunState::Started if run.shards.is_some() && is_recorded(store, &run)? => {
            // Who recorded it was stopped before it said so in the history.
            let finished = store.now();
            store.registry().record_run(store.project(), &RunRecord { state: RunState::Done { finished }, ..run })?;
            Ok(Written::Before { finished })
        }
        RunState::Started => Err(unknown(id).into()),
    }
}

/// Whether the interval of a run is among those of its view.
fn is_recorded(store: &FeatureStore, run: &RunRecord) -> Result<bool, Problem> {
    let view = store.registry().view(ViewId { project: store.project(), name: &run.view })?;
    let materialized = read_objects(&view).materialized;
    Ok(materialized.get(&run.view).is_some_and(|view| view.intervals.contains(&run.interval)))
}

fn unknown(id: &str) -> Problem {
    Problem::new(Kind::NotFound, format!("no run `{id}` is open"), None).advise(Advice::OpenRun)
}
