//! Applies and what they leave behind, on stores in memory.

use std::collections::BTreeMap;

use super::*;
use crate::{
    feast::values::entity_key::{EntityKeyEncoder, KeyPart},
    model::{DUMMY_JOIN_KEY, DataType, FeatureView, Field, Project, ViewId},
    online::{EncodedRow, MemoryOnlineStore, Replace, ViewLayout},
    registry::{Locks as _, Memory, Objects as _, leftovers},
};

fn repo(views: &[&str]) -> Repo {
    let project =
        Project { name: "shop".to_owned(), description: String::new(), owner: String::new(), tags: BTreeMap::new() };
    let feature_views = views
        .iter()
        .map(|name| FeatureView { features: vec![Field::new("rain", DataType::Float64)], ..FeatureView::new(*name) });
    Repo { feature_views: feature_views.collect(), ..Repo::new(project) }
}

fn options(seconds: i64) -> ApplyOptions<'static> {
    let now = Timestamp::from_micros(seconds * 1_000_000);
    ApplyOptions { repo_name: None, approval: Approval::Everything, now }
}

fn store_a_value(online: &MemoryOnlineStore, view: &str) {
    let layout = ViewLayout {
        project: "shop".to_owned(),
        view: view.to_owned(),
        features: vec!["rain".to_owned()],
        join_keys: vec![DUMMY_JOIN_KEY.to_owned()],
    };
    let mut key = Vec::new();
    EntityKeyEncoder::new(&[DUMMY_JOIN_KEY]).unwrap().encode(&[KeyPart::String("")], &mut key).unwrap();
    let row = EncodedRow { key: &key, event: Timestamp::from_micros(1), created: None, values: vec![b"\x29"] };
    assert_eq!(online.put(&layout, Replace::Outdated, &[row]).unwrap().written, 1);
}

#[test]
fn an_apply_without_changes_writes_nothing() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    let first = apply(&repo(&["weather"]), &registry, Some(&online), options(1)).unwrap();
    assert!(!first.is_empty());
    let mark = registry.mark("shop").unwrap();
    let second = apply(&repo(&["weather"]), &registry, Some(&online), options(2)).unwrap();
    assert!(second.is_empty());
    assert_eq!(registry.mark("shop").unwrap(), mark);
}

#[test]
fn values_of_removed_views_are_noted_and_cleaned_up_while_nobody_materializes_them() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    apply(&repo(&["weather", "other"]), &registry, Some(&online), options(1)).unwrap();
    store_a_value(&online, "weather");
    store_a_value(&online, "other");
    apply(&repo(&["other"]), &registry, Some(&online), options(2)).unwrap();
    let noted = || leftovers(&registry.snapshot("shop").unwrap().metadata);
    assert_eq!(noted().iter().map(|leftover| leftover.view.as_str()).collect::<Vec<_>>(), ["weather"]);
    let run = registry.lock_view(ViewId { project: "shop", name: "weather" }).unwrap();
    let impatient =
        registry.with(crate::registry::Locking { timeout: std::time::Duration::ZERO, ..Default::default() });
    clean_up("shop", &impatient, &online, &mut |_| {}).unwrap_err();
    assert_eq!(noted().len(), 1);
    drop(run);
    assert_eq!(clean_up("shop", &impatient, &online, &mut |_| {}).unwrap(), 1);
    assert_eq!(noted(), []);
    // Nothing is left to do, and the other view has its value.
    assert_eq!(clean_up("shop", &registry, &online, &mut |_| {}).unwrap(), 0);
    let all = TeardownOptions { repo_name: None, allowed: &[], now: Timestamp::from_micros(3_000_000) };
    let mut removed = 0;
    teardown("shop", &registry, Some(&online), all, &mut |entities| removed = entities).unwrap();
    assert_eq!((removed, registry.snapshot("shop").unwrap().rows), (1, Vec::new()));
}
