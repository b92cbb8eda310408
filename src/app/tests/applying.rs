//! What changes the registry: plans, applies, cleanups, teardowns, copies, and the way to definitions and back.

use super::*;
use crate::{
    app::{cleanup, copy, drift, export, import, plan, teardown},
    drift::FindingKind,
    model::ForeignObject,
    plan::SavedPlan,
    registry::{Row, Write},
};

fn planned(house: &House, repo: &Repo) -> Result<crate::plan::Plan, Failure> {
    plan::plan(&house.store, &caller(), repo)
}

#[test]
fn a_plan_changes_nothing_and_an_apply_does_what_it_says() {
    let (house, declared) = (House::new(), with_views(&["a"]));
    let planned = planned(&house, &declared).unwrap();
    assert_eq!(house.registry.mark("p").unwrap(), None);
    assert_eq!(house.apply(&declared).unwrap(), planned);
    assert!(self::planned(&house, &declared).unwrap().is_empty());
}

#[test]
fn what_nobody_agreed_to_is_refused() {
    let house = House::applied(&with_views(&["a"]), &[]);
    let request = super::super::apply::Request { repo: &with_views(&[]), approval: Approval::Named(&[]) };
    let failure = super::super::apply::apply(&house.store, &caller(), request).unwrap_err();
    assert!(matches!(failure, Failure::Blocked(_)), "{failure:?}");
    assert_eq!(failure.kind(), Kind::Refused);
}

#[test]
fn an_approved_plan_for_an_older_registry_is_refused() {
    let (house, declared) = (House::new(), with_views(&["a"]));
    let saved = SavedPlan::of(&planned(&house, &declared).unwrap()).unwrap();
    house.apply(&with_views(&["b"])).unwrap();
    let request = super::super::apply::Request { repo: &declared, approval: Approval::Plan(&saved) };
    let failure = super::super::apply::apply(&house.store, &caller(), request).unwrap_err();
    assert!(matches!(failure, Failure::Stale(_)), "{failure:?}");
    assert_eq!(failure.kind(), Kind::Refused);
}

#[test]
fn what_another_repo_owns_is_refused_and_what_is_in_the_way_is_a_conflict() {
    let registry = Memory::default();
    let house = |team: &str| {
        let config = StoreConfig { repo_name: Some(team.to_owned()), ..config() };
        House::sharing(registry.with(Locking::default()), config, None)
    };
    let (one, two) = (house("one"), house("two"));
    one.apply(&with_views(&["a"])).unwrap();
    let other = repo(vec![view("a", &["y"])], Vec::new());
    let kinds = [two.apply(&other).unwrap_err().kind(), planned(&two, &other).unwrap_err().kind()];
    assert_eq!(kinds, [Kind::Refused; 2]);
    // A row that cannot be read is nobody's.
    let unreadable = Row { kind: ObjectKind::FeatureView, name: "b".to_owned(), updated: 0, proto: b"\xff".to_vec() };
    registry.update("p", &mut |_| Some(vec![Write::Put(unreadable.clone())])).unwrap();
    assert_eq!(one.apply(&with_views(&["a", "b"])).unwrap_err().kind(), Kind::Conflict);
}

#[test]
fn expired_values_are_removed_and_a_dry_run_only_says_which() {
    let views = vec![FeatureView { ttl: Ttl::from_micros(100 * SECOND), ..view("a", &["x"]) }, view("b", &["x"])];
    let house = House::applied(&repo(views, Vec::new()), &[(1, NOW - 101, 1.0), (2, NOW - 100, 2.0)]);
    house.materialize(fixed(0, NOW)).unwrap();
    let clean = |dry_run| cleanup::clean(&house.store, &caller(), cleanup::Request { views: &[], dry_run }).unwrap();
    let summary = clean(true);
    let expired: Vec<_> = summary.expired.iter().map(|view| (view.view.as_str(), view.before, view.removed)).collect();
    assert_eq!((expired, summary.removed), (vec![("a", at(NOW - 100), None)], None));
    assert_eq!((clean(false).removed, clean(false).removed), (Some(1), Some(0)));
    assert_eq!(house.events().last().map(String::as_str), Some("removed 0"));
}

