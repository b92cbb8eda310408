//! A registry in memory for tests, some of whose calls are heard before they are carried out: who hears of one may
//! count it, refuse it, or do something that its caller does not expect.

use std::sync::Mutex;

use super::{
    change_log::{ChangeLog, WantedChanges},
    locks::{Holder, Locks, ViewLock},
    memory::Memory,
    objects::{Mark, Objects, Snapshot, VersionRow, Write},
    run_log::RunLog,
    traits::Registry,
};
use crate::{
    model::{ChangeRecord, ObjectId, ObjectKind, RunRecord, ViewId},
    problem::Problem,
};

/// A call that is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Call {
    Snapshot,
    Mark,
    Update,
    UpdateView(String),
    RecordRun(String),
}

/// Hears of calls.
type Hear = dyn FnMut(&Memory, Call) -> Result<(), Problem> + Send;

/// The registry.
pub(crate) struct Watched {
    pub(crate) memory: Memory,
    hear: Mutex<Box<Hear>>,
}

impl Watched {
    pub(crate) fn new(hear: impl FnMut(&Memory, Call) -> Result<(), Problem> + Send + 'static) -> Self {
        Self { memory: Memory::default(), hear: Mutex::new(Box::new(hear)) }
    }

    fn tell(&self, call: Call) -> Result<(), Problem> {
        (self.hear.lock().unwrap())(&self.memory, call)
    }
}

impl Objects for Watched {
    fn snapshot(&self, project: &str) -> Result<Snapshot, Problem> {
        self.tell(Call::Snapshot)?;
        self.memory.snapshot(project)
    }

    fn view(&self, view: ViewId<'_>) -> Result<Snapshot, Problem> {
        self.memory.view(view)
    }

    fn mark(&self, project: &str) -> Result<Option<Mark>, Problem> {
        self.tell(Call::Mark)?;
        self.memory.mark(project)
    }

    fn names(&self, project: &str, kinds: &[ObjectKind]) -> Result<Vec<ObjectId>, Problem> {
        self.memory.names(project, kinds)
    }

    fn versions(&self, project: &str) -> Result<Vec<VersionRow>, Problem> {
        self.memory.versions(project)
    }

    fn projects(&self) -> Result<Vec<String>, Problem> {
        self.memory.projects()
    }

    fn update(&self, project: &str, decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>) -> Result<(), Problem> {
        self.tell(Call::Update)?;
        self.memory.update(project, decide)
    }

    fn update_view(
        &self,
        view: ViewId<'_>,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), Problem> {
        self.tell(Call::UpdateView(view.name.to_owned()))?;
        self.memory.update_view(view, decide)
    }
}

impl Locks for Watched {
    fn lock_view(&self, view: ViewId<'_>) -> Result<ViewLock, Problem> {
        self.memory.lock_view(view)
    }

    fn view_holder(&self, view: ViewId<'_>) -> Result<Option<Holder>, Problem> {
        self.memory.view_holder(view)
    }
}

impl RunLog for Watched {
    fn create_run_log(&self) -> Result<(), Problem> {
        self.memory.create_run_log()
    }

    fn record_run(&self, project: &str, run: &RunRecord) -> Result<(), Problem> {
        self.tell(Call::RecordRun(run.view.clone()))?;
        self.memory.record_run(project, run)
    }

    fn runs(&self, project: &str, views: &[String], limit: usize) -> Result<Vec<RunRecord>, Problem> {
        self.memory.runs(project, views, limit)
    }

    fn forget_runs(&self, project: &str) -> Result<(), Problem> {
        self.memory.forget_runs(project)
    }
}

impl ChangeLog for Watched {
    fn changes(&self, project: &str, wanted: &WantedChanges) -> Result<Vec<ChangeRecord>, Problem> {
        self.memory.changes(project, wanted)
    }
}

impl Registry for Watched {
    fn location(&self) -> String {
        self.memory.location()
    }
}
