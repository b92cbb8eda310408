//! Online values that nobody can read any more: noted with the change, removed after it.

use super::*;

fn cleaned(registry: &dyn Registry, online: &dyn OnlineStore) -> u64 {
    clean_up("p", registry, online, &mut |_| {}).unwrap()
}

#[test]
fn values_of_removed_views_are_noted_and_cleaned_up_while_nobody_materializes_them() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    applied(&with_views(&["a", "b"]), &registry, &online);
    store_values(&online, "p", &view("a", &["x"]));
    store_values(&online, "p", &view("b", &["x"]));
    applied(&with_views(&["b"]), &registry, &online);
    assert_eq!(noted(&registry), ["a x"]);
    let run = registry.lock_view(ViewId { project: "p", name: "a" }).unwrap();
    let impatient = registry.with(Locking { timeout: std::time::Duration::ZERO, ..Locking::default() });
    clean_up("p", &impatient, &online, &mut |_| {}).unwrap_err();
    assert_eq!(noted(&registry), ["a x"]);
    drop(run);
    assert_eq!((cleaned(&impatient, &online), noted(&registry).len()), (1, 0));
    assert_eq!([stored(&online, "p", "a", &["x"]), stored(&online, "p", "b", &["x"])], [[false], [true]]);
    // Nothing is left to do.
    assert_eq!(cleaned(&registry, &online), 0);
}

#[test]
fn values_of_removed_features_go_and_the_others_stay() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    let before = view("a", &["x", "y"]);
    applied(&repo(vec![before.clone()], Vec::new()), &registry, &online);
    store_values(&online, "p", &before);
    applied(&with_views(&["a"]), &registry, &online);
    assert_eq!(noted(&registry), ["a y"]);
    assert_eq!(cleaned(&registry, &online), 1);
    assert_eq!(stored(&online, "p", "a", &["x", "y"]), [true, false]);
}

#[test]
fn what_is_declared_again_before_it_was_removed_stays() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    applied(&with_views(&["a"]), &registry, &online);
    store_values(&online, "p", &view("a", &["x"]));
    applied(&with_views(&[]), &registry, &online);
    applied(&with_views(&["a"]), &registry, &online);
    assert_eq!((cleaned(&registry, &online), noted(&registry).len()), (0, 0));
    assert_eq!(stored(&online, "p", "a", &["x"]), [true]);
}

#[test]
fn a_view_that_is_back_with_fewer_features_keeps_those() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    let before = view("a", &["x", "y"]);
    applied(&repo(vec![before.clone()], Vec::new()), &registry, &online);
    store_values(&online, "p", &before);
    applied(&with_views(&[]), &registry, &online);
    applied(&with_views(&["a"]), &registry, &online);
    assert_eq!((cleaned(&registry, &online), noted(&registry).len()), (1, 0));
    assert_eq!(stored(&online, "p", "a", &["x", "y"]), [true, false]);
}

#[test]
fn notes_stay_until_the_values_are_gone() {
    let is_away = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let asked = std::sync::Arc::clone(&is_away);
    let online = WatchedOnline::new(move |call| {
        let fails = call == OnlineCall::Remove && asked.load(std::sync::atomic::Ordering::Relaxed);
        if fails { Err(away()) } else { Ok(()) }
    });
    let registry = Memory::default();
    applied(&with_views(&["a"]), &registry, &online);
    store_values(&online, "p", &view("a", &["x"]));
    applied(&with_views(&[]), &registry, &online);
    clean_up("p", &registry, &online, &mut |_| {}).unwrap_err();
    assert_eq!(noted(&registry), ["a x"]);
    is_away.store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!((cleaned(&registry, &online), noted(&registry).len()), (1, 0));
}

#[test]
fn without_an_online_store_nothing_is_noted() {
    let registry = Memory::default();
    for views in [&["a"][..], &[]] {
        apply(&with_views(views), &registry, None, options(EVERYTHING)).unwrap();
    }
    assert_eq!(noted(&registry).len(), 0);
}

#[test]
fn views_that_are_not_online_leave_nothing() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    let offline = FeatureView { online: false, ..view("a", &["x"]) };
    applied(&repo(vec![offline], Vec::new()), &registry, &online);
    applied(&with_views(&[]), &registry, &online);
    assert_eq!(noted(&registry).len(), 0);
}

#[test]
fn a_view_that_goes_offline_leaves_its_values() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    applied(&with_views(&["a"]), &registry, &online);
    let offline = FeatureView { online: false, ..view("a", &["x"]) };
    applied(&repo(vec![offline], Vec::new()), &registry, &online);
    assert_eq!(noted(&registry), ["a x"]);
}

#[test]
fn values_of_another_project_stay() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    for project in ["p", "q"] {
        applied(&of_project(project, with_views(&["a"])), &registry, &online);
        store_values(&online, project, &view("a", &["x"]));
    }
    applied(&with_views(&[]), &registry, &online);
    assert_eq!(cleaned(&registry, &online), 1);
    assert_eq!([stored(&online, "p", "a", &["x"]), stored(&online, "q", "a", &["x"])], [[false], [true]]);
}
