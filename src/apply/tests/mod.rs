//! Applies and what they leave behind, on stores in memory.

mod applies;
mod leftovers;
mod tables;
mod teardowns;

use super::*;
use crate::{
    feast::values::entity_key::{EntityKeyEncoder, KeyPart},
    model::{
        FeatureView, Interval, Object, ObjectKind, ViewId, ViewVersion,
        samples::{project, repo, service, view},
    },
    online::{
        EncodedRow, MemoryOnlineStore, OnlineStore, Replace, StoredValue, ViewFeatures, ViewLayout,
        watched::{Call as OnlineCall, Watched as WatchedOnline},
    },
    problem::Kind,
    registry::{
        Locking, Locks as _, Memory, Objects as _, Row, RunLog as _, leftovers,
        watched::{Call, Watched},
    },
};

const EVERYTHING: Approval<'static> = Approval::Everything;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn options(approval: Approval<'_>) -> ApplyOptions<'_> {
    ApplyOptions { repo_name: None, approval, author: Author::NOBODY, now: at(1) }
}

/// The repo of project `p` with these views of a feature `x` each.
fn with_views(names: &[&str]) -> Repo {
    repo(names.iter().map(|name| view(name, &["x"])).collect(), Vec::new())
}

/// The same of another project.
fn of_project(name: &str, repo: Repo) -> Repo {
    let objects = repo.objects().values().filter(|object| !matches!(object, Object::Project(_)));
    Repo::new(project(name)).with(objects.cloned())
}

/// Whatever is due, done.
fn applied(repo: &Repo, registry: &dyn Registry, online: &dyn OnlineStore) -> Plan {
    apply(repo, registry, Some(online), options(EVERYTHING)).unwrap()
}

fn state(registry: &Memory) -> RegistryState {
    read_objects(&registry.snapshot("p").unwrap())
}

/// Names of the views that are registered.
fn registered(registry: &Memory) -> Vec<String> {
    state(registry).views().map(|view| view.name.to_owned()).collect()
}

/// `view feature feature` of what is noted to be removed.
fn noted(registry: &Memory) -> Vec<String> {
    let noted = leftovers(&registry.snapshot("p").unwrap().metadata);
    noted.iter().map(|leftover| format!("{} {}", leftover.view, leftover.features.join(" "))).collect()
}

fn key() -> Vec<u8> {
    let mut key = Vec::new();
    EntityKeyEncoder::new(&["driver_id"]).unwrap().encode(&[KeyPart::Int64(1)], &mut key).unwrap();
    key
}

/// Stores a value of each feature of a view.
fn store_values(online: &dyn OnlineStore, project: &str, view: &FeatureView) {
    let layout = ViewLayout::of(project, view);
    let values = vec![&b"\x29"[..]; layout.features.len()];
    let row = EncodedRow { key: &key(), event: at(1), created: None, values };
    assert_eq!(online.put(&layout, Replace::Outdated, &[row]).unwrap().written, 1);
}

/// Which of a view's features have a value.
fn stored(online: &dyn OnlineStore, project: &str, view: &str, features: &[&str]) -> Vec<bool> {
    let features = features.iter().map(|feature| (*feature).to_owned()).collect();
    let read = online.prepare(project, vec![ViewFeatures { view: view.to_owned(), features, keys: 0 }]);
    let keys = [vec![key()]];
    let reading = read.read(&keys, std::time::Instant::now());
    let found = futures_util::FutureExt::now_or_never(reading).unwrap().unwrap();
    found[0][0].iter().map(|value| *value != StoredValue::NotFound).collect()
}

fn away() -> Problem {
    Problem::new(Kind::Unavailable, "the store is away", None)
}
