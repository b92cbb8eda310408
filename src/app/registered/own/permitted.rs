//! Whether somebody may do what a change writes: as for Feast's calls that apply and delete one object, for each of them.

use std::collections::BTreeSet;

use super::super::{ProjectObjects, StoredObject};
use crate::{
    app::Caller,
    feast::registry::materialized_since,
    model::{
        DUMMY_ENTITY, ObjectId, ObjectKind,
        PermissionAction::{self, Delete, Describe, Update, WriteOnline},
        printable,
    },
    problem::{Kind, Problem},
    registry::{
        LAST_UPDATED, PROJECT_UUID, Row, Snapshot, Write, forget_owner, forget_sharded_run, forget_stale, leftover_of,
        owners,
    },
};

/// What a caller may write into a project.
pub(super) struct Permitted<'a> {
    caller: &'a Caller,
    objects: &'a ProjectObjects,
    before: &'a Snapshot,
    project: &'a str,
    /// What the change has removed so far.
    gone: BTreeSet<ObjectId>,
    /// What the change was permitted to do anything with.
    touched: BTreeSet<ObjectId>,
}

impl<'a> Permitted<'a> {
    /// What a caller may write into a project that holds `before`, by the permissions of `objects`.
    pub(super) fn of(caller: &'a Caller, objects: &'a ProjectObjects, before: &'a Snapshot, project: &'a str) -> Self {
        Self { caller, objects, before, project, gone: BTreeSet::new(), touched: BTreeSet::new() }
    }

    /// Lets the caller write all of this.
    ///
    /// # Errors
    /// [`Kind::Denied`] for the first write that is not permitted.
    pub(super) fn check(mut self, writes: &[Write]) -> Result<(), Problem> {
        // Notes and versions go with the objects that they are about.
        let is_object = |write: &&Write| matches!(write, Write::Put(_) | Write::Delete { .. } | Write::DeleteProject);
        for write in writes.iter().filter(is_object) {
            match write {
                Write::Put(row) => self.check_put(row)?,
                Write::Delete { kind, name } => self.check_delete(&ObjectId::new(*kind, name))?,
                _ => {
                    for row in &self.before.rows {
                        self.check_delete(&row.id())?;
                    }
                }
            }
        }
        for write in writes {
            match write {
                Write::AddVersion(version) => self.check_version(&version.view)?,
                Write::PutInfra { proto, .. } if self.before.infra.as_ref() == Some(proto) => {}
                Write::PutInfra { .. } => self.check_project()?,
                Write::PutMetadata { key, value, .. } => self.check_note(key, Some(value))?,
                Write::DeleteMetadata { key } => self.check_note(key, None)?,
                Write::Put(_) | Write::Delete { .. } | Write::DeleteProject | Write::Record(_) => {}
            }
        }
        Ok(())
    }

    /// The same of a change that is about one view.
    ///
    /// # Errors
    /// [`Kind::Denied`], also where something else is written.
    pub(super) fn check_view(self, view: &str, writes: &[Write]) -> Result<(), Problem> {
        let is_of_view = |write: &Write| match write {
            Write::Put(row) => row.kind.is_view() && row.name == view,
            Write::Delete { kind, name } => kind.is_view() && name == view,
            Write::PutMetadata { .. } | Write::DeleteMetadata { .. } | Write::Record(_) => true,
            Write::AddVersion(version) => version.view == view,
            Write::PutInfra { .. } | Write::DeleteProject => false,
        };
        if !writes.iter().all(is_of_view) {
            let message = format!("a change of view `{}` may write nothing else", printable(view));
            return Err(Problem::new(Kind::Denied, message, None));
        }
        self.check(writes)
    }

