//! Use cases over stores in memory: a request in, a result or a failure with a kind out.

mod applying;
mod looking;
mod materializing;
mod permitting;
mod pushing;
mod saving;
mod serving;

use std::sync::{Arc, Mutex, MutexGuard};

use arrow::array::{ArrayRef, Float32Array, Int64Array, RecordBatch, TimestampMicrosecondArray};

use super::{
    Caller, Event, Failure, FeatureStore,
    feature_store::Stores,
    materialize::{Materialization, Request as MaterializeRequest},
};
use crate::{
    apply::Approval,
    config::{
        AuthConfig, BucketSettings, FeatureServerConfig, MemoryLimit, OfflineStoreConfig, RegistryCache,
        RegistryConfig, StoreConfig,
    },
    materialize::{Range, RunReport},
    model::{
        FeatureView, Interval, ObjectKind, Repo, Timestamp, Ttl, ViewId,
        samples::{repo, service, stream_view, view},
    },
    offline::{Cancel, memory::MemoryOfflineStore},
    online::{MemoryOnlineStore, Online, OnlineStore, Replace, watched::Watched as WatchedOnline},
    problem::{Advice, Kind, Problem},
    registry::{Locking, Locks as _, Memory, Objects as _},
};

const SECOND: i64 = 1_000_000;
const NOW: i64 = 1_000;

/// The clock stands still.
fn clock() -> Timestamp {
    at(NOW)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * SECOND)
}

fn caller() -> Caller {
    Caller::Operator("materialize of tests".to_owned())
}

/// A feature store, and the stores that it shares.
struct House {
    store: Arc<FeatureStore>,
    registry: Memory,
    offline: MemoryOfflineStore,
    events: Arc<Mutex<Vec<String>>>,
}

fn config() -> StoreConfig {
    StoreConfig {
        repo: "/repo".into(),
        file: "/repo/feature_store.yaml".into(),
        project: "p".to_owned(),
        project_description: None,
        repo_name: None,
        provider: "local".to_owned(),
        registry: RegistryConfig::File { path: "/repo/registry.db".into() },
        registry_cache: RegistryCache::default(),
        online_store: None,
        offline_store: OfflineStoreConfig::DuckDb,
        batch_engine: None,
        buckets: BucketSettings::default(),
        auth: AuthConfig::default(),
        entity_index: crate::config::EntityIndexConfig::default(),
        registry_server: crate::config::RegistryServerConfig::default(),
        feature_server: FeatureServerConfig::default(),
        strict: false,
        memory_limit: MemoryLimit::default(),
    }
}

impl House {
    fn new() -> Self {
        Self::with(config(), Some(Box::new(MemoryOnlineStore::default())))
    }

    fn with(config: StoreConfig, online: Option<Box<dyn OnlineStore>>) -> Self {
        Self::sharing(Memory::default(), config, online)
    }

    /// Over a registry that others have, too.
    fn sharing(registry: Memory, config: StoreConfig, online: Option<Box<dyn OnlineStore>>) -> Self {
        let (offline, events) = (MemoryOfflineStore::default(), Arc::<Mutex<Vec<String>>>::default());
        let stores = Stores {
            registry: Box::new(registry.with(Locking::default())),
            replica: Arc::new(registry.with(Locking::default())),
            online: online.map(Online::Store),
            offline: Box::new(offline.clone()),
            batch_engine: None,
            locked_by: Box::new({
                let registry = registry.with(Locking::default());
                move |locking| Box::new(registry.with(locking))
            }),
        };
        let heard = Arc::clone(&events);
        let observer = Arc::new(move |event: &Event<'_>| heard.lock().unwrap().push(told(event)));
        let store = Arc::new(FeatureStore::over(stores, config, clock, observer));
        Self { store, registry, offline, events }
    }

    /// A house in which a repo is applied and its source has these rows: driver, event, value of `x`.
    fn applied(repo: &Repo, rows: &[(i64, i64, f32)]) -> Self {
        let house = Self::new();
        house.apply(repo).unwrap();
        house.put(rows);
        house
    }

    fn apply(&self, repo: &Repo) -> Result<crate::plan::Plan, Failure> {
        let request = super::apply::Request { repo, approval: Approval::Everything };
        super::apply::apply(&self.store, &caller(), request)
    }

    fn put(&self, rows: &[(i64, i64, f32)]) {
        let events = rows.iter().map(|(_, event, _)| event * SECOND);
        let columns: [(&str, ArrayRef); 3] = [
            ("driver_id", Arc::new(rows.iter().map(|(driver, ..)| Some(*driver)).collect::<Int64Array>())),
            ("event_timestamp", Arc::new(TimestampMicrosecondArray::from_iter_values(events))),
            ("x", Arc::new(rows.iter().map(|(_, _, value)| Some(*value)).collect::<Float32Array>())),
        ];
        self.offline.put("stats", RecordBatch::try_from_iter(columns).unwrap());
    }

    fn materialize(&self, range: Range) -> Result<RunReport, Failure> {
        Materialization::plan(&self.store, &caller(), materialization(range))?.run(&Cancel::default())
    }

    fn events(&self) -> MutexGuard<'_, Vec<String>> {
        self.events.lock().unwrap()
    }
}

/// All views, at once.
fn materialization(range: Range) -> MaterializeRequest<'static> {
    MaterializeRequest {
        views: &[],
        range,
        allow_future: false,
        chunk: None,
        replace: Replace::Outdated,
        jobs: 1,
        shards: None,
        fail_fast: false,
        entities: None,
    }
}

fn fixed(start: i64, end: i64) -> Range {
    Range::Fixed(Interval { start: at(start), end: at(end) })
}

fn told(event: &Event<'_>) -> String {
    match event {
        Event::Waiting(waiting) => format!("{waiting}"),
        Event::Removed { entities } => format!("removed {entities}"),
        Event::IgnoredColumns { file, columns } => format!("{file}: {}", columns.join(" ")),
        Event::Materializing(_) => "materializing".to_owned(),
    }
}

fn problem(failure: Failure) -> Problem {
    match failure {
        Failure::Problem(problem) => problem,
        other => panic!("{other:?}"),
    }
}

/// The repo of project `p` with these views of a feature `x` each.
fn with_views(names: &[&str]) -> Repo {
    repo(names.iter().map(|name| view(name, &["x"])).collect(), Vec::new())
}
