//! Changes of one object, each in one transaction under the registry's lock. Who may is decided by what is registered in that
//! moment.

use super::{Freshness, Rights, SharedRegistry, StoredObject, Wanted, Written, guard};
use crate::{
    app::{Caller, Failure, FeatureStore},
    apply::{SentObject, notes_of_one, removal},
    feast::registry::{about, with_interval},
    model::{Author, Interval, ObjectId, ObjectKind, PermissionAction, Timestamp, ViewId, printable},
    problem::{Kind, Problem},
    registry::{Decision, LAST_UPDATED, Row, Snapshot, Write, record_of_update, update, update_object, with_record},
};

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There was none.
    Created,
    /// It is another one now.
    Updated,
    /// It was so already.
    Unchanged,
    /// There is none any more.
    Deleted,
}

/// An object that a client sends as its message.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// What it is.
    pub kind: ObjectKind,
    /// The message of this kind.
    pub proto: &'a [u8],
    /// The project; `None` for a project itself, which has its own.
    pub project: Option<&'a str>,
}

/// Puts an object into its project, as it was sent; a project that does not exist comes with it. Nothing of it is executed.
///
/// # Errors
/// [`Kind::Invalid`] when it is no such object or has no name, [`Kind::Denied`], [`Failure::Blocked`], and those of
/// [`SentObject::writes`].
pub fn apply(
    registry: &SharedRegistry,
    caller: &Caller,
    author: &Author,
    sent: Sent<'_>,
) -> Result<(ObjectId, Change), Failure> {
    let Sent { kind, proto, project } = sent;
    let name = about(kind, proto).map(|about| about.name).filter(|name| !name.is_empty()).ok_or_else(|| {
        let help = "give it a name".to_owned();
        Problem::new(Kind::Invalid, format!("this is no message of the kind {kind} with a name"), help)
    })?;
    let id = ObjectId::new(kind, name);
    let project = project.unwrap_or(&id.name).to_owned();
    check_project_name(&project)?;
    let object = SentObject { id: &id, proto };
    let store = registry.store();
    let (pinned, now) = (object.pinned(store.registry(), &project)?, store.now());
    let new = StoredObject::of(Row { kind, name: id.name.clone(), updated: now.seconds(), proto: proto.to_vec() });
    let (change, written) = change_object(store, &project, Some(&id), |snapshot| {
        let stored = stored(snapshot, &id);
        let rights = Rights::in_project(store, &project, &snapshot.rows);
        rights.check_put(caller, stored.as_ref(), &new)?;
        let mut writes = object.writes(&project, snapshot, &pinned, now)?;
        guard(store, &project, snapshot, &writes)?;
        if !writes.is_empty() {
            writes.extend(notes_of_one(&id, (project.as_str(), snapshot), &writes, store.online(), now));
        }
        let writes = with_record(writes, snapshot, author, now);
        let change = if stored.is_none() { Change::Created } else { Change::Updated };
        Ok(match writes.is_empty() {
            true => Decision::Leave((Change::Unchanged, None)),
            false => Decision::Write(writes.clone(), (change, Some(Written::of(snapshot, writes)))),
        })
    })?;
    if let Some(written) = written {
        registry.changed(&project, Some(&written));
    }
    Ok((id, change))
}

/// Removes an object; of a view also its versions.
///
/// # Errors
/// [`Kind::NotFound`], [`Kind::Denied`], [`Failure::Blocked`], and when the registry cannot be changed.
pub fn delete(
    registry: &SharedRegistry,
    caller: &Caller,
    author: &Author,
    wanted: Wanted<'_>,
) -> Result<ObjectId, Failure> {
    let (store, project) = (registry.store(), wanted.project);
    // A project goes with all that is in it. Where several kinds are wanted, they are those of views.
    let kind = wanted.kinds.first().filter(|kind| **kind != ObjectKind::Project);
    let named = kind.map(|kind| ObjectId::new(*kind, wanted.name));
    let (id, written) = change_object(store, project, named.as_ref(), |snapshot| {
        let found = wanted.kinds.iter().find_map(|kind| stored(snapshot, &ObjectId::new(*kind, wanted.name)));
        let Some(object) = found else { return Err(Failure::from(missing(registry, caller, wanted)?)) };
        let rights = Rights::in_project(store, project, &snapshot.rows);
        rights.check(caller, &object, &[PermissionAction::Delete])?;
        let id = object.id();
        let now = store.now();
        let mut writes = match id.kind {
            ObjectKind::Project => vec![Write::DeleteProject],
            _ => removal(&id, snapshot, now),
        };
        guard(store, project, snapshot, &writes)?;
        writes.extend(notes_of_one(&id, (project, snapshot), &writes, store.online(), now));
        let writes = with_record(writes, snapshot, author, now);
        Ok(Decision::Write(writes.clone(), (id, Written::of(snapshot, writes))))
    })?;
    registry.changed(project, Some(&written));
    Ok(id)
}