#[test]
fn values_that_do_not_expire_cannot_be_named() {
    let house = House::applied(&with_views(&["rides"]), &[]);
    let clean = |view: &str| {
        let views = [view.to_owned()];
        problem(cleanup::clean(&house.store, &caller(), cleanup::Request { views: &views, dry_run: true }).unwrap_err())
    };
    let forever = clean("rides");
    assert_eq!((forever.kind, forever.message.as_str()), (Kind::Invalid, "values of view `rides` do not expire"));
    let unknown = clean("ride");
    assert_eq!((unknown.kind, unknown.help().as_deref()), (Kind::NotFound, Some("did you mean `rides`?")));
}

#[test]
fn a_cleanup_removes_what_applies_left_behind() {
    let house = House::applied(&with_views(&["a", "b"]), &[(1, 10, 1.0), (2, 10, 2.0)]);
    house.materialize(fixed(0, NOW)).unwrap();
    house.apply(&with_views(&["b"])).unwrap();
    let clean = |dry_run| cleanup::clean(&house.store, &caller(), cleanup::Request { views: &[], dry_run }).unwrap();
    assert_eq!(clean(true).leftovers, ["a"]);
    assert_eq!((clean(false).removed, clean(true).leftovers.len()), (Some(2), 0));
}

#[test]
fn a_teardown_says_what_goes_and_removes_it() {
    let house = House::applied(&with_views(&["a"]), &[(1, 10, 1.0)]);
    house.materialize(fixed(0, NOW)).unwrap();
    let request = teardown::Request { allowed: &[] };
    let summary = teardown::summary(&house.store, &caller(), request).unwrap();
    assert_eq!((summary.objects[&ObjectKind::FeatureView], summary.views), (1, vec!["a".to_owned()]));
    teardown::teardown(&house.store, &caller(), request).unwrap();
    assert_eq!(house.events().last().map(String::as_str), Some("removed 1"));
    assert!(teardown::summary(&house.store, &caller(), request).unwrap().is_empty());
}

#[test]
fn a_protected_object_keeps_a_project_from_being_removed() {
    let mut guarded = view("a", &["x"]);
    guarded.tags.insert(crate::model::PROTECT_TAG.to_owned(), "true".to_owned());
    let house = House::applied(&repo(vec![guarded], Vec::new()), &[]);
    let failure = teardown::teardown(&house.store, &caller(), teardown::Request { allowed: &[] }).unwrap_err();
    assert_eq!(failure.kind(), Kind::Refused);
}

fn copying<'a>(from: &'a House, to: &'a House, to_project: &'a str) -> copy::Request<'a> {
    let (from, to) = (from.store.registry(), to.store.registry());
    copy::Request { from, project: "p", to, to_project, replace: false, now: clock() }
}

#[test]
fn a_copy_holds_the_same_under_its_name() {
    let (from, to) = (House::applied(&with_views(&["a"]), &[]), House::new());
    let copied = copy::copy(&caller(), copying(&from, &to, "q")).unwrap();
    assert_eq!((copied.objects[&ObjectKind::FeatureView], copied.versions), (1, 1));
    assert_eq!(to.registry.projects().unwrap(), ["q"]);
}

#[test]
fn a_copy_replaces_nothing_unless_that_is_wanted() {
    let (from, to) = (House::applied(&with_views(&["a"]), &[]), House::new());
    let request = copying(&from, &to, "q");
    copy::copy(&caller(), request).unwrap();
    let refused = problem(copy::copy(&caller(), request).unwrap_err());
    assert_eq!((refused.kind, refused.advice), (Kind::Conflict, Some(Advice::Replace)));
    copy::copy(&caller(), copy::Request { replace: true, ..request }).unwrap();
}

#[test]
fn a_copy_goes_elsewhere() {
    let house = House::applied(&with_views(&["a"]), &[]);
    let refused = problem(copy::copy(&caller(), copying(&house, &house, "p")).unwrap_err());
    assert_eq!((refused.kind, refused.advice), (Kind::Invalid, Some(Advice::CopyElsewhere)));
}

