//! Carries out a plan: registry rows in one transaction, online tables around it.

mod cleanup;
mod locks;
mod neighbours;
mod notes;
mod rows;
mod tables;
mod teardown;
mod unrecorded;

pub use cleanup::clean_up;
pub use neighbours::Neighbours;
pub use notes::notes_of_one;
pub use rows::{PinnedVersions, SentObject, removal};
pub use teardown::{TeardownOptions, TeardownSummary, teardown};
pub use unrecorded::values;

use tables::{create, drop_tables, tables};

use crate::{
    feast::registry::{DecodeError, UnknownFieldsLost},
    model::{Author, LONGEST_PLAN, ObjectId, RegistryState, Repo, Timestamp},
    online::{OnlineStore, RecordedTables},
    plan::{
        Allow, Blocked, Change, Conflict, Consent, Difference, Plan, SavedPlan, SavedPlanError, Setting, TableAction,
        diff,
    },
    problem::Problem,
    registry::{Decision, Registry, Snapshot, Write, change_record, forget_owner, put_owner, read_objects, update},
};

/// Why an apply did not happen. Nothing was changed, unless an online table is named.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The registry or the online store is in the way.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// Definitions that the registry has no place for.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Conflicts(Vec<Conflict>),
    /// Changes do harm that nobody agreed to.
    #[error("{} changes are blocked", .0.len())]
    Blocked(Vec<Blocked>),
    /// The approved plan is not what would be done now.
    #[error("the saved plan is stale")]
    Stale(Vec<Difference>),
    /// A saved plan that cannot be compared with one made now.
    #[error("the plan cannot be compared")]
    Incomparable(#[from] SavedPlanError),
    /// What a newer Feast stored in an object would be lost.
    #[error("{id} in the registry was written by a newer Feast, and this change would lose what it added")]
    UnknownFields {
        /// The object.
        id: ObjectId,
        /// Which fields, and why they cannot be kept.
        #[source]
        source: UnknownFieldsLost,
    },
    /// A stored object that cannot be read.
    #[error("{id} in the registry is damaged")]
    Damaged {
        /// The object.
        id: ObjectId,
        /// What is wrong with its bytes.
        #[source]
        source: DecodeError,
    },
    /// A view is pinned to a version that is stored and differs.
    #[error("{id} is pinned to version v{number}, and that version is another one than what is declared")]
    PinConflict {
        /// The view.
        id: ObjectId,
        /// The number of the version.
        number: i32,
    },
}

/// What somebody agreed to before an apply.
#[derive(Debug, Clone, Copy)]
pub enum Approval<'a> {
    /// Harmless changes, and the harmful ones that are named.
    Named(&'a [Allow]),
    /// Whatever is due, but for protected objects.
    Everything,
    /// This plan and no other.
    Plan(&'a SavedPlan),
}

/// How an apply is done.
#[derive(Debug, Clone, Copy)]
pub struct ApplyOptions<'a> {
    /// The name the repo gives itself, if it does.
    pub repo_name: Option<&'a str>,
    /// What was agreed to.
    pub approval: Approval<'a>,
    /// Who applies, for the log of changes.
    pub author: &'a Author,
    /// The time that is recorded.
    pub now: Timestamp,
}

/// Makes the registry hold what `repo` declares and returns what was done.
///
/// The plan holds for what the registry is under its lock, and is carried out only if it is approved;
/// one without changes takes no lock. New online tables are created before the registry commits and
/// old ones dropped after it, so that the registry never names a table that is not there; a run that
/// was killed in between is completed by the next one. Values of removed features, and
/// in stores whose tables the registry does not record those of removed views, are noted in the
/// registry for [`clean_up`].
///
/// # Errors
/// See [`ApplyError`].
pub fn apply(
    repo: &Repo,
    registry: &dyn Registry,
    online: Option<&dyn OnlineStore>,
    options: ApplyOptions<'_>,
) -> Result<Plan, ApplyError> {
    let project = repo.project();
    let neighbours = online.map(|online| Neighbours::of(project, registry, online)).transpose()?;
    if let Some(neighbours) = &neighbours {
        neighbours.check(repo)?;
    }
    // Stored versions never change, so they may be read before the registry is locked.
    let pinned = rows::pinned_versions(repo, registry)?;
    let before = registry.snapshot(project)?;
    let (plan, writes) = decide(repo, &before, online, &pinned, options)?;
    let created = online.map(|online| create(repo, &plan, online)).transpose()?.unwrap_or_default();
    if writes.is_empty() {
        // Nothing was due at the moment of the reading; a lock would not make it truer.
        return Ok(plan);
    }
    let mut decided = Some((plan, writes));
    let plan = update(registry, project, |snapshot| {
        let (plan, writes) = match decided.take() {
            Some(decided) if *snapshot == before => decided,
            _ => decide(repo, snapshot, online, &pinned, options)?,
        };
        Ok::<_, ApplyError>(if writes.is_empty() { Decision::Leave(plan) } else { Decision::Write(writes, plan) })
    })?;
    if let Some(recorded) = online.and_then(|online| online.recorded_tables()) {
        // What another apply dropped in between.
        let missed = tables(&plan, TableAction::Create).filter(|table| !created.iter().any(|made| made == table));
        recorded.create(&missed.collect::<Vec<_>>())?;
        if let Some(neighbours) = &neighbours {
            drop_tables(project, tables(&plan, TableAction::Delete), registry, recorded, neighbours, options.now)?;
        }
    }
    Ok(plan)
}

