use std::sync::Arc;

use super::*;
use crate::{
    feast::registry::{Card, Link, SourcePart},
    model::{DUMMY_ENTITY, DataType, Field, ObjectId, ObjectKind, Tags},
};

fn known(kind: ObjectKind, name: &str, links: Vec<Link>) -> Known {
    Known { id: ObjectId::new(kind, name), card: Card { links, ..Card::default() }.into() }
}

fn view(kind: ObjectKind, name: &str, features: &[&str], links: Vec<Link>) -> Known {
    let mut view = known(kind, name, links);
    Arc::make_mut(&mut view.card).features = features.iter().map(|name| Field::new(*name, DataType::Int64)).collect();
    view
}

fn of_source(name: &str, part: SourcePart) -> Link {
    Link::Source { name: name.to_owned(), part }
}

fn of_view(name: &str, features: &[&str]) -> Link {
    Link::View { name: name.to_owned(), features: features.iter().map(|&name| name.to_owned()).collect() }
}

/// `rides` with a stream, a view that is computed of it, a label view, a service and a dataset of the service.
fn house() -> Vec<Known> {
    let entity = Link::Entity("driver".to_owned());
    let mut source = known(ObjectKind::DataSource, "rides_source", Vec::new());
    Arc::make_mut(&mut source.card).places = vec!["data/rides.parquet".to_owned()];
    Arc::make_mut(&mut source.card).owner = "Jo@example.com".to_owned();
    let push = known(ObjectKind::DataSource, "rides_push", vec![of_source("rides_source", SourcePart::Rows)]);
    let parts =
        vec![entity.clone(), of_source("rides_source", SourcePart::Rows), of_source("rides_push", SourcePart::Stream)];
    let mut rides = view(ObjectKind::StreamFeatureView, "rides", &["trips", "tips"], parts);
    Arc::make_mut(&mut rides.card).tags = Tags::from([("team".to_owned(), "Riders".to_owned())]);
    Arc::make_mut(&mut rides.card).features[1].description = "Money for the driver".to_owned();
    let inputs = vec![of_view("rides", &["trips"]), of_source("request", SourcePart::Request)];
    let labels = vec![
        entity,
        of_source("label_push", SourcePart::Rows),
        of_source("label_rows", SourcePart::Behind),
        of_view("rides", &[]),
    ];
    let members = vec![of_view("rides", &["tips"]), of_view("rides", &["tips"]), of_view("sums", &["sum"])];
    let mut dataset = known(ObjectKind::SavedDataset, "training", vec![Link::FeatureService("model".to_owned())]);
    Arc::make_mut(&mut dataset.card).places = vec!["data/rides.parquet".to_owned()];
    vec![
        known(ObjectKind::Project, "house", Vec::new()),
        known(ObjectKind::Entity, "driver", Vec::new()),
        known(ObjectKind::Entity, DUMMY_ENTITY, Vec::new()),
        push,
        source,
        rides,
        view(ObjectKind::OnDemandFeatureView, "sums", &["sum"], inputs),
        view(ObjectKind::LabelView, "fraud", &["is_fraud"], labels),
        known(ObjectKind::FeatureService, "model", members),
        dataset,
    ]
}

