//! A change that a client decided on what it was told of the registry.

use std::time::Duration;

use super::{
    super::{Freshness, ProjectObjects, Rights, SharedRegistry, Written, guard},
    Extent, called,
    permitted::Permitted,
};
use crate::{
    app::{Caller, Failure},
    feast::registry::materialized_since,
    model::{Author, ChangeRecord, Timestamp, ViewId, printable},
    problem::{Kind, Problem},
    registry::{
        Decision, Locking, Snapshot, Write, change_record, remote::protocol::revision, update as change, update_view,
    },
};

/// The longest time that a lock is waited for, whatever a client wants.
const MOST_PATIENCE: Duration = Duration::from_secs(3600);

/// What a client wants changed.
#[derive(Debug, Clone)]
pub struct Change<'a> {
    /// What of the registry it is about.
    pub extent: Extent<'a>,
    /// What the registry was recognised by when that was decided.
    pub revision: &'a str,
    /// What is written.
    pub writes: &'a [Write],
    /// Who wants it, for those who wait meanwhile.
    pub who: &'a str,
    /// The address of the client, if it is known.
    pub from: Option<String>,
    /// How long the lock of the registry may be waited for.
    pub patience: Duration,
}

/// Changes the registry in one transaction, if it still is what the decision was made on: `false` where it is not, and
/// nothing was changed.
///
/// # Errors
/// [`Kind::Denied`] for the first write that the caller may not do, those of [`guard`], and when the registry cannot be
/// written; then nothing was changed.
pub fn update(registry: &SharedRegistry, caller: &Caller, wanted: &Change<'_>) -> Result<bool, Failure> {
    let store = registry.store();
    let Extent { project, view } = wanted.extent;
    let written = match view {
        Some(name) => {
            update_view(store.registry(), ViewId { project, name }, |before| {
                decide(before, wanted, || {
                    if let Caller::User(_) = caller {
                        // Nobody changes the view any more: permissions that are changed from here on count for the next.
                        let objects = registry.objects(project, Freshness::Now)?;
                        Permitted::of(caller, &objects, before, project).check_view(name, wanted.writes)?;
                    }
                    if store.config().registry_server.guards && !wanted.is_of_values(before) {
                        return Err(unguarded(name).into());
                    }
                    Ok(wanted.noted_by(caller, before, store.now()))
                })
            })?
        }
        None => {
            let patience = wanted.patience.min(MOST_PATIENCE);
            let who = called(caller, wanted.who);
            let locked = store.registry_locked_by(Locking { who, timeout: patience, on_wait: Box::new(|_| {}) });
            change(locked.as_ref(), project, |before| {
                decide(before, wanted, || {
                    if let Caller::User(_) = caller {
                        let kept = registry.at_hand(project);
                        let rights = Rights::in_project(store, project, &before.rows);
                        let objects = ProjectObjects::of(before.clone(), rights, kept.as_deref());
                        Permitted::of(caller, &objects, before, project).check(wanted.writes)?;
                    }
                    guard(store, project, before, wanted.writes)?;
                    Ok(wanted.noted_by(caller, before, store.now()))
                })
            })?
        }
    };
    if let Some(written) = &written {
        registry.changed(project, Some(written));
    }
    Ok(written.is_some())
}

fn decide(
    before: &Snapshot,
    wanted: &Change<'_>,
    writes: impl FnOnce() -> Result<Vec<Write>, Failure>,
) -> Result<Decision<Option<Written>>, Failure> {
    if revision(before) != wanted.revision {
        return Ok(Decision::Leave(None));
    }
    let writes = writes()?;
    Ok(Decision::Write(writes.clone(), Some(Written::of(before, writes))))
}

/// Whether a change does harm is seen of the whole project only.
fn unguarded(view: &str) -> Problem {
    let message = format!("this server does not let the definition of view `{}` be changed alone", printable(view));
    Problem::new(Kind::Refused, message, "apply the definitions".to_owned())
}

impl Change<'_> {
    /// Whether nothing is said but what was materialized of views.
    fn is_of_values(&self, before: &Snapshot) -> bool {
        self.writes.iter().all(|write| match write {
            Write::Put(row) => before
                .proto(row.kind, &row.name)
                .is_some_and(|stored| materialized_since(row.kind, stored, &row.proto).is_some()),
            Write::Delete { .. } | Write::DeleteProject | Write::AddVersion(_) => false,
            _ => true,
        })
    }

    /// What is written, with the note for the log of changes. What is noted of somebody, the server knows better.
    fn noted_by(&self, caller: &Caller, before: &Snapshot, now: Timestamp) -> Vec<Write> {
        let note = |record| Write::Record(Box::new(record));
        let from = |author: &Author| author.from.clone().or_else(|| self.from.clone());
        let (records, mut writes): (Vec<Write>, Vec<Write>) =
            self.writes.iter().cloned().partition(|write| matches!(write, Write::Record(_)));
        let sent =
            records.into_iter().find_map(|write| if let Write::Record(record) = write { Some(*record) } else { None });
        match (caller, sent) {
            (Caller::User(_), _) if self.is_of_values(before) => {}
            (Caller::User(_), sent) => {
                let (command, plan) =
                    sent.map_or_else(|| ("update".to_owned(), None), |sent| (sent.author.command, sent.plan));
                let command = printable(&command).into_owned();
                let author = Author { command, by: called(caller, self.who), from: self.from.clone() };
                let record = change_record(before, &writes, &author, now);
                writes.extend(record.map(|record| note(ChangeRecord { plan, ..record })));
            }
            (Caller::Operator(_) | Caller::Internal, sent) => writes.extend(sent.map(|sent| {
                let author = Author { from: from(&sent.author), ..sent.author };
                note(ChangeRecord { author, ..sent })
            })),
        }
        writes
    }
}
