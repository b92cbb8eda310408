//! What an apply makes of the registry, and what keeps it from doing so.

use super::*;
use crate::registry::stale_until;

#[test]
fn an_apply_makes_the_registry_hold_what_is_declared() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    let rides = view("rides", &["x", "y"]);
    let declared = repo(vec![rides.clone()], vec![service("model", &[&rides])]);
    let plan = applied(&declared, &registry, &online);
    assert_eq!((state(&registry).objects, plan.changes.len()), (declared.objects().clone(), 5));
}

#[test]
fn an_apply_without_changes_writes_nothing() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    assert!(!applied(&with_views(&["a"]), &registry, &online).is_empty());
    let mark = registry.mark("p").unwrap();
    assert!(applied(&with_views(&["a"]), &registry, &online).is_empty());
    assert_eq!(registry.mark("p").unwrap(), mark);
}

/// Somebody else may have it for long.
#[test]
fn an_apply_without_changes_takes_no_lock() {
    let updates = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&updates);
    let registry = Watched::new(move |_, call| {
        counted.fetch_add(usize::from(call == Call::Update), std::sync::atomic::Ordering::Relaxed);
        Ok(())
    });
    for _ in 0..2 {
        applied(&with_views(&["a"]), &registry, &MemoryOnlineStore::default());
    }
    assert_eq!(updates.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn what_is_not_declared_any_more_is_removed() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    applied(&with_views(&["a", "b"]), &registry, &online);
    applied(&with_views(&["b"]), &registry, &online);
    assert_eq!(registered(&registry), ["b"]);
    let versions = registry.versions("p").unwrap();
    assert_eq!(versions.iter().map(|version| version.view.as_str()).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn a_changed_schema_is_a_new_version_of_its_view() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    let numbers = || registry.versions("p").unwrap().iter().map(|version| version.number).collect::<Vec<_>>();
    applied(&with_views(&["a"]), &registry, &online);
    let described = FeatureView { description: "words".to_owned(), ..view("a", &["x"]) };
    applied(&repo(vec![described], Vec::new()), &registry, &online);
    assert_eq!(numbers(), [0]);
    applied(&repo(vec![view("a", &["x", "y"])], Vec::new()), &registry, &online);
    assert_eq!(numbers(), [0, 1]);
}

#[test]
fn a_view_may_be_pinned_to_what_is_stored_under_the_number_and_to_nothing_else() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    for features in [&["x"][..], &["x", "y"]] {
        applied(&repo(vec![view("a", features)], Vec::new()), &registry, &online);
    }
    let pinned = |features: &[&str]| {
        let pinned = FeatureView { version: ViewVersion::Pinned(0), ..view("a", features) };
        apply(&repo(vec![pinned], Vec::new()), &registry, Some(&online), options(EVERYTHING))
    };
    let before = registry.snapshot("p").unwrap();
    let refused = pinned(&["z"]).unwrap_err();
    assert!(matches!(refused, ApplyError::PinConflict { number: 0, .. }), "{refused:?}");
    assert_eq!(registry.snapshot("p").unwrap(), before);
    pinned(&["x"]).unwrap();
    assert_eq!(registry.versions("p").unwrap().len(), 2, "no version is added");
    assert!(pinned(&["x"]).unwrap().is_empty());
}

#[test]
fn harm_that_nobody_agreed_to_is_blocked_as_a_whole() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    applied(&with_views(&["a", "b"]), &registry, &online);
    let mark = registry.mark("p").unwrap();
    let after = with_views(&["b", "new"]);
    let blocked = apply(&after, &registry, Some(&online), options(Approval::Named(&[]))).unwrap_err();
    let ApplyError::Blocked(blocked) = blocked else { panic!("{blocked:?}") };
    assert_eq!(blocked.len(), 1);
    assert_eq!((registry.mark("p").unwrap(), registered(&registry)), (mark, vec!["a".to_owned(), "b".to_owned()]));
    let allowed = ["delete:feature-view/a".parse().unwrap()];
    apply(&after, &registry, Some(&online), options(Approval::Named(&allowed))).unwrap();
    assert_eq!(registered(&registry), ["b", "new"]);
}