fn words(relations: &[Relation<'_>]) -> Vec<String> {
    let word = |reference: Reference<'_>| format!("{}:{}", reference.thing.as_str(), reference.name);
    relations.iter().map(|relation| format!("{} > {}", word(relation.source), word(relation.target))).collect()
}

#[test]
fn what_goes_into_what_is_told_in_words_of_feast() {
    let known = house();
    let lineage = Lineage::of(&known);
    assert_eq!(
        words(&lineage.direct),
        [
            "featureView:rides > featureService:model",
            "featureView:rides > featureService:model",
            "featureView:sums > featureService:model",
            "feature:sum > featureView:sums",
            "featureView:rides > featureView:sums",
            "dataSource:request > featureView:sums",
            "dataSource:rides_push > featureView:rides",
            "dataSource:rides_source > featureView:rides",
            "entity:driver > featureView:rides",
            "feature:trips > featureView:rides",
            "feature:tips > featureView:rides",
            "entity:driver > labelView:fraud",
            "dataSource:label_push > labelView:fraud",
            "dataSource:label_rows > labelView:fraud",
            "feature:is_fraud > labelView:fraud",
            "featureService:model > savedDataset:training",
            "dataSource:rides_source > savedDataset:training",
        ]
    );
    let fraud = lineage.around(Reference { thing: Thing::LabelView, name: "fraud" });
    assert_eq!(fraud.direct.len(), 4);
    assert_eq!(
        words(&lineage.around(Reference { thing: Thing::Entity, name: "driver" }).indirect),
        [
            "entity:driver > featureService:model",
            "entity:driver > featureService:model",
            "entity:driver > dataSource:rides_push",
            "entity:driver > dataSource:rides_source",
            "entity:driver > dataSource:label_push",
            "entity:driver > dataSource:label_rows",
        ]
    );
}

#[test]
fn views_are_chosen_by_what_they_are_made_of() {
    let known = house();
    let service = known.iter().find(|known| known.id.kind == ObjectKind::FeatureService);
    let chosen = |filter: ViewFilter<'_>| {
        views(&known).filter(|view| filter.matches(view)).map(|view| view.id.name.as_str()).collect::<Vec<_>>()
    };
    let all = ViewFilter::default();
    assert_eq!(chosen(all), ["rides", "sums", "fraud"]);
    assert_eq!(chosen(ViewFilter { entity: "driver", ..all }), ["rides", "fraud"]);
    assert_eq!(chosen(ViewFilter { feature: "sum", ..all }), ["sums"]);
    assert_eq!(chosen(ViewFilter { data_source: "rides_push", ..all }), ["rides"]);
    assert_eq!(chosen(ViewFilter { service, ..all }), ["rides", "sums"]);
    assert_eq!(chosen(ViewFilter { service, feature: "tips", entity: "rider", ..all }), [""; 0]);
}

fn ends(edges: &[Edge]) -> Vec<String> {
    edges.iter().map(|edge| format!("{} > {} {:?}", edge.from.name, edge.to.name, edge.features)).collect()
}

fn excerpt(known: &[Known], text: &str, direction: Direction, depth: usize) -> Excerpt {
    let [focus] = &find(known, text)[..] else { panic!("{:?}", find(known, text)) };
    Excerpt::of(&Graph::of(known), focus.clone(), direction, depth)
}

#[test]
fn a_graph_is_walked_both_ways() {
    let known = house();
    let all = excerpt(&known, "rides", Direction::Both, usize::MAX);
    assert_eq!(
        ends(&all.upstream),
        ["driver > rides []", "rides_source > rides []", "rides_push > rides []", "rides_source > rides_push []",]
    );
    assert_eq!(
        ends(&all.downstream),
        [
            r#"rides > sums ["trips"]"#,
            "rides > fraud []",
            r#"rides > model ["tips"]"#,
            r#"sums > model ["sum"]"#,
            "model > training []",
        ]
    );
    let names: Vec<&str> = all.nodes.iter().map(|node| node.id.name.as_str()).collect();
    assert_eq!(
        names,
        ["rides", "rides_push", "rides_source", "driver", "sums", "fraud", "model", "training"],
        "the nearest first"
    );
    assert!(all.nodes.iter().all(|node| node.registered));

    let near = excerpt(&known, "rides", Direction::Downstream, 1);
    assert_eq!((near.upstream.len(), near.downstream.len(), near.nodes.len()), (0, 3, 4));
    let alone = excerpt(&known, "rides", Direction::Both, 0);
    assert_eq!((alone.upstream.len(), alone.downstream.len(), alone.nodes.len()), (0, 0, 1));
}

