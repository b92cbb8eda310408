//! A registry behind a registry server: that of feastr, which offers the registry in whole (`protocol/`), or Feast's, which
//! takes objects one by one. Which of both it is the server says itself.

mod failure;
mod feasts;
mod hold;
mod offered;
mod own;
pub mod protocol;
mod server;

use std::sync::{Arc, OnceLock};

use self::{feasts::FeastsRegistry, offered::offers, own::OwnRegistry, server::RegistryServer};
use super::{
    change_log::{ChangeLog, WantedChanges},
    locks::{Holder, Locking, Locks, ViewLock},
    objects::{Mark, Objects, Snapshot, VersionRow, Write},
    run_log::RunLog,
    traits::Registry,
};
use crate::{
    auth::login::Tokens,
    config::RemoteRegistryConfig,
    model::{ChangeRecord, ObjectId, ObjectKind, RunRecord, ViewId},
    problem::Problem,
};

/// A registry behind a server.
pub(crate) struct RemoteRegistry {
    server: Arc<RegistryServer>,
    locking: Arc<Locking>,
    /// As the server offers it, once that is known.
    offered: OnceLock<Box<dyn Registry>>,
}

impl RemoteRegistry {
    /// The registry behind the server of these settings, which is told by `tokens` who asks. Nothing is opened yet.
    pub(crate) fn new(config: RemoteRegistryConfig, locking: Locking, tokens: Arc<Tokens>) -> Self {
        let server = Arc::new(RegistryServer::new(config, tokens));
        Self { server, locking: Arc::new(locking), offered: OnceLock::new() }
    }

    fn offered(&self) -> Result<&dyn Registry, Problem> {
        if let Some(offered) = self.offered.get() {
            return Ok(offered.as_ref());
        }
        let (server, locking) = (Arc::clone(&self.server), Arc::clone(&self.locking));
        let offered: Box<dyn Registry> = match offers(&self.server, protocol::SERVICE)? {
            true => Box::new(OwnRegistry::new(server, locking)),
            false => Box::new(FeastsRegistry::new(server)),
        };
        Ok(self.offered.get_or_init(|| offered).as_ref())
    }
}

impl Objects for RemoteRegistry {
    fn snapshot(&self, project: &str) -> Result<Snapshot, Problem> {
        self.offered()?.snapshot(project)
    }

    fn view(&self, view: ViewId<'_>) -> Result<Snapshot, Problem> {
        self.offered()?.view(view)
    }

    fn names(&self, project: &str, kinds: &[ObjectKind]) -> Result<Vec<ObjectId>, Problem> {
        self.offered()?.names(project, kinds)
    }

    fn mark(&self, project: &str) -> Result<Option<Mark>, Problem> {
        self.offered()?.mark(project)
    }

    fn versions(&self, project: &str) -> Result<Vec<VersionRow>, Problem> {
        self.offered()?.versions(project)
    }

    fn projects(&self) -> Result<Vec<String>, Problem> {
        self.offered()?.projects()
    }

    fn update(&self, project: &str, decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>) -> Result<(), Problem> {
        self.offered()?.update(project, decide)
    }

    fn update_view(
        &self,
        view: ViewId<'_>,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), Problem> {
        self.offered()?.update_view(view, decide)
    }
}

impl Locks for RemoteRegistry {
    fn lock_view(&self, view: ViewId<'_>) -> Result<ViewLock, Problem> {
        self.offered()?.lock_view(view)
    }

    fn view_holder(&self, view: ViewId<'_>) -> Result<Option<Holder>, Problem> {
        self.offered()?.view_holder(view)
    }
}

impl RunLog for RemoteRegistry {
    fn create_run_log(&self) -> Result<(), Problem> {
        self.offered()?.create_run_log()
    }

    fn record_run(&self, project: &str, run: &RunRecord) -> Result<(), Problem> {
        self.offered()?.record_run(project, run)
    }

    fn runs(&self, project: &str, views: &[String], limit: usize) -> Result<Vec<RunRecord>, Problem> {
        self.offered()?.runs(project, views, limit)
    }

    fn forget_runs(&self, project: &str) -> Result<(), Problem> {
        self.offered()?.forget_runs(project)
    }
}

impl ChangeLog for RemoteRegistry {
    fn changes(&self, project: &str, wanted: &WantedChanges) -> Result<Vec<ChangeRecord>, Problem> {
        self.offered()?.changes(project, wanted)
    }
}

impl Registry for RemoteRegistry {
    fn location(&self) -> String {
        self.server.location()
    }
}
