//! Past runs of materializations, and those that go on.

use std::collections::{BTreeMap, BTreeSet};

use super::{Caller, Failure, FeatureStore};
use crate::{
    diagnostics::did_you_mean,
    model::{ObjectKind, RunRecord, RunState, ShardedRun, ViewId},
    problem::{Kind, Problem},
    registry::{Registry, sharded_run},
};

/// Which runs are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Only those of these views; all if there are none.
    pub views: &'a [String],
    /// At most this many.
    pub limit: usize,
}

/// A run, as far as it has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// What the registry remembers of it.
    pub record: RunRecord,
    /// Whether it goes on now. One that has neither ended nor goes on was cut off.
    pub goes_on: bool,
}

/// The newest runs, the newest first.
///
/// # Errors
/// When a view is not known, or the registry cannot be read.
pub fn history(store: &FeatureStore, _: &Caller, request: Request<'_>) -> Result<Vec<Run>, Failure> {
    // Not a replica: that knows no locks, and so not which runs go on.
    let (registry, project) = (store.registry(), store.project());
    let mut runs = registry.runs(project, request.views, request.limit)?;
    check_names(request.views, &runs, registry, project)?;
    let going_on = going_on(&runs, registry, project)?;
    add_shards(&mut runs, registry, project)?;
    Ok(runs.into_iter().map(|record| Run { goes_on: going_on.contains(&record.id), record }).collect())
}

/// Tells of runs that are open how far they are. One that is not open any more and has not ended was replaced.
fn add_shards(runs: &mut [RunRecord], registry: &dyn Registry, project: &str) -> Result<(), Problem> {
    for run in runs.iter_mut().filter(|run| run.state == RunState::Started && run.shards.is_some()) {
        let snapshot = registry.view(ViewId { project, name: &run.view })?;
        let open = sharded_run(&snapshot.metadata, &run.view).filter(|open| open.id == run.id);
        run.shards = open.as_ref().map(ShardedRun::shards_done);
        run.counts = open.map_or(run.counts, |open| open.total());
    }
    Ok(())
}

/// Whether each view is registered, or was when it was materialized.
fn check_names(names: &[String], runs: &[RunRecord], registry: &dyn Registry, project: &str) -> Result<(), Problem> {
    let in_history = |name: &String| runs.iter().any(|run| run.view == *name);
    if names.iter().all(in_history) {
        return Ok(());
    }
    let registered = registry.names(project, &ObjectKind::VIEWS)?;
    let views: Vec<&str> = registered.iter().map(|id| id.name.as_str()).collect();
    for name in names.iter().filter(|name| !in_history(name) && !views.contains(&name.as_str())) {
        // Others may have filled the history up to its limit.
        if registry.runs(project, std::slice::from_ref(name), 1)?.is_empty() {
            let help = did_you_mean(name, views);
            return Err(Problem::new(Kind::NotFound, format!("there is no view `{name}`"), help));
        }
    }
    Ok(())
}

/// How those call themselves who materialize.
const RUNNERS: [&str; 2] = ["materialize", "serve"];

/// The runs that go on: of each view at most one, which has the view's lock. Others may have begun
/// after it, and were refused.
fn going_on(runs: &[RunRecord], registry: &dyn Registry, project: &str) -> Result<BTreeSet<String>, Problem> {
    let mut without_end: BTreeMap<&str, Vec<&RunRecord>> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.state == RunState::Started) {
        without_end.entry(&run.view).or_default().push(run);
    }
    let mut going_on = BTreeSet::new();
    for (name, runs) in without_end {
        let Some(holder) = registry.view_holder(ViewId { project, name })? else { continue };
        let run = match holder.who {
            // Databases may cut off long names.
            Some(who) if RUNNERS.iter().any(|runner| who.starts_with(runner)) => {
                runs.into_iter().find(|run| run.by.starts_with(&who))
            }
            // Where a database does not tell the names of programs, it is most likely the newest.
            _ => runs.into_iter().next(),
        };
        going_on.extend(run.map(|run| run.id.clone()));
    }
    Ok(going_on)
}
