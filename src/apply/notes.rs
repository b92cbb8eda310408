//! What is noted of online values in the transaction of a change: which are left behind, and until when they were made by another
//! definition.

use super::cleanup;
use crate::{
    model::{ObjectId, Project, Repo, Timestamp},
    online::OnlineStore,
    plan::{Change, Plan, Setting, diff},
    registry::{
        Row, Snapshot, Write, forget_sharded_run, forget_stale, object, put_stale, read_objects, sharded_run,
        stale_until,
    },
};

/// The notes about a plan.
pub(super) fn notes(plan: &Plan, snapshot: &Snapshot, online: Option<&dyn OnlineStore>, now: Timestamp) -> Vec<Write> {
    let mut notes = stale(plan, snapshot, now);
    if let Some(online) = online {
        notes.extend(cleanup::notes(plan, online.recorded_tables().is_some(), now));
    }
    notes
}

/// Which values will have been made by definitions that the plan changes.
fn stale(plan: &Plan, snapshot: &Snapshot, now: Timestamp) -> Vec<Write> {
    let known = |view: &str| stale_until(&snapshot.metadata, view);
    let gone = plan.changes.iter().filter_map(Change::vanishing).filter(|id| id.kind.is_view());
    let forgotten = |id: &ObjectId| {
        let stale = known(&id.name).map(|_| forget_stale(&id.name));
        let sharded = sharded_run(&snapshot.metadata, &id.name).map(|_| forget_sharded_run(&id.name));
        stale.into_iter().chain(sharded)
    };
    let mut notes: Vec<Write> = gone.flat_map(forgotten).collect();
    let again = plan.changes.iter().filter_map(|change| change.impact.rematerialize.as_ref());
    notes.extend(again.map(|again| {
        put_stale(&again.view, again.interval.end.max(known(&again.view).unwrap_or(again.interval.end)), now)
    }));
    notes
}

/// The notes about one object that `writes` change in a project which holds `snapshot`: those of an apply that changes it alone.
/// Of an object that definitions cannot declare nobody knows the values.
pub fn notes_of_one(
    id: &ObjectId,
    (project, snapshot): (&str, &Snapshot),
    writes: &[Write],
    online: Option<&dyn OnlineStore>,
    now: Timestamp,
) -> Vec<Write> {
    if !id.kind.is_view() {
        return Vec::new();
    }
    let is_it = |row: &&Row| row.kind == id.kind && row.name == id.name;
    let mut rows = writes.iter().filter_map(|write| if let Write::Put(row) = write { Some(row) } else { None });
    let Ok(after) = rows.find(is_it).map(object).transpose() else { return Vec::new() };
    let rows = snapshot.rows.iter().filter(is_it).cloned().collect();
    let before = read_objects(&Snapshot { rows, ..Snapshot::default() });
    let repo = Repo::new(Project::undescribed(project)).with(after);
    diff(&before, &repo, Setting::default()).map_or_else(|_| Vec::new(), |plan| notes(&plan, snapshot, online, now))
}