/// What an apply would do to a registry that holds `state`. Tables of views are part of it if an online store is given
/// whose tables the registry records.
///
/// # Errors
/// [`ApplyError::Conflicts`] when the registry has no place for a definition.
pub fn plan(
    repo: &Repo,
    state: &RegistryState,
    repo_name: Option<&str>,
    online: Option<&dyn OnlineStore>,
) -> Result<Plan, ApplyError> {
    let online = online.and_then(|online| online.recorded_tables()).map(RecordedTables::layout);
    diff(state, repo, Setting { repo_name, online }).map_err(ApplyError::Conflicts)
}

/// The plan for a registry, if it may be carried out.
fn approved(
    repo: &Repo,
    state: &RegistryState,
    online: Option<&dyn OnlineStore>,
    options: ApplyOptions<'_>,
) -> Result<Plan, ApplyError> {
    let plan = plan(repo, state, options.repo_name, online)?;
    let consent = match options.approval {
        Approval::Named(allowed) => Consent::Named(allowed),
        Approval::Everything => Consent::Everything,
        Approval::Plan(saved) => {
            let differences = saved.differences(&SavedPlan::of(&plan)?);
            // Applying a saved plan twice is no error if its result is there.
            let is_done = plan.is_empty() && saved.is_for(&plan) && saved.is_carried_out(state);
            if !differences.is_empty() && !is_done {
                return Err(ApplyError::Stale(differences));
            }
            Consent::Everything
        }
    };
    let blocked = plan.blocked(consent);
    if blocked.is_empty() { Ok(plan) } else { Err(ApplyError::Blocked(blocked)) }
}

/// The plan for a registry and what is written to carry it out.
fn decide(
    repo: &Repo,
    snapshot: &Snapshot,
    online: Option<&dyn OnlineStore>,
    pinned: &PinnedVersions,
    options: ApplyOptions<'_>,
) -> Result<(Plan, Vec<Write>), ApplyError> {
    let state = read_objects(snapshot);
    let now = options.now;
    let plan = approved(repo, &state, online, options)?;
    let mut writes = rows::writes(&plan, snapshot, pinned, now)?;
    writes.extend(owner_notes(&plan, &state, now));
    writes.extend(notes::notes(&plan, snapshot, online, now));
    let here = online.and_then(|online| online.recorded_tables()).map(RecordedTables::layout);
    if let Some(here) = here.filter(|_| !plan.tables.is_empty()) {
        let mut recorded = state.online_tables;
        recorded.extend(tables(&plan, TableAction::Create).map(|table| (table.to_owned(), here.file.to_owned())));
        // Tables to drop stay recorded until they are gone: the record is what a later run goes by
        // when this one is killed.
        writes.push(rows::put_infra(snapshot, &recorded, now));
    }
    rows::add_bookkeeping(&mut writes, snapshot, now);
    writes.extend(record(&plan, snapshot, &writes, options));
    Ok((plan, writes))
}

/// The note about the change, with its plan.
fn record(plan: &Plan, snapshot: &Snapshot, writes: &[Write], options: ApplyOptions<'_>) -> Option<Write> {
    let mut record = change_record(snapshot, writes, options.author, options.now)?;
    // A plan always has a JSON form.
    let text = plan.to_json().unwrap_or_default();
    record.plan = (text.len() <= LONGEST_PLAN).then(|| serde_json::from_str(&text).ok()).flatten();
    Some(Write::Record(Box::new(record)))
}

/// Who owns the objects from now on: those that go take their notes with them.
fn owner_notes(plan: &Plan, state: &RegistryState, now: Timestamp) -> Vec<Write> {
    let gone = plan.changes.iter().filter_map(Change::vanishing);
    let mut notes: Vec<Write> = gone.filter(|id| state.owners.contains_key(*id)).map(forget_owner).collect();
    if let Some(repo) = &plan.repo {
        let written = plan.changes.iter().filter(|change| change.action.after().is_some()).map(|change| &change.id);
        let unowned = written.filter(|id| state.owners.get(*id) != Some(repo) && !plan.taken_over.contains(id));
        notes.extend(unowned.chain(&plan.taken_over).map(|id| put_owner(repo, id, now)));
    }
    notes
}

#[cfg(test)]
mod tests;
