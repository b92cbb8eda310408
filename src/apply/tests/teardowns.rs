//! Removing a project, and nothing else.

use prost::Message as _;

use super::*;
use crate::feast::registry::messages::{FeatureView as FeatureViewMessage, SourceType};

const ALL: TeardownOptions<'static> =
    TeardownOptions { repo_name: None, allowed: &[], author: Author::NOBODY, now: Timestamp::from_micros(3_000_000) };

fn torn_down(registry: &dyn Registry, online: &dyn OnlineStore) -> u64 {
    let mut removed = 0;
    teardown("p", registry, Some(online), ALL, &mut |entities| removed = entities).unwrap();
    removed
}

#[test]
fn nothing_is_left_of_a_project_that_is_torn_down() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    applied(&with_views(&["a", "b"]), &registry, &online);
    store_values(&online, "p", &view("a", &["x"]));
    applied(&with_views(&["b"]), &registry, &online);
    store_values(&online, "p", &view("b", &["x"]));
    // Of `a`, which was left behind, too.
    assert_eq!(torn_down(&registry, &online), 2);
    assert_eq!((registry.snapshot("p").unwrap(), registry.projects().unwrap().len()), (Snapshot::default(), 0));
}

#[test]
fn the_summary_says_what_would_be_removed() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    applied(&with_views(&["a", "b"]), &registry, &online);
    applied(&with_views(&["b"]), &registry, &online);
    let mark = registry.mark("p").unwrap();
    let summary = TeardownSummary::of("p", &registry, Some(&online), ALL).unwrap();
    assert_eq!((summary.objects[&ObjectKind::FeatureView], summary.views), (1, vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(registry.mark("p").unwrap(), mark);
    assert!(TeardownSummary::of("none", &registry, Some(&online), ALL).unwrap().is_empty());
}

#[test]
fn another_project_stays_with_values_and_runs() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    for project in ["p", "q"] {
        applied(&of_project(project, with_views(&["a"])), &registry, &online);
        store_values(&online, project, &view("a", &["x"]));
        let run = crate::model::RunRecord {
            id: project.to_owned(),
            view: "a".to_owned(),
            interval: Interval { start: at(0), end: at(1) },
            started: at(1),
            by: "tests".to_owned(),
            counts: crate::model::RunCounts::default(),
            shards: None,
            state: crate::model::RunState::Started,
        };
        registry.record_run(project, &run).unwrap();
    }
    assert_eq!(torn_down(&registry, &online), 1);
    let runs = ["p", "q"].map(|project| registry.runs(project, &[], 9).unwrap().len());
    assert_eq!((runs, stored(&online, "q", "a", &["x"])), ([0, 1], vec![true]));
    assert_eq!(registry.projects().unwrap(), ["q"]);
}

#[test]
fn tables_go_as_well_and_those_of_another_project_stay() {
    let (registry, online) = (Memory::default(), WatchedOnline::new(|_| Ok(())).with_tables());
    applied(&with_views(&["a"]), &registry, &online);
    applied(&of_project("q", with_views(&["a"])), &registry, &online);
    let summary = TeardownSummary::of("p", &registry, Some(&online), ALL).unwrap();
    assert_eq!((summary.tables, summary.views.len()), (vec!["p_a".to_owned()], 0));
    torn_down(&registry, &online);
    assert_eq!(online.tables().iter().collect::<Vec<_>>(), ["q_a"]);
}

#[test]
fn a_store_that_is_away_keeps_everything() {
    let online = WatchedOnline::new(|call| if call == OnlineCall::Reach { Err(away()) } else { Ok(()) });
    let registry = Memory::default();
    applied(&with_views(&["a"]), &registry, &online);
    let mark = registry.mark("p").unwrap();
    teardown("p", &registry, Some(&online), ALL, &mut |_| {}).unwrap_err();
    assert_eq!(registry.mark("p").unwrap(), mark);
}