#[test]
fn projects_of_one_registry_are_apart() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    applied(&with_views(&["a"]), &registry, &online);
    applied(&of_project("q", with_views(&["b"])), &registry, &online);
    applied(&of_project("q", with_views(&[])), &registry, &online);
    assert_eq!(registered(&registry), ["a"]);
    assert_eq!(registry.projects().unwrap(), ["p", "q"]);
}

#[test]
fn a_repo_with_a_name_removes_only_what_it_has_applied() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    let as_team = |team, repo: &Repo| {
        let options = ApplyOptions { repo_name: Some(team), ..options(EVERYTHING) };
        apply(repo, &registry, Some(&online), options)
    };
    as_team("one", &with_views(&["a"])).unwrap();
    as_team("two", &repo(vec![view("a", &["x"]), view("b", &["x"])], Vec::new())).unwrap();
    as_team("two", &with_views(&["a"])).unwrap();
    assert_eq!(registered(&registry), ["a"]);
    let owners = state(&registry).owners;
    assert_eq!(owners.get(&ObjectId::new(ObjectKind::FeatureView, "a")).map(String::as_str), Some("one"));
    assert_eq!(owners.get(&ObjectId::new(ObjectKind::FeatureView, "b")), None);
    // What another one owns may be declared alike, and not otherwise.
    let other = as_team("two", &repo(vec![view("a", &["y"])], Vec::new())).unwrap_err();
    let ApplyError::Conflicts(conflicts) = other else { panic!("{other:?}") };
    assert_eq!(conflicts[0].owner.as_deref(), Some("one"));
}

#[test]
fn an_apply_decides_anew_when_another_one_was_faster() {
    let mut others = Some(with_views(&["a", "theirs"]));
    let registry = Watched::new(move |memory, call| {
        if let Some(others) = others.take_if(|_| call == Call::Update) {
            apply(&others, memory, None, options(EVERYTHING)).unwrap();
        }
        Ok(())
    });
    let plan = applied(&with_views(&["a", "ours"]), &registry, &MemoryOnlineStore::default());
    let changes: Vec<String> =
        plan.changes.iter().map(|change| format!("{} {}", change.action.word(), change.id.name)).collect();
    assert_eq!(changes, ["create ours", "delete theirs"]);
    assert_eq!(registered(&registry.memory), ["a", "ours"]);
}

#[test]
fn a_saved_plan_is_carried_out_for_what_it_was_made_of_and_once() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    let declared = with_views(&["a"]);
    let saved = SavedPlan::of(&plan(&declared, &state(&registry), None, Some(&online)).unwrap()).unwrap();
    let approval = options(Approval::Plan(&saved));
    assert!(!apply(&declared, &registry, Some(&online), approval).unwrap().is_empty());
    assert!(apply(&declared, &registry, Some(&online), approval).unwrap().is_empty());
}

#[test]
fn a_saved_plan_for_an_older_registry_is_told_so() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    let declared = with_views(&["a"]);
    let saved = SavedPlan::of(&plan(&declared, &state(&registry), None, Some(&online)).unwrap()).unwrap();
    applied(&with_views(&["b"]), &registry, &online);
    let stale = apply(&declared, &registry, Some(&online), options(Approval::Plan(&saved))).unwrap_err();
    let ApplyError::Stale(differences) = stale else { panic!("{stale:?}") };
    assert_eq!(differences[0], Difference::Registry);
    assert_eq!(registered(&registry), ["b"]);
}