    /// An object that is there and was not removed by the change.
    fn stored(&self, id: &ObjectId) -> Option<&'a StoredObject> {
        self.objects.find(id.kind, &id.name).map(AsRef::as_ref).filter(|_| !self.gone.contains(id))
    }

    fn check_put(&mut self, row: &Row) -> Result<(), Problem> {
        let id = row.id();
        let new = StoredObject::of(row.clone());
        match self.stored(&id) {
            Some(stored) if *stored.proto == row.proto => return Ok(()),
            Some(stored) if materialized_since(row.kind, &stored.proto, &row.proto).is_some() => {
                // Its values were written, and nothing else is said of it.
                return self.objects.rights.check(self.caller, stored, &[WriteOnline]);
            }
            Some(stored) => self.objects.rights.check_put(self.caller, Some(stored), &new)?,
            // Every project has the entity that stands for none.
            None if row.kind == ObjectKind::Entity && row.name == DUMMY_ENTITY => {}
            None => self.objects.rights.check_put(self.caller, None, &new)?,
        }
        self.touched.insert(id);
        Ok(())
    }

    fn check_delete(&mut self, id: &ObjectId) -> Result<(), Problem> {
        let is_dummy = id.kind == ObjectKind::Entity && id.name == DUMMY_ENTITY;
        if let Some(stored) = self.stored(id).filter(|_| !is_dummy) {
            self.objects.rights.check(self.caller, stored, &[Delete])?;
        }
        self.gone.insert(id.clone());
        self.touched.insert(id.clone());
        Ok(())
    }

    /// A version goes with the view that it is of.
    fn check_version(&self, view: &str) -> Result<(), Problem> {
        let of_view = |kind| ObjectId::new(kind, view);
        if ObjectKind::VIEWS.map(of_view).iter().any(|id| self.touched.contains(id)) {
            return Ok(());
        }
        match ObjectKind::VIEWS.map(of_view).iter().find_map(|id| self.stored(id)) {
            Some(stored) => self.objects.rights.check(self.caller, stored, &[Describe, Update]),
            None => self.check_project(),
        }
    }

    /// What belongs to the project itself.
    fn check_project(&self) -> Result<(), Problem> {
        let id = ObjectId::new(ObjectKind::Project, self.project);
        match self.touched.contains(&id) {
            true => Ok(()),
            false => self.objects.rights.check_project(self.caller, self.project, self.stored(&id)),
        }
    }

    /// A note that comes with a value, or goes.
    fn check_note(&self, key: &str, value: Option<&str>) -> Result<(), Problem> {
        let stored = self.before.metadata.get(key);
        if stored.map(String::as_str) == value || key == LAST_UPDATED && value.is_some() {
            return Ok(());
        }
        if key == PROJECT_UUID && stored.is_none() {
            return Ok(());
        }
        let is_of_touched = |id: &ObjectId| {
            let owner = forget_owner(id).note_key() == Some(key);
            owner || is_note_of_values(id, key)
        };
        if self.touched.iter().any(is_of_touched) {
            return Ok(());
        }
        let value = value.or(stored.map(String::as_str)).unwrap_or_default();
        if let Some(leftover) = leftover_of(key, value) {
            return self.check_leftover(&leftover.view);
        }
        let note = [(key.to_owned(), value.to_owned())].into();
        match owners(&note).into_keys().find(|id| forget_owner(id).note_key() == Some(key)) {
            Some(id) if self.stored(&id).is_some() => self.check_known(&id, &[Describe, Update]),
            _ => match self.before.rows.iter().map(Row::id).find(|id| is_note_of_values(id, key)) {
                Some(id) => self.check_known(&id, &[WriteOnline]),
                None => self.check_project(),
            },
        }
    }

    /// Values of a view that are to be removed, or were.
    fn check_leftover(&self, view: &str) -> Result<(), Problem> {
        let ids = ObjectKind::VIEWS.map(|kind| ObjectId::new(kind, view));
        if ids.iter().any(|id| self.touched.contains(id)) {
            return Ok(());
        }
        match ids.iter().find(|id| self.stored(id).is_some()) {
            Some(id) => self.check_known(id, &[WriteOnline]),
            None => self.check_project(),
        }
    }

    fn check_known(&self, id: &ObjectId, actions: &[PermissionAction]) -> Result<(), Problem> {
        self.stored(id).map_or(Ok(()), |stored| self.objects.rights.check(self.caller, stored, actions))
    }
}