#[test]
fn a_feature_goes_where_it_is_selected() {
    let known = house();
    let of = |text| ends(&excerpt(&known, text, Direction::Downstream, 1).downstream);
    assert_eq!(of("rides:trips"), [r#"rides > sums ["trips"]"#, "rides > fraud []"]);
    assert_eq!(of("tips"), ["rides > fraud []", r#"rides > model ["tips"]"#]);
}

#[test]
fn objects_that_are_only_named_are_in_the_graph() {
    let known = house();
    let sums = excerpt(&known, "sums", Direction::Upstream, 1);
    let missing: Vec<&ObjectId> = sums.nodes.iter().filter(|node| !node.registered).map(|node| &node.id).collect();
    assert_eq!(missing, [&ObjectId::new(ObjectKind::DataSource, "request")]);
}

#[test]
fn circles_end() {
    let a = view(ObjectKind::FeatureView, "a", &[], vec![of_view("b", &[])]);
    let b = view(ObjectKind::FeatureView, "b", &[], vec![of_view("a", &[])]);
    let known = [a, b];
    let all = excerpt(&known, "a", Direction::Both, usize::MAX);
    assert_eq!((all.upstream.len(), all.downstream.len(), all.nodes.len()), (2, 2, 2));
}

#[test]
fn a_text_may_mean_several_things() {
    let mut known = house();
    known.push(view(ObjectKind::FeatureView, "driver", &["trips"], Vec::new()));
    let found = |text| find(&known, text).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(found("driver"), ["entity:driver", "feature-view:driver"]);
    assert_eq!(found("entity:driver"), ["entity:driver"]);
    assert_eq!(found("view:driver"), ["feature-view:driver"]);
    assert_eq!(found("data_source:rides_push"), ["data-source:rides_push"]);
    assert_eq!(found("trips"), ["rides:trips", "driver:trips"]);
    assert_eq!(found("driver:trips"), ["driver:trips"]);
    assert_eq!(found("feature-view:rides"), ["stream-feature-view:rides"]);
    for nothing in ["house", DUMMY_ENTITY, "", ":", "entity:", "nothing:trips"] {
        assert_eq!(found(nothing), [""; 0], "{nothing}");
    }
}

fn hits(known: &[Known], text: &str) -> Vec<String> {
    let hit = |found: &Found<'_>| {
        let score = found.score.map(|score| format!(" {score:.0}")).unwrap_or_default();
        format!("{}{score}", found.name())
    };
    search(known, text).iter().map(hit).collect()
}

#[test]
fn texts_are_found_in_names_words_labels_and_owners() {
    let known = house();
    assert_eq!(hits(&known, "RIDES"), ["rides_push 100", "rides_source 100", "rides 100"]);
    assert_eq!(hits(&known, "money"), ["tips 80"]);
    assert_eq!(hits(&known, "team=riders"), ["rides 60"]);
    assert_eq!(hits(&known, "jo@"), ["rides_source 60"]);
    assert_eq!(hits(&known, "rides push"), ["rides_push 100"], "each word is in it");
    assert_eq!(hits(&known, "rides sorce"), ["rides_source 83"], "as good as the worst word");
    assert_eq!(hits(&known, "tirps"), ["trips 80", "tips 80"]);
    assert_eq!(hits(&known, "spirt"), [""; 0], "the same letters are not the same word");
    assert_eq!(search(&known, "team").first().map(|found| found.tags.clone()), Some(vec![("team", "Riders")]));
    assert_eq!(hits(&known, " ").len(), known.len() - 1 + 4, "everything but the entity that stands for none");
}

#[test]
fn objects_are_counted() {
    let known = house();
    let counted =
        Counts { entities: 2, data_sources: 2, saved_datasets: 1, features: 4, feature_views: 2, feature_services: 1 };
    assert_eq!(counts(&known), counted);
    assert_eq!(features(&known).filter(KnownFeature::is_label).count(), 1);
}

#[test]
fn labels_that_many_views_have_come_first() {
    let tagged = |name: &str, tags: &[(&str, &str)]| {
        let mut view = view(ObjectKind::FeatureView, name, &[], Vec::new());
        Arc::make_mut(&mut view.card).tags =
            tags.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        view
    };
    let one = [tagged("a", &[("team", "x"), ("a", "1")]), tagged("b", &[("team", "y"), ("b", "1")])];
    let two = [tagged("c", &[("team", "y")])];
    let tags = popular_tags(&[("one", &one), ("two", &two)]);
    let shown: Vec<_> = tags.iter().map(|tag| (tag.key, tag.value, tag.views.len())).collect();
    assert_eq!(shown, [("team", "y", 2), ("team", "x", 1), ("b", "1", 1), ("a", "1", 1)]);
    assert_eq!(
        tags[0].views.iter().map(|(project, view)| (*project, view.id.name.as_str())).collect::<Vec<_>>(),
        [("one", "b"), ("two", "c")]
    );
}
