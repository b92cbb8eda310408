use std::{borrow::Cow, collections::BTreeMap};

use super::locking::Holder;
use crate::{
    model::{ObjectKind, RunRecord},
    problem::Problem,
};

/// A registry that several programs share, Python Feast among them. Threads can share it, too.
pub trait RegistryStore: Send + Sync {
    /// What the registry holds of a project at one moment. Writes nothing, not even tables.
    ///
    /// # Errors
    /// When the registry cannot be read.
    fn snapshot(&self, project: &str) -> Result<Snapshot, Problem>;

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

    /// Changes a project in one transaction under the registry's lock: `decide` sees what is there
    /// and answers what to write, or `None` to leave everything as it is. Creates missing tables.
    ///
    /// # Errors
    /// When the lock cannot be had or the registry cannot be written; then nothing has changed.
    fn update(&self, project: &str, decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>) -> Result<(), Problem>;

    /// Waits until no other run materializes a view, and keeps others from it until what comes back
    /// is dropped or the process ends. Python Feast knows nothing of it.
    ///
    /// # Errors
    /// When the lock cannot be had.
    fn lock_view(&self, project: &str, view: &str) -> Result<ViewLock, Problem>;

    /// Who materializes a view now.
    ///
    /// # Errors
    /// When the registry cannot be read.
    fn view_holder(&self, project: &str, view: &str) -> Result<Option<Holder>, Problem>;

    /// Makes room for notes about runs, in whatever project; [`record_run`](Self::record_run) does so
    /// itself where it may.
    ///
    /// # Errors
    /// When the registry cannot be written.
    fn create_history(&self, project: &str) -> Result<(), Problem>;

    /// Notes what became of a run, in place of what was noted of it before. Whenever one has ended, the
    /// newest [`KEPT_RUNS`](super::KEPT_RUNS) of its view are kept.
    ///
    /// # Errors
    /// When there is no place for them or it cannot be written.
    fn record_run(&self, project: &str, run: &RunRecord) -> Result<(), Problem>;

    /// The newest `limit` noted runs of these views of a project, or of all, the newest first. Writes
    /// nothing.
    ///
    /// # Errors
    /// When they cannot be read.
    fn runs(&self, project: &str, views: &[String], limit: usize) -> Result<Vec<RunRecord>, Problem>;

    /// Removes the noted runs of a project.
    ///
    /// # Errors
    /// When they cannot be written.
    fn forget_runs(&self, project: &str) -> Result<(), Problem>;

    /// Where the registry is, for messages; never with a password.
    fn location(&self) -> String;
}

/// The lock of a view; whoever drops it gives it back.
pub struct ViewLock {
    _held: Box<dyn Send>,
}

impl ViewLock {
    /// The lock that lasts as long as `held`, such as a connection.
    pub fn new(held: impl Send + 'static) -> Self {
        Self { _held: Box::new(held) }
    }
}

/// One stored object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub kind: ObjectKind,
    pub name: String,
    /// Unix seconds.
    pub updated: i64,
    /// The serialized message of this kind.
    pub proto: Vec<u8>,
}

/// A version of a view, kept when its schema changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
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
    pub rows: Vec<Row>,
    /// The record of online infrastructure (`feast.core.Infra`).
    pub infra: Option<Vec<u8>>,
    /// Highest version number by view name.
    pub versions: BTreeMap<String, i32>,
    /// Notes about the project, Feast's and feastr's.
    pub metadata: BTreeMap<String, String>,
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
        kind: ObjectKind,
        name: String,
    },
    AddVersion(VersionRow),
    /// Replaces the record of online infrastructure; `updated` in Unix seconds.
    PutInfra {
        proto: Vec<u8>,
        updated: i64,
    },
    /// Sets a note about the project; `updated` in Unix seconds.
    PutMetadata {
        key: Cow<'static, str>,
        value: String,
        updated: i64,
    },
    /// Removes a note about the project, if there is one.
    DeleteMetadata {
        key: String,
    },
    /// Removes everything of the project.
    DeleteProject,
}
