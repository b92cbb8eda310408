//! Lineage, lists of features, search and counts as Feast's registry server recorded them, over the registry it had.

use feastr::{
    discovery::{Counts, Known, Lineage, Reference, Relation, Thing, counts, features, popular_tags, search},
    feast::registry::to_json,
    model::ObjectKind,
    registry::Row,
};
use serde_json::{Value, json};

use super::{
    recording::Recording,
    registry_rows::{committed_root, read_json},
};

/// The recorded objects, each kind in the order in which Feast created and so listed them.
fn known(recording: &Recording) -> Vec<Known> {
    let mut rows: Vec<&Row> = recording.rows.iter().collect();
    let created = |row: &Row| {
        let json = to_json(row.kind, &row.proto).unwrap();
        json["meta"]["createdTimestamp"].as_str().unwrap_or_default().to_owned()
    };
    rows.sort_by_key(|row| (row.kind, created(row)));
    rows.into_iter().map(|row| Known::read(row.kind, &row.name, &row.proto).unwrap()).collect()
}

/// The recorded answer to a request.
fn answer(path: &str) -> Value {
    let recorded = read_json(&committed_root().join("registry_server/rest.json"));
    let found = recorded.as_array().unwrap().iter().find(|exchange| exchange["path"] == path);
    found.unwrap_or_else(|| panic!("no {path}"))["response"]["json"].clone()
}

fn shown(relations: &[Relation<'_>]) -> Vec<Value> {
    let end = |reference: Reference<'_>| json!({"type": reference.thing.as_str(), "name": reference.name});
    relations.iter().map(|one| json!({"source": end(one.source), "target": end(one.target)})).collect()
}

#[test]
fn lineage_is_that_of_feast() {
    let known = known(&Recording::of_registry_server());
    let lineage = Lineage::of(&known);
    let recorded = answer("/api/v1/lineage/registry?project=feastlocal");
    // Inputs of on-demand views are a map, whose order Feast makes anew whenever it reads one.
    let sorted = |mut relations: Vec<Value>| {
        relations.sort_by_key(ToString::to_string);
        relations
    };
    for (ours, theirs) in [(&lineage.direct, "relationships"), (&lineage.indirect, "indirect_relationships")] {
        assert_eq!(sorted(shown(ours)), sorted(recorded[theirs].as_array().unwrap().clone()), "{theirs}");
    }
    let recorded = recorded["relationships"].as_array().unwrap();
    let inputs = recorded.len() - 4;
    assert_eq!(shown(&lineage.direct)[..inputs], recorded[..inputs], "but for these, all are in its order");

    let view = lineage.around(Reference { thing: Thing::FeatureView, name: "driver_hourly_stats" });
    let recorded = answer("/api/v1/lineage/objects/featureView/driver_hourly_stats?project=feastlocal");
    assert_eq!(json!(shown(&view.direct)), recorded["relationships"]);
}

#[test]
fn features_are_listed_in_the_order_of_feast() {
    let known = known(&Recording::of_registry_server());
    let listed: Vec<Value> = features(&known)
        .map(|feature| {
            json!([
                feature.field.name,
                feature.view.id.name,
                feature.field.dtype.to_string(),
                feature.field.description
            ])
        })
        .collect();
    let recorded = answer("/api/v1/features?project=feastlocal");
    let recorded = recorded["features"].as_array().unwrap().iter();
    let recorded: Vec<Value> = recorded
        .map(|feature| {
            json!([
                feature["name"],
                feature["featureView"],
                feature["type"],
                feature["description"].as_str().unwrap_or_default()
            ])
        })
        .collect();
    assert_eq!(listed, recorded);
}

#[test]
fn a_search_finds_what_that_of_feast_finds() {
    let known = known(&Recording::of_registry_server());
    let found: Vec<Value> = search(&known, "conv_rate")
        .iter()
        .map(|found| json!([found.name(), found.feature.map(|_| found.object.id.name.as_str()), found.score]))
        .collect();
    let recorded = answer("/api/v1/search?query=conv_rate");
    let recorded: Vec<Value> = recorded["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| json!([hit["name"], hit["featureView"], hit["match_score"].as_f64()]))
        .collect();
    assert_eq!(found, recorded);
}

#[test]
fn counts_and_popular_tags_are_those_of_feast() {
    let known = known(&Recording::of_registry_server());
    let recorded = answer("/api/v1/metrics/resource_counts?project=feastlocal");
    let number = |key: &str| usize::try_from(recorded["counts"][key].as_u64().unwrap()).unwrap();
    let counted = Counts {
        entities: number("entities"),
        data_sources: number("dataSources"),
        saved_datasets: number("savedDatasets"),
        features: number("features"),
        feature_views: number("featureViews"),
        feature_services: number("featureServices"),
    };
    assert_eq!(counts(&known), counted);

    let recorded = answer("/api/v1/metrics/popular_tags?project=feastlocal");
    let tags: Vec<Value> = popular_tags(&[("feastlocal", &known)])
        .iter()
        .map(|tag| {
            let views = tag.views.iter().map(|(project, view)| json!({"name": view.id.name, "project": project}));
            json!({
                "tag_key": tag.key,
                "tag_value": tag.value,
                "feature_views": views.collect::<Vec<_>>(),
                "total_feature_views": tag.views.len(),
            })
        })
        .collect();
    assert_eq!(json!(tags), recorded["popular_tags"]);
}

/// Views of Python functions and sources of other engines are there like all others.
#[test]
fn what_definitions_cannot_declare_is_found() {
    let known = known(&Recording::kinds());
    let found = |text: &str, kind: ObjectKind| search(&known, text).iter().any(|found| found.object.id.kind == kind);
    assert!(found("bigquery", ObjectKind::DataSource));
    assert!(found("udf_stream", ObjectKind::StreamFeatureView));
    let lineage = Lineage::of(&known);
    let stream = lineage.around(Reference { thing: Thing::FeatureView, name: "udf_stream" });
    let things: Vec<Thing> = stream.direct.iter().map(|relation| relation.source.thing).collect();
    for thing in [Thing::DataSource, Thing::Entity, Thing::Feature] {
        assert!(things.contains(&thing), "{thing:?} in {things:?}");
    }
}