#[test]
fn a_store_that_fails_half_way_is_finished_by_the_next_teardown() {
    let mut is_away = true;
    let online = WatchedOnline::new(move |call| match call {
        OnlineCall::Remove if std::mem::take(&mut is_away) => Err(away()),
        _ => Ok(()),
    });
    let registry = Memory::default();
    applied(&with_views(&["a"]), &registry, &online);
    store_values(&online, "p", &view("a", &["x"]));
    teardown("p", &registry, Some(&online), ALL, &mut |_| {}).unwrap_err();
    assert_eq!((registered(&registry).len(), noted(&registry)), (0, vec!["a x".to_owned()]));
    assert_eq!(torn_down(&registry, &online), 1);
    assert_eq!(registry.snapshot("p").unwrap(), Snapshot::default());
}

#[test]
fn objects_of_another_repo_and_protected_ones_are_in_the_way() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    let named = |team| ApplyOptions { repo_name: Some(team), ..options(EVERYTHING) };
    apply(&with_views(&["a"]), &registry, Some(&online), named("one")).unwrap();
    let as_two = TeardownOptions { repo_name: Some("two"), ..ALL };
    let refused = teardown("p", &registry, Some(&online), as_two, &mut |_| {}).unwrap_err();
    assert!(matches!(refused, ApplyError::Blocked(_)), "{refused:?}");
    let allowed = ["*/*".parse().unwrap()];
    let allowed = TeardownOptions { allowed: &allowed, ..as_two };
    teardown("p", &registry, Some(&online), allowed, &mut |_| {}).unwrap();
    let mut protected = view("a", &["x"]);
    protected.tags.insert(crate::model::PROTECT_TAG.to_owned(), "true".to_owned());
    applied(&repo(vec![protected], Vec::new()), &registry, &online);
    let refused = teardown("p", &registry, Some(&online), allowed, &mut |_| {}).unwrap_err();
    assert!(matches!(refused, ApplyError::Blocked(_)), "{refused:?}");
    assert_eq!(registered(&registry), ["a"]);
}

#[test]
fn a_run_under_way_is_waited_for_before_anything_is_removed() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    applied(&with_views(&["a"]), &registry, &online);
    let _run = registry.lock_view(ViewId { project: "p", name: "a" }).unwrap();
    let impatient = registry.with(Locking { timeout: std::time::Duration::ZERO, ..Locking::default() });
    teardown("p", &impatient, Some(&online), ALL, &mut |_| {}).unwrap_err();
    assert_eq!(registered(&registry), ["a"]);
}

#[test]
fn what_gets_in_the_way_after_the_question_is_in_the_way() {
    let registry = Memory::default();
    apply(&with_views(&["a"]), &registry, None, options(EVERYTHING)).unwrap();
    assert_eq!(TeardownSummary::of("p", &registry, None, ALL).unwrap().blocked, []);
    let note = put_owner("others", &ObjectId::new(ObjectKind::FeatureView, "a"), at(1));
    registry.update("p", &mut |_| Some(vec![note.clone()])).unwrap();
    let before = registry.snapshot("p").unwrap();
    let refused = teardown("p", &registry, None, ALL, &mut |_| {}).unwrap_err();
    assert!(matches!(&refused, ApplyError::Blocked(blocked) if blocked.len() == 1), "{refused:?}");
    assert_eq!(registry.snapshot("p").unwrap(), before);
}

#[test]
fn values_of_views_that_definitions_cannot_express_go_with_the_project() {
    let (registry, online) = (Memory::default(), MemoryOnlineStore::default());
    applied(&with_views(&["a"]), &registry, &online);
    store_values(&online, "p", &view("a", &["x"]));
    let foreign = |snapshot: &Snapshot| {
        let row = snapshot.rows.iter().find(|row| row.name == "a").unwrap();
        let mut view = FeatureViewMessage::decode(row.proto.as_slice()).unwrap();
        view.spec.as_mut().unwrap().batch_source.as_mut().unwrap().r#type = SourceType::BatchIceberg.into();
        Some(vec![Write::Put(Row { proto: view.encode_to_vec(), ..row.clone() })])
    };
    registry.update("p", &mut |snapshot| foreign(snapshot)).unwrap();
    assert_eq!(state(&registry).foreign_views().count(), 1);
    assert_eq!(TeardownSummary::of("p", &registry, Some(&online), ALL).unwrap().views, ["a"]);
    assert_eq!(torn_down(&registry, &online), 1);
    assert_eq!(stored(&online, "p", "a", &["x"]), [false]);
}