/// Whether a note is about values of a view: until when they are those of another definition, or who is writing them.
fn is_note_of_values(id: &ObjectId, key: &str) -> bool {
    let notes = [forget_stale(&id.name), forget_sharded_run(&id.name)];
    id.kind.is_view() && notes.iter().any(|note| note.note_key() == Some(key))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc};

    use super::{super::super::Rights, *};
    use crate::{
        feast::registry::{Change, RowVersion, SourceRows, with_interval, write},
        model::{
            Entity, FeatureView, Interval, Object, Permission, PermissionAction::Create, PermissionType as Type,
            Policy, Project, Tags, Timestamp,
        },
        permissions::{Unruled, User},
        registry::{Leftover, VersionRow, put_leftover, put_owner, put_stale},
    };

    fn row(object: &Object) -> Row {
        let change = Change {
            sources: &SourceRows::default(),
            project: "p",
            now: Timestamp::from_micros(1),
            version: RowVersion::Same,
            forget_values: false,
        };
        let proto = write(object, None, change).unwrap();
        Row { kind: object.id().kind, name: object.id().name, updated: 1, proto }
    }

    fn view(name: &str, description: &str) -> Row {
        row(&Object::FeatureView(FeatureView { description: description.to_owned(), ..FeatureView::new(name) }))
    }

    fn permission(name: &str, kind: Type, pattern: &str, actions: &[PermissionAction]) -> Row {
        row(&Object::Permission(Permission {
            name: name.to_owned(),
            types: vec![kind],
            name_patterns: vec![pattern.to_owned()],
            required_tags: Tags::new(),
            actions: actions.to_vec(),
            policy: Policy::Roles(vec![name.to_owned()]),
            tags: Tags::new(),
        }))
    }

    /// What a project has in which `a` may be changed by editors, and written by runners.
    fn before() -> Snapshot {
        let mut rows = vec![
            row(&Object::Project(Project {
                name: "p".to_owned(),
                description: String::new(),
                owner: String::new(),
                tags: Tags::new(),
            })),
            view("a", "stored"),
            view("b", "stored"),
            permission("editor", Type::FeatureView, "a|new", &[Create, Describe, Update, Delete]),
            permission("runner", Type::FeatureView, "a", &[WriteOnline]),
            permission("owner", Type::Project, "p", &[Describe, Update, Delete]),
        ];
        rows.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        Snapshot { rows, ..Snapshot::default() }
    }

    fn allowed(role: &str, writes: &[Write]) -> bool {
        let before = before();
        let objects = ProjectObjects::of(before.clone(), Rights::of(&before.rows, Unruled::Deny), None);
        let user = User { name: "u".to_owned(), roles: BTreeSet::from([role.to_owned()]), ..User::default() };
        let caller = Caller::User(Arc::new(user));
        let result = Permitted::of(&caller, &objects, &before, "p").check(writes);
        assert!(result.as_ref().err().is_none_or(|problem| problem.kind == Kind::Denied), "{result:?}");
        result.is_ok()
    }

    fn delete(name: &str) -> Write {
        Write::Delete { kind: ObjectKind::FeatureView, name: name.to_owned() }
    }

    fn version(view: &str) -> Write {
        let (view, view_type, id) = (view.to_owned(), "feature_view".to_owned(), "i".to_owned());
        Write::AddVersion(VersionRow { view, view_type, number: 0, proto: vec![], created: 1, id })
    }

    #[test]
    fn objects_come_change_and_go_by_their_permissions() {
        for (write, by_editor) in [
            (Write::Put(view("a", "changed")), true),
            (Write::Put(view("b", "changed")), false),
            (Write::Put(view("b", "stored")), true),
            (Write::Put(view("new", "")), true),
            (Write::Put(view("other", "")), false),
            (delete("a"), true),
            (delete("b"), false),
            (delete("is not there"), true),
            (Write::DeleteProject, false),
            (Write::Put(row(&Object::Entity(Entity::dummy()))), true),
            (Write::PutInfra { proto: vec![1], updated: 1 }, false),
        ] {
            assert_eq!(allowed("editor", std::slice::from_ref(&write)), by_editor, "{write:?}");
            assert!(!allowed("stranger", &[Write::Put(view("a", "changed")), write]));
        }
        assert!(allowed("owner", &[Write::PutInfra { proto: vec![1], updated: 1 }]));
        assert!(!allowed("owner", &[Write::DeleteProject]), "the views are not theirs");
    }

    #[test]
    fn what_was_materialized_is_noted_by_those_who_write_values() {
        let interval = Interval { start: Timestamp::from_micros(0), end: Timestamp::from_micros(5_000_000) };
        let stored = view("a", "stored");
        let proto = with_interval(stored.kind, &stored.proto, interval, Timestamp::from_micros(9)).unwrap();
        let noted = Write::Put(Row { proto, ..stored });
        let last_updated = Write::PutMetadata { key: LAST_UPDATED.into(), value: "9".to_owned(), updated: 9 };
        assert!(allowed("runner", &[noted.clone(), last_updated.clone(), forget_stale("a")]));
        assert!(!allowed("editor", std::slice::from_ref(&noted)));
        assert!(!allowed("runner", &[Write::Put(view("a", "changed"))]));
        assert!(!allowed("runner", &[noted, version("a")]), "a version is a change");
        assert!(allowed("stranger", &[last_updated]), "it goes with every change");
    }

    #[test]
    fn versions_and_notes_go_with_their_objects() {
        let now = Timestamp::from_micros(1);
        let id = |name: &str| ObjectId::new(ObjectKind::FeatureView, name);
        let left = |view: &str| {
            let view = view.to_owned();
            put_leftover(&Leftover { view, features: vec![], join_keys: vec![], whole: true }, now)
        };
        let changed = Write::Put(view("a", "changed"));
        let with = |more: Vec<Write>| allowed("editor", &[std::slice::from_ref(&changed), more.as_slice()].concat());
        for (view, expected) in [("a", true), ("b", false)] {
            assert_eq!(with(vec![version(view)]), expected);
            assert_eq!(with(vec![put_owner("mine", &id(view), now)]), expected);
            assert_eq!(with(vec![put_stale(view, now, now)]), expected);
            assert_eq!(with(left(view)), expected);
        }
        let uuid = Write::PutMetadata { key: PROJECT_UUID.into(), value: "u".to_owned(), updated: 1 };
        assert!(with(vec![uuid]), "the first one");
        assert!(!with(vec![Write::PutMetadata { key: "else".into(), value: "v".to_owned(), updated: 1 }]));
        assert!(allowed("owner", &left("is gone")));
    }

    #[test]
    fn a_change_of_a_view_writes_nothing_else() {
        let (before, user) = (before(), User { roles: BTreeSet::from(["editor".to_owned()]), ..User::default() });
        let objects = ProjectObjects::of(before.clone(), Rights::of(&before.rows, Unruled::Deny), None);
        let caller = Caller::User(Arc::new(user));
        let check = |writes: &[Write]| Permitted::of(&caller, &objects, &before, "p").check_view("a", writes).is_ok();
        assert!(check(&[Write::Put(view("a", "changed")), forget_stale("a")]));
        assert!(!check(&[Write::Put(view("new", ""))]));
    }
}
