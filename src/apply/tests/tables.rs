//! Tables of views, in a store whose tables the registry records.

use std::sync::{Arc, Mutex};

use super::*;

fn with_tables() -> WatchedOnline {
    WatchedOnline::new(|_| Ok(())).with_tables()
}

fn tables(online: &WatchedOnline) -> Vec<String> {
    online.tables().iter().cloned().collect()
}

/// The tables that the registry records.
fn recorded(registry: &Memory) -> Vec<String> {
    state(registry).online_tables.into_keys().collect()
}

#[test]
fn views_have_a_table_that_comes_and_goes_with_them() {
    let (registry, online) = (Memory::default(), with_tables());
    applied(&with_views(&["a", "b"]), &registry, &online);
    assert_eq!((tables(&online), recorded(&registry)), (vec!["p_a".to_owned(), "p_b".to_owned()], tables(&online)));
    applied(&with_views(&["b", "c"]), &registry, &online);
    assert_eq!((tables(&online), recorded(&registry)), (vec!["p_b".to_owned(), "p_c".to_owned()], tables(&online)));
}

#[test]
fn a_table_is_there_before_the_registry_names_it_and_as_long_as_it_does() {
    let (calls, registry) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(None::<Memory>)));
    let (noted, watched) = (Arc::clone(&calls), Arc::clone(&registry));
    let online = WatchedOnline::new(move |call| {
        let recorded = watched.lock().unwrap().as_ref().map_or_else(Vec::new, recorded);
        noted.lock().unwrap().push((call, recorded));
        Ok(())
    });
    let online = online.with_tables();
    let memory = Memory::default();
    *registry.lock().unwrap() = Some(memory.with(Locking::default()));
    applied(&with_views(&["a"]), &memory, &online);
    applied(&with_views(&[]), &memory, &online);
    let calls = calls.lock().unwrap();
    let of = |wanted: &OnlineCall| calls.iter().find(|(call, _)| call == wanted).map(|(_, recorded)| recorded.clone());
    assert_eq!(of(&OnlineCall::Create(vec!["p_a".to_owned()])), Some(Vec::new()));
    assert_eq!(of(&OnlineCall::Remove), Some(vec!["p_a".to_owned()]));
}

#[test]
fn a_table_that_cannot_be_created_keeps_the_registry_as_it_was() {
    let online = WatchedOnline::new(|call| if matches!(call, OnlineCall::Create(_)) { Err(away()) } else { Ok(()) });
    let registry = Memory::default();
    apply(&with_views(&["a"]), &registry, Some(&online.with_tables()), options(EVERYTHING)).unwrap_err();
    assert_eq!(registry.mark("p").unwrap(), None);
}

#[test]
fn a_table_that_could_not_be_dropped_is_dropped_by_the_next_apply() {
    let mut is_away = true;
    let online = WatchedOnline::new(move |call| match call {
        OnlineCall::Remove if std::mem::take(&mut is_away) => Err(away()),
        _ => Ok(()),
    });
    let (registry, online) = (Memory::default(), online.with_tables());
    applied(&with_views(&["a"]), &registry, &online);
    apply(&with_views(&[]), &registry, Some(&online), options(EVERYTHING)).unwrap_err();
    assert_eq!((recorded(&registry), tables(&online)), (vec!["p_a".to_owned()], vec!["p_a".to_owned()]));
    applied(&with_views(&[]), &registry, &online);
    assert_eq!((recorded(&registry).len(), tables(&online).len()), (0, 0));
}

#[test]
fn values_of_removed_features_are_noted_and_whole_views_are_not() {
    let (registry, online) = (Memory::default(), with_tables());
    applied(&repo(vec![view("a", &["x", "y"]), view("b", &["x"])], Vec::new()), &registry, &online);
    applied(&with_views(&["a"]), &registry, &online);
    assert_eq!(noted(&registry), ["a y"]);
}

#[test]
fn a_table_that_another_project_has_cannot_be_had() {
    let (registry, online) = (Memory::default(), with_tables());
    applied(&of_project("p_eu", with_views(&["a"])), &registry, &online);
    let refused = apply(&with_views(&["eu_a"]), &registry, Some(&online), options(EVERYTHING)).unwrap_err();
    let ApplyError::Conflicts(conflicts) = refused else { panic!("{refused:?}") };
    let expected = "both have the online table `p_eu_a`: that one in project `p_eu`, this one in `p`";
    assert_eq!(conflicts[0].reason, expected);
    assert_eq!(registry.mark("p").unwrap(), None);
    // Without an online store there is no table.
    apply(&with_views(&["eu_a"]), &registry, None, options(EVERYTHING)).unwrap();
}

#[test]
fn a_table_that_another_project_has_meanwhile_stays() {
    let (registry, online) = (Memory::default(), with_tables());
    applied(&with_views(&["eu_a"]), &registry, &online);
    // Feast does not look.
    apply(&of_project("p_eu", with_views(&["a"])), &registry, None, options(EVERYTHING)).unwrap();
    let record = |snapshot: &Snapshot| {
        let tables = [("p_eu_a".to_owned(), "memory".to_owned())].into();
        Some(vec![rows::put_infra(snapshot, &tables, at(1))])
    };
    registry.update("p_eu", &mut |snapshot| record(snapshot)).unwrap();
    applied(&with_views(&[]), &registry, &online);
    assert_eq!((tables(&online), recorded(&registry).len()), (vec!["p_eu_a".to_owned()], 0));
}

#[test]
fn a_table_of_another_spelling_is_the_same_one() {
    let (registry, online) = (Memory::default(), with_tables());
    applied(&with_views(&["rides"]), &registry, &online);
    applied(&with_views(&["Rides"]), &registry, &online);
    assert!(tables(&online).iter().any(|table| table.eq_ignore_ascii_case("p_rides")), "{:?}", tables(&online));
    assert_eq!(recorded(&registry), ["p_Rides"]);
}
