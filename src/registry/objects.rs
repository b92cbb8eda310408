//! Where a project's objects are kept: rows of serialized messages, changed in transactions.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    model::{ChangeRecord, ObjectId, ObjectKind, Timestamp, ViewId},
    problem::Problem,
};

/// Objects of projects, which several programs share, Python Feast among them.
pub trait Objects: Send + Sync {
    /// What the registry holds of a project at one moment. Writes nothing, not even tables.
    ///
    /// # Errors
    /// When the registry cannot be read.
    fn snapshot(&self, project: &str) -> Result<Snapshot, Problem>;

    /// What the registry holds of one view of a project, of whatever kind: its row and the notes that matter to it,
    /// without its versions. Nothing else is read, so that this takes as long however many views there are; a
    /// registry in a file is read whole. Writes nothing, not even tables.
    ///
    /// # Errors
    /// When the registry cannot be read.
    fn view(&self, view: ViewId<'_>) -> Result<Snapshot, Problem>;

    /// The names of a project's objects of some kinds, sorted. Nothing else of them is read; a registry in a file is
    /// read whole. Writes nothing, not even tables.
    ///
    /// # Errors
    /// When the registry cannot be read.
    fn names(&self, project: &str, kinds: &[ObjectKind]) -> Result<Vec<ObjectId>, Problem>;

    /// What the project can be recognised by without being read: another one after each change; `None` where there is
    /// nothing of the kind. Writes nothing, not even tables.
    ///
    /// # Errors
    /// When the registry cannot be read.
    fn mark(&self, project: &str) -> Result<Option<Mark>, Problem>;

    /// The history of the project's views, by view and number. Writes nothing, not even tables.
    ///
    /// # Errors
    /// When the registry cannot be read.
    fn versions(&self, project: &str) -> Result<Vec<VersionRow>, Problem>;

    /// The names of all projects, sorted. Writes nothing.
    ///
    /// # Errors
    /// When the registry cannot be read.
    fn projects(&self) -> Result<Vec<String>, Problem>;

    /// The rows of all projects themselves, by name. A registry in a file, or behind a server, is read whole. Writes nothing.
    ///
    /// # Errors
    /// When the registry cannot be read.
    fn project_rows(&self) -> Result<Vec<Row>, Problem> {
        let mut rows = Vec::new();
        for project in self.projects()? {
            let Snapshot { rows: stored, .. } = self.snapshot(&project)?;
            rows.extend(stored.into_iter().filter(|row| row.kind == ObjectKind::Project));
        }
        Ok(rows)
    }

    /// Changes a project in one transaction under the registry's lock: `decide` sees what is there
    /// and answers what to write, or `None` to leave everything as it is. Creates missing tables.
    ///
    /// # Errors
    /// When the lock cannot be had or the registry cannot be written; then nothing has changed.
    fn update(&self, project: &str, decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>) -> Result<(), Problem>;

    /// The same of one object, which `decide` changes by what is there of it: its row, for a view those of all kinds with its
    /// name and the highest number of its versions; the project itself, and for that the record of infrastructure; the
    /// permissions of the project; and the notes that go with the object. Nothing else has to be read, so that this takes
    /// as long however many objects there are; a registry in a file shows all.
    ///
    /// # Errors
    /// Those of [`update`](Self::update).
    fn update_object(
        &self,
        project: &str,
        _object: &ObjectId,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), Problem> {
        self.update(project, decide)
    }

    /// Changes one view of a project in one transaction: `decide` sees what [`view`](Self::view) gives and answers
    /// what to write of the view and the notes. Nobody else changes the view meanwhile, but the rest of the
    /// project is not locked where the registry can do without. Creates missing tables.
    ///
    /// # Errors
    /// When the registry cannot be written; then nothing has changed.
    fn update_view(
        &self,
        view: ViewId<'_>,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), Problem>;
}

/// What a project can be recognised by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Means nothing but to be equal to another one, or not.
    pub text: String,
    /// Until then, changes may leave the mark as it is.
    pub settled: Timestamp,
}

/// One stored object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
    /// Unix seconds.
    pub updated: i64,
    /// The serialized message of this kind.
    pub proto: Vec<u8>,
}

/// A version of a view, kept when its schema changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
    /// The name of the view.
    pub view: String,
    /// Feast's word for the kind of view, such as `feature_view`.
    pub view_type: String,
    /// From 0.
    pub number: i32,
    /// The row of the view at that time.
    pub proto: Vec<u8>,
    /// Unix seconds.
    pub created: i64,
    /// Random.
    pub id: String,
}

/// What a registry holds of one project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// All objects of the project.
    pub rows: Vec<Row>,
    /// The record of online infrastructure (`feast.core.Infra`).
    pub infra: Option<Vec<u8>>,
    /// Highest version number by view name.
    pub versions: BTreeMap<String, i32>,
    /// Notes about the project, Feast's and feastr's.
    pub metadata: BTreeMap<String, String>,
    /// What [`Objects::mark`] gave at that moment, where the registry tells it with what it holds.
    pub mark: Option<Mark>,
}

impl Row {
    /// Kind and name.
    pub fn id(&self) -> ObjectId {
        ObjectId::new(self.kind, &self.name)
    }
}

impl Snapshot {
    /// The bytes of a stored object.
    pub fn proto(&self, kind: ObjectKind, name: &str) -> Option<&[u8]> {
        self.rows.iter().find(|row| row.kind == kind && row.name == name).map(|row| row.proto.as_slice())
    }
}

/// One thing to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Inserts or replaces an object.
    Put(Row),
    /// Removes an object; for a view also its versions.
    Delete {
        /// What it is.
        kind: ObjectKind,
        /// Its name.
        name: String,
    },
    /// A version of a view comes.
    AddVersion(VersionRow),
    /// Replaces the record of online infrastructure; `updated` in Unix seconds.
    PutInfra {
        /// The message.
        proto: Vec<u8>,
        /// When.
        updated: i64,
    },
    /// Sets a note about the project; `updated` in Unix seconds.
    PutMetadata {
        /// Under which key.
        key: Cow<'static, str>,
        /// What is noted.
        value: String,
        /// When.
        updated: i64,
    },
    /// Removes a note about the project, if there is one.
    DeleteMetadata {
        /// Its key.
        key: String,
    },
    /// Removes everything of the project.
    DeleteProject,
    /// Adds to the log of changes, for [`ChangeLog`](super::ChangeLog). A registry that has no place for it does without.
    Record(Box<ChangeRecord>),
}

impl Write {
    /// The key of the note that is set or removed, if one is.
    pub fn note_key(&self) -> Option<&str> {
        match self {
            Self::PutMetadata { key, .. } => Some(key),
            Self::DeleteMetadata { key } => Some(key),
            _ => None,
        }
    }
}