#[test]
fn what_is_not_there_cannot_be_copied() {
    let (from, to) = (House::new(), House::new());
    let missing = problem(copy::copy(&caller(), copying(&from, &to, "q")).unwrap_err());
    assert_eq!(missing.message, "the registry memory has no project `p`");
}

#[test]
fn drift_is_what_a_plan_would_change_and_what_sources_lack() {
    let house = House::applied(&with_views(&["a", "b"]), &[(1, 10, 1.0)]);
    let found = |repo: &Repo| -> Vec<(FindingKind, String)> {
        let findings = drift::drift(&house.store, &caller(), repo).unwrap().into_iter();
        findings.map(|finding| (finding.kind, finding.object.name)).collect()
    };
    assert_eq!(found(&with_views(&["a", "b"])), []);
    let expected = [(FindingKind::NotApplied, "c".to_owned()), (FindingKind::NotDeclared, "a".to_owned())];
    let mut other = found(&with_views(&["b", "c"]));
    other.sort_by_key(|(kind, _)| *kind);
    assert_eq!(other, expected);
    house.offline.put("stats", RecordBatch::new_empty(Arc::new(arrow::datatypes::Schema::empty())));
    assert!(found(&with_views(&["a", "b"])).iter().all(|(kind, _)| *kind == FindingKind::ColumnMissing));
    assert!(!found(&with_views(&["a", "b"])).is_empty());
}

#[test]
fn drift_sees_tables_that_are_gone() {
    let online = WatchedOnline::new(|_| Ok(())).with_tables();
    let house = House::with(config(), Some(Box::new(online.clone())));
    house.apply(&with_views(&["a"])).unwrap();
    house.put(&[]);
    online.tables().clear();
    let findings = drift::drift(&house.store, &caller(), &with_views(&["a"])).unwrap();
    assert_eq!(findings.iter().map(|finding| finding.kind).collect::<Vec<_>>(), [FindingKind::TableMissing]);
}

#[test]
fn a_registry_becomes_definitions_apart_from_what_they_cannot_say() {
    let house = House::applied(&with_views(&["a"]), &[]);
    let unreadable = Row { kind: ObjectKind::FeatureView, name: "b".to_owned(), updated: 0, proto: b"\xff".to_vec() };
    house.registry.update("p", &mut |_| Some(vec![Write::Put(unreadable.clone())])).unwrap();
    let exported = export::export(&caller(), &house.registry.snapshot("p").unwrap()).unwrap();
    let [ForeignObject { id, .. }] = &exported.kept[..] else { panic!("{:?}", exported.kept) };
    assert_eq!(id.name, "b");
    let counts: Vec<_> = exported.definitions.counts().collect();
    assert_eq!(counts, [("entities", 1), ("data_sources", 1), ("feature_views", 1)]);
}

#[test]
fn imported_definitions_say_what_is_registered() {
    let folder = tempfile::tempdir().unwrap();
    let repo = folder.path().canonicalize().unwrap();
    let settings = StoreConfig { file: repo.join("feature_store.yaml"), repo: repo.clone(), ..config() };
    std::fs::write(&settings.file, "").unwrap();
    let house = House::with(settings, None);
    house.apply(&with_views(&["a"])).unwrap();
    let snapshot = house.registry.snapshot("p").unwrap();
    let display_path = &|path: &std::path::Path| path.to_owned();
    let request = import::Request {
        project: "p",
        snapshot: &snapshot,
        folder: &repo,
        translate: false,
        replace: false,
        display_path,
    };
    let imported = import::import(&house.store, &caller(), request).unwrap();
    let import::Check::Changes(changes) = &imported.check else { panic!("{:?}", imported.check) };
    assert_eq!((changes.len(), imported.kept.len(), imported.others.len()), (0, 0, 0));
    let again = problem(import::import(&house.store, &caller(), request).unwrap_err());
    assert_eq!((again.kind, again.advice), (Kind::Conflict, Some(Advice::OtherFolder)));
}
