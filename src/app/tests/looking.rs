//! What is registered, as lists and descriptions.

use std::collections::BTreeMap;

use super::*;
use crate::{
    app::catalogue::{self, Request},
    registry::{Row, Write},
};

/// `kind name` of the objects that a list has, and how many there are in all.
fn listed(house: &House, kind: ObjectKind, tags: &[(&str, &str)]) -> (Vec<String>, usize) {
    let tags: BTreeMap<String, String> =
        tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let objects = catalogue::objects(&house.store, &caller(), Request { kind, tags: &tags }).unwrap();
    (objects.entries.iter().map(|entry| format!("{} {}", entry.kind, entry.name)).collect(), objects.total)
}

#[test]
fn a_list_has_the_objects_of_a_kind_with_all_of_the_labels() {
    let mut labelled = view("b", &["x"]);
    labelled.tags.insert("team".to_owned(), "rides".to_owned());
    let house = House::applied(&repo(vec![view("a", &["x"]), labelled], Vec::new()), &[]);
    let all = listed(&house, ObjectKind::FeatureView, &[]);
    assert_eq!(all, (vec!["feature view a".to_owned(), "feature view b".to_owned()], 2));
    let with = |tags: &[(&str, &str)]| listed(&house, ObjectKind::FeatureView, tags);
    assert_eq!(with(&[("team", "rides")]), (vec!["feature view b".to_owned()], 2));
    assert_eq!(with(&[("team", "rides"), ("other", "x")]).0.len(), 0);
    // Feast's own entity is not shown.
    assert_eq!(listed(&house, ObjectKind::Entity, &[]).0, ["entity driver"]);
}

#[test]
fn stream_views_are_listed_among_feature_views() {
    let declared = repo(vec![view("zone", &["x"])], Vec::new()).with([stream_view(&view("live", &["x"]))]);
    let house = House::applied(&declared, &[]);
    let all = listed(&house, ObjectKind::FeatureView, &[]).0;
    assert_eq!(all, ["stream feature view live", "feature view zone"]);
    assert_eq!(listed(&house, ObjectKind::StreamFeatureView, &[]).0, ["stream feature view live"]);
}

#[test]
fn projects_are_those_of_the_whole_registry() {
    let house = House::applied(&with_views(&["a"]), &[]);
    let other = Repo::new(crate::model::samples::project("q"));
    house.apply(&other).unwrap();
    assert_eq!(listed(&house, ObjectKind::Project, &[]).0, ["project p", "project q"]);
}

#[test]
fn an_object_that_is_not_there_is_told_with_the_nearest_name() {
    let house = House::applied(&with_views(&["rides"]), &[]);
    let object = |kind, name| catalogue::object(&house.store, &caller(), kind, name);
    assert_eq!(object(ObjectKind::FeatureView, "rides").unwrap()["spec"]["name"], "rides");
    let missing = problem(object(ObjectKind::FeatureView, "ride").unwrap_err());
    assert_eq!((missing.kind, missing.help().as_deref()), (Kind::NotFound, Some("did you mean `rides`?")));
    assert_eq!(problem(object(ObjectKind::Entity, "rides").unwrap_err()).kind, Kind::NotFound);
}

#[test]
fn features_are_listed_with_the_services_that_select_them() {
    let (a, b) = (view("a", &["x", "y"]), view("b", &["x"]));
    let mut model = service("model", &[&a]);
    model.features[0].features.remove(0);
    let house = House::applied(&repo(vec![b, a], vec![model]), &[]);
    let features = catalogue::features(&house.store, &caller()).unwrap().features;
    let shown: Vec<String> = features
        .iter()
        .map(|feature| format!("{} {} {}", feature.view, feature.name, feature.services.join(" ")))
        .collect();
    assert_eq!(shown, ["a x ", "a y model", "b x "]);
}

#[test]
fn a_feature_is_looked_for_in_all_views_or_in_one() {
    let house = House::applied(&with_views(&["a", "b"]), &[]);
    let views = |name: &str| -> Result<Vec<String>, Failure> {
        let found = catalogue::feature(&house.store, &caller(), name)?;
        Ok(found.into_iter().map(|feature| feature.view).collect())
    };
    assert_eq!(
        (views("x").unwrap(), views("b:x").unwrap()),
        (vec!["a".to_owned(), "b".to_owned()], vec!["b".to_owned()])
    );
    assert_eq!(problem(views("c:x").unwrap_err()).kind, Kind::NotFound);
}

#[test]
fn a_damaged_row_is_told_by_its_name() {
    let house = House::applied(&with_views(&["a"]), &[]);
    let damaged = Row { kind: ObjectKind::FeatureView, name: "b".to_owned(), updated: 0, proto: b"\xff".to_vec() };
    house.registry.update("p", &mut |_| Some(vec![Write::Put(damaged.clone())])).unwrap();
    let request = Request { kind: ObjectKind::FeatureView, tags: &BTreeMap::new() };
    let problem = problem(catalogue::objects(&house.store, &caller(), request).unwrap_err());
    assert_eq!(problem.kind, Kind::Internal);
    assert!(problem.message.starts_with("feature view `b` in the registry is damaged"), "{problem:?}");
    assert!(catalogue::dump(&house.store, &caller()).is_err());
}

#[test]
fn a_dump_has_all_objects_of_the_project() {
    let house = House::applied(&with_views(&["a"]), &[]);
    let dump = catalogue::dump(&house.store, &caller()).unwrap();
    assert_eq!(dump["featureViews"][0]["spec"]["name"], "a");
}