/// Changes an object by what is there of it, or by the whole project where there is none, or where that shows whether a change
/// does harm.
fn change_object<T>(
    store: &FeatureStore,
    project: &str,
    object: Option<&ObjectId>,
    decide: impl FnMut(&Snapshot) -> Result<Decision<T>, Failure>,
) -> Result<T, Failure> {
    match object.filter(|_| !store.config().registry_server.guards) {
        Some(object) => update_object(store.registry(), project, object, decide),
        None => update(store.registry(), project, decide),
    }
}

/// That there is no such object, to somebody who may know what there is.
fn missing(registry: &SharedRegistry, caller: &Caller, wanted: Wanted<'_>) -> Result<Problem, Problem> {
    let objects = registry.objects(wanted.project, Freshness::Kept)?;
    Ok(wanted.missing(&objects, caller))
}

/// Records that values of a feature view were written to an online store.
///
/// # Errors
/// [`Kind::NotFound`], [`Kind::Denied`], and when the registry cannot be changed.
pub fn record_materialization(
    registry: &SharedRegistry,
    caller: &Caller,
    author: &Author,
    view: ViewId<'_>,
    interval: Interval,
) -> Result<ObjectId, Failure> {
    const KINDS: [ObjectKind; 2] = [ObjectKind::FeatureView, ObjectKind::StreamFeatureView];
    let (store, project) = (registry.store(), view.project);
    // Whatever kind of view has the name.
    let named = ObjectId::new(ObjectKind::FeatureView, view.name);
    let (id, written) = update_object(store.registry(), project, &named, |snapshot| {
        let row = snapshot.rows.iter().find(|row| KINDS.contains(&row.kind) && row.name == view.name);
        let wanted = Wanted { kinds: &KINDS, name: view.name, project };
        let Some(row) = row else { return Err(Failure::from(missing(registry, caller, wanted)?)) };
        let rights = Rights::in_project(store, project, &snapshot.rows);
        rights.check(caller, &StoredObject::of(row.clone()), &[PermissionAction::WriteOnline])?;
        let now = store.now();
        let proto = with_interval(row.kind, &row.proto, interval, now)
            .map_err(|error| Problem::new(Kind::Internal, format!("{}: {error}", row.id()), None))?;
        let writes = vec![Write::Put(Row { updated: now.seconds(), proto, ..row.clone() }), changed_at(now)];
        let writes = with_record(writes, snapshot, author, now);
        Ok(Decision::Write(writes.clone(), (row.id(), Written::of(snapshot, writes))))
    })?;
    registry.changed(project, Some(&written));
    Ok(id)
}

/// Replaces the record of online infrastructure of a project (`feast.core.Infra`).
///
/// # Errors
/// [`Kind::Denied`], and when the registry cannot be changed.
pub fn put_infra(
    registry: &SharedRegistry,
    caller: &Caller,
    author: &Author,
    project: &str,
    proto: &[u8],
) -> Result<Change, Failure> {
    check_project_name(project)?;
    let (store, id) = (registry.store(), ObjectId::new(ObjectKind::Project, project));
    let written = update_object(store.registry(), project, &id, |snapshot| {
        let rights = Rights::in_project(store, project, &snapshot.rows);
        rights.check_project(caller, project, stored(snapshot, &id).as_ref())?;
        if snapshot.infra.as_deref() == Some(proto) {
            return Ok::<_, Failure>(Decision::Leave(None));
        }
        let now = store.now();
        let record = record_of_update(id.clone(), author, now);
        let infra = Write::PutInfra { proto: proto.to_vec(), updated: now.seconds() };
        let writes = vec![infra, changed_at(now), Write::Record(Box::new(record))];
        Ok(Decision::Write(writes.clone(), Some(Written::of(snapshot, writes))))
    })?;
    let Some(written) = written else { return Ok(Change::Unchanged) };
    registry.changed(project, Some(&written));
    Ok(Change::Updated)
}

/// Feast's note of when a project was changed.
fn changed_at(now: Timestamp) -> Write {
    Write::PutMetadata { key: LAST_UPDATED.into(), value: now.seconds().to_string(), updated: now.seconds() }
}

fn stored(snapshot: &Snapshot, id: &ObjectId) -> Option<StoredObject> {
    let row = snapshot.rows.iter().find(|row| row.kind == id.kind && row.name == id.name)?;
    Some(StoredObject::of(row.clone()))
}

/// Feast's rule for names of projects: word characters and `-`, first neither `_` nor `-`.
fn check_project_name(name: &str) -> Result<(), Problem> {
    let is_allowed = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
    if !name.is_empty() && !name.starts_with(['_', '-']) && name.chars().all(is_allowed) {
        return Ok(());
    }
    let message = format!("`{}` is not a project name", printable(name));
    let help = "use letters, digits and underscores, and start with a letter or digit".to_owned();
    Err(Problem::new(Kind::Invalid, message, help))
}
