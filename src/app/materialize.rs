//! Writing the newest values of views to the online store.

mod by_server;
mod shards;
mod some;
mod whole;

use std::sync::Arc;

pub use by_server::{ServerRun, by_server};
pub use shards::{Written, give_up, write_shard};
pub use whole::{Materialized, busy_views, materialize, wanted_views};

use super::{Caller, Event, Failure, FeatureStore, access::Access};
use crate::{
    materialize::{self as run, Range, RunOptions, RunReport, Stores, ViewForecast, ViewRun},
    model::{ForeignObject, PermissionAction, RegistryState},
    offline::{Cancel, StagedRows},
    online::Replace,
    problem::{Advice, Kind, Problem},
    registry::read_objects,
    retrieval::Entities,
};

/// What is materialized, and how.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The views; all that can be materialized if there are none.
    pub views: &'a [String],
    /// From when to when.
    pub range: Range,
    /// Whether the end may lie in the future.
    pub allow_future: bool,
    /// Microseconds of the parts that a view's interval is written and recorded in; `None` for one part.
    pub chunk: Option<i64>,
    /// Which stored values give way.
    pub replace: Replace,
    /// Into how many parts the work is divided, which [`write_shard`] does: what an engine finds is written to files only.
    pub shards: Option<u32>,
    /// Views that are materialized at a time.
    pub jobs: usize,
    /// Whether no further view is begun after one has failed.
    pub fail_fast: bool,
    /// Whose values are written; `None` is everybody.
    pub entities: Option<&'a WhoseValues>,
}

/// Entities whose values are written, and no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhoseValues {
    /// Those of whom a view, or a data source, has rows in the interval.
    From(String),
    /// Those of whom some view in the index of entities has an event in the interval; of several entities those who are in
    /// a row together.
    Index(Vec<String>),
}

/// A materialization that may begin: what is wanted was found in the registry.
pub struct Materialization<'a> {
    store: &'a FeatureStore,
    caller: &'a Caller,
    request: Request<'a>,
    registered: Arc<RegistryState>,
    runs: Vec<ViewRun>,
    /// Whose values are written, if not those of all.
    entities: Option<Entities>,
    /// Views of the project that are left out because feastr cannot materialize them.
    pub left_out: Vec<ForeignObject>,
}

impl<'a> Materialization<'a> {
    /// Looks for what is wanted. Writes nothing.
    ///
    /// # Errors
    /// When the end lies in the future ([`Kind::Refused`]), the caller may not, a view is unknown or not online, or the registry cannot be
    /// read.
    pub fn plan(store: &'a FeatureStore, caller: &'a Caller, request: Request<'a>) -> Result<Self, Failure> {
        check_end(store, request)?;
        store.required_online()?;
        let registered = Arc::new(read_objects(&store.registry().snapshot(store.project())?));
        if registered.objects.is_empty() {
            let registry = store.registry().location();
            let message = format!("project {} is not in the registry {registry}", store.project());
            return Err(Problem::new(Kind::NotFound, message, None).advise(Advice::Apply).into());
        }
        let access = Access::of(store, caller, &registered);
        access.check_views(&[PermissionAction::WriteOnline], request.views.iter().map(String::as_str))?;
        let (mut runs, left_out) = run::plan_runs(&registered, request.views, request.range)?;
        if let Some(whose) = request.entities {
            some::confine(&mut runs, &registered, whose, request)?;
        }
        access.check_views(&[PermissionAction::WriteOnline], runs.iter().map(|run| run.view.name.as_str()))?;
        let entities = match request.entities {
            Some(whose) => Some(some::entities(store, &registered, whose, &runs)?),
            None => None,
        };
        if request.shards.is_some() {
            shards::check(&runs, request.entities.is_some())?;
        }
        Ok(Self { store, caller, request, registered, runs, entities, left_out })
    }

    /// The number of views.
    pub const fn views(&self) -> usize {
        self.runs.len()
    }

    /// The names of the views, in the order in which they are begun.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.runs.iter().map(|run| run.view.name.as_str())
    }

    /// What there is to read. Writes nothing.
    ///
    /// # Errors
    /// When there is no online store.
    pub fn forecast(&self) -> Result<Vec<ViewForecast>, Failure> {
        Ok(run::forecast(&self.stores()?, &self.registered, &self.runs, (self.request.chunk, self.entities.as_ref())))
    }

    /// Writes the values and reports on the views; one that fails does not stop the others unless that is wanted. What is asked
    /// of an engine can be called off.
    ///
    /// # Errors
    /// When there is no online store.
    pub fn run(self, cancel: &Cancel) -> Result<RunReport, Failure> {
        let (started, mut by) = (self.store.now(), self.caller.to_string());
        if let Some(whose) = self.request.entities {
            by = format!("{by}, of {whose} only");
        }
        let options = RunOptions {
            chunk: self.request.chunk,
            replace: self.request.replace,
            shards: self.request.shards,
            jobs: self.request.jobs,
            fail_fast: self.request.fail_fast,
            entities: self.entities.as_ref(),
            by: &by,
        };
        let on_event = |event: &run::Event<'_>| self.store.tell(&Event::Materializing(event));
        let stores = self.stores()?;
        let offline = stores.offline.cancelled_by(cancel);
        let stores = Stores { offline: offline.as_ref(), ..stores };
        let views = run::run(&stores, &self.runs, &options, &on_event);
        Ok(RunReport {
            format_version: RunReport::FORMAT_VERSION,
            project: self.store.project().to_owned(),
            by,
            started,
            finished: self.store.now(),
            views,
            left_out: self.left_out,
        })
    }

    fn stores(&self) -> Result<Stores<'_>, Problem> {
        stores(self.store)
    }
}

/// What runs work on.
fn stores(store: &FeatureStore) -> Result<Stores<'_>, Problem> {
    Ok(Stores {
        project: store.project(),
        registry: store.registry(),
        offline: store.batch_engine(),
        staged: StagedRows::of(store.whereabouts()),
        expressions: store.expressions(),
        online: store.required_online()?,
        clock: store.clock(),
    })
}

/// A range that ends in the future is most often a slip, and incremental runs go on from there.
fn check_end(store: &FeatureStore, request: Request<'_>) -> Result<(), Problem> {
    let end = request.range.end();
    if request.allow_future || !end.is_beyond(store.now()) {
        return Ok(());
    }
    let message = format!("END {end} is in the future; incremental runs would skip what comes until then");
    Err(Problem::new(Kind::Refused, message, None).advise(Advice::AllowFuture))
}