#[test]
fn a_saved_plan_is_stale_too_when_another_apply_comes_between() {
    let mut others = Some(with_views(&["theirs"]));
    let registry = Watched::new(move |memory, call| {
        if let Some(others) = others.take_if(|_| call == Call::Update) {
            apply(&others, memory, None, options(EVERYTHING)).unwrap();
        }
        Ok(())
    });
    let declared = with_views(&["a"]);
    let saved = SavedPlan::of(&plan(&declared, &state(&registry.memory), None, None).unwrap()).unwrap();
    let stale = apply(&declared, &registry, None, options(Approval::Plan(&saved))).unwrap_err();
    assert!(matches!(stale, ApplyError::Stale(_)), "{stale:?}");
    assert_eq!(registered(&registry.memory), ["theirs"]);
}

#[test]
fn a_saved_plan_is_not_for_other_definitions() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    let saved = plan(&with_views(&["a"]), &state(&registry), None, Some(&online)).unwrap();
    let saved = SavedPlan::of(&saved).unwrap();
    let other = apply(&with_views(&["b"]), &registry, Some(&online), options(Approval::Plan(&saved))).unwrap_err();
    let ApplyError::Stale(differences) = other else { panic!("{other:?}") };
    assert!(matches!(&differences[..], [Difference::Definitions(_)]), "{differences:?}");
}

#[test]
fn a_store_without_room_keeps_the_registry_as_it_was() {
    let online = WatchedOnline::new(|call| if call == OnlineCall::Prepare { Err(away()) } else { Ok(()) });
    let registry = Memory::default();
    apply(&with_views(&["a"]), &registry, Some(&online), options(EVERYTHING)).unwrap_err();
    assert_eq!(registry.mark("p").unwrap(), None);
}

#[test]
fn a_registry_that_is_away_changes_nothing() {
    let registry = Watched::new(|_, call| if call == Call::Update { Err(away()) } else { Ok(()) });
    let refused = apply(&with_views(&["a"]), &registry, None, options(EVERYTHING)).unwrap_err();
    assert!(matches!(refused, ApplyError::Problem(Problem { kind: Kind::Unavailable, .. })), "{refused:?}");
    assert_eq!(registry.memory.mark("p").unwrap(), None);
}

#[test]
fn an_object_that_cannot_be_read_is_not_replaced() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    applied(&with_views(&["a"]), &registry, &online);
    let damage = |snapshot: &Snapshot| {
        let row = snapshot.rows.iter().find(|row| row.name == "a").unwrap();
        Some(vec![Write::Put(Row { proto: b"\xff".to_vec(), ..row.clone() })])
    };
    registry.update("p", &mut |snapshot| damage(snapshot)).unwrap();
    let refused = apply(&with_views(&["a"]), &registry, Some(&online), options(EVERYTHING)).unwrap_err();
    assert!(matches!(refused, ApplyError::Conflicts(_)), "{refused:?}");
}

#[test]
fn a_change_of_materialized_values_is_noted_until_when_they_are_of_the_past() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    let before = view("a", &["x"]);
    applied(&repo(vec![before.clone()], Vec::new()), &registry, &online);
    let stale = || stale_until(&registry.snapshot("p").unwrap().metadata, "a");
    let materialized = |snapshot: &Snapshot| {
        let row = snapshot.rows.iter().find(|row| row.name == "a").unwrap();
        let interval = Interval { start: at(0), end: at(50) };
        let proto = crate::feast::registry::with_interval(row.kind, &row.proto, interval, at(60)).unwrap();
        Some(vec![Write::Put(Row { proto, ..row.clone() })])
    };
    registry.update("p", &mut |snapshot| materialized(snapshot)).unwrap();
    let mut after = before.clone();
    after.source.as_mut().unwrap().field_mapping.insert("raw".to_owned(), "x".to_owned());
    let changed = repo(vec![after.clone()], Vec::new()).with(after.source);
    applied(&changed, &registry, &online);
    assert_eq!(stale(), Some(at(50)));
    applied(&with_views(&[]), &registry, &online);
    assert_eq!(stale(), None);
}
