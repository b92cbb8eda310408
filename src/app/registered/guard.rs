//! Changes that do harm, which a server refuses if the settings want that.

use std::collections::BTreeMap;

use crate::{
    app::{Failure, FeatureStore},
    model::{Object, ObjectId, ObjectKind, Project, Repo},
    plan::{Consent, Setting, blocked_teardown, diff},
    registry::{Row, Snapshot, Write, read_objects},
};

/// Lets a change of a project through, or not: `writes` are what is about to be carried out.
///
/// # Errors
/// [`Failure::Blocked`] for what `feastr apply` would ask permission for, and [`Failure::Conflicts`].
pub fn guard(store: &FeatureStore, project: &str, snapshot: &Snapshot, writes: &[Write]) -> Result<(), Failure> {
    if !store.config().registry_server.guards {
        return Ok(());
    }
    let mut before = read_objects(snapshot);
    // Whoever may change an object by its permissions may, whichever repo has applied it.
    before.owners.clear();
    let is_whole = writes.iter().any(|write| matches!(write, Write::DeleteProject));
    let blocked = if is_whole {
        blocked_teardown(&before, None, &[])
    } else {
        let after = read_objects(&after(snapshot, writes)).objects;
        let repo = repo(project, after);
        diff(&before, &repo, Setting::default()).map_err(Failure::Conflicts)?.blocked(Consent::Named(&[]))
    };
    if blocked.is_empty() { Ok(()) } else { Err(Failure::Blocked(blocked)) }
}

/// What a project holds after some writes, as far as its objects go.
fn after(snapshot: &Snapshot, writes: &[Write]) -> Snapshot {
    let mut rows: BTreeMap<ObjectId, Row> = snapshot.rows.iter().map(|row| (row.id(), row.clone())).collect();
    for write in writes {
        match write {
            Write::Put(row) => drop(rows.insert(row.id(), row.clone())),
            Write::Delete { kind, name } => drop(rows.remove(&ObjectId::new(*kind, name))),
            _ => {}
        }
    }
    Snapshot { rows: rows.into_values().collect(), ..snapshot.clone() }
}

/// The objects as definitions would declare them.
fn repo(project: &str, objects: BTreeMap<ObjectId, Object>) -> Repo {
    let described = objects.get(&ObjectId::new(ObjectKind::Project, project)).cloned();
    let project = match described {
        Some(Object::Project(project)) => project,
        _ => Project::undescribed(project),
    };
    Repo::new(project).with(objects.into_values().filter(|object| !matches!(object, Object::Project(_))))
}
