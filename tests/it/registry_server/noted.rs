//! What is noted of changes through the server: values that are left behind, and who changed what.

use feastr::{
    feast::{
        registry::messages::{self as wire, decode},
        registry_server as asked,
    },
    registry::{leftovers, stale_until},
};
use prost::Message as _;
use serde_json::Value as Json;

use super::{client::Client, repo, view};
use crate::{
    servers::grpc::GrpcServer,
    support::{Project, sqlite_registry},
};

fn apply(client: &Client, view: &wire::FeatureView) {
    let feature_view = Some(view.encode_to_vec().into());
    let request =
        asked::ApplyFeatureView { feature_view, project: "shop".into(), ..asked::ApplyFeatureView::default() };
    client.ask("ApplyFeatureView", &request).unwrap();
}

/// A view whose values are online.
fn online(feature: &str) -> wire::FeatureView {
    let mut view = view("sales", feature);
    let spec = view.spec.as_mut().unwrap();
    spec.online = true;
    spec.entity_columns =
        vec![wire::FeatureSpecV2 { name: "user_id".into(), value_type: 4, ..wire::FeatureSpecV2::default() }];
    spec.batch_source = Some(wire::DataSource {
        name: "file".into(),
        r#type: 1,
        timestamp_field: "ts".into(),
        file_options: Some(wire::FileOptions { uri: "sales.parquet".into(), ..wire::FileOptions::default() }),
        ..wire::DataSource::default()
    });
    view
}

fn materialized(client: &Client, end: i64) {
    let at = |seconds| Some(wire::Timestamp { seconds, nanos: 0 });
    let request = asked::ApplyMaterialization {
        feature_view: online("total").encode_to_vec().into(),
        project: "shop".into(),
        start_date: at(1_000),
        end_date: at(end),
        commit: true,
    };
    client.ask("ApplyMaterialization", &request).unwrap();
}

/// Until when values were made by an earlier definition, in seconds, and which features have values of nobody.
fn notes(project: &Project) -> (Option<i64>, Vec<(Vec<String>, bool)>) {
    let metadata = sqlite_registry(&project.path("data/registry.db")).snapshot("shop").unwrap().metadata;
    let left = leftovers(&metadata).into_iter().map(|left| (left.features, left.whole)).collect();
    (stale_until(&metadata, "sales").map(|until| until.seconds()), left)
}

#[test]
fn values_that_a_change_leaves_behind_are_noted_as_by_an_apply() {
    let project = repo();
    let server = GrpcServer::registry(&project, &[]);
    let client = Client::of(&server);
    apply(&client, &online("total"));
    let mut labelled = online("total");
    labelled.spec.as_mut().unwrap().tags = vec![wire::MapEntry::new("team", "one")];
    materialized(&client, 2_000);
    apply(&client, &labelled);
    assert_eq!(notes(&project), (None, vec![]), "labels are no values");
    apply(&client, &online("sum"));
    assert_eq!(notes(&project), (Some(2_000), vec![(vec!["total".to_owned()], false)]));
    // A later interval is of the new definition; the note stays as it is.
    materialized(&client, 3_000);
    assert_eq!(notes(&project).0, Some(2_000));
    // The same values are left behind once more.
    for feature in ["total", "sum"] {
        apply(&client, &online(feature));
    }
    assert_eq!(notes(&project).1, [vec!["sum".to_owned()], vec!["total".to_owned()]].map(|left| (left, false)));
    // A table that is recorded goes as a whole, where clients have it.
    client.delete("DeleteFeatureView", "shop", "sales").unwrap();
    assert_eq!(notes(&project).0, None);
}

#[test]
fn materializations_and_infrastructure_are_in_the_log_of_changes() {
    let project = repo();
    let server = GrpcServer::registry(&project, &[]);
    let client = Client::of(&server);
    apply(&client, &online("total"));
    materialized(&client, 2_000);
    let object = wire::InfraObject {
        sqlite_table: Some(wire::SqliteTable { path: "/o.db".into(), name: "shop_sales".into() }),
        ..wire::InfraObject::default()
    };
    let infra = wire::Infra { infra_objects: vec![object] }.encode_to_vec();
    let update = asked::UpdateInfra { infra: infra.into(), project: "shop".into(), commit: true };
    client.ask("UpdateInfra", &update).unwrap();
    // What is so already is no change.
    client.ask("UpdateInfra", &update).unwrap();
    let log = project.feastr(&["registry", "log", "--json"]).ok().json();
    let changes: Vec<String> = log
        .as_array()
        .unwrap_or_else(|| panic!("{log}"))
        .iter()
        .map(|change| {
            let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
            let of = |object: &Json| format!("{} {}", text(&object["change"]), text(&object["name"]));
            let objects: Vec<String> = change["changes"].as_array().unwrap().iter().map(of).collect();
            format!("{}: {}", text(&change["command"]), objects.join(", "))
        })
        .collect();
    assert_eq!(changes[..2], ["UpdateInfra: updated shop", "ApplyMaterialization: updated sales"], "{log}");
    assert_eq!(changes.len(), 3, "{log}");
    let stored: wire::FeatureView = decode(&client.get("GetFeatureView", "shop", "sales").unwrap()).unwrap();
    assert_eq!(stored.meta.unwrap().materialization_intervals.len(), 1);
}

/// Entities that nobody declares are suggested to nobody.
#[test]
fn the_entity_of_views_without_entities_is_not_suggested() {
    let project = Project::example();
    project.feastr(&["apply", "-q"]).ok();
    let server = GrpcServer::registry(&project, &[]);
    let client = Client::of(&server);
    client.get("GetEntity", "feastlocal", "__dummy").unwrap();
    let missing = client.get("GetEntity", "feastlocal", "__dumm").unwrap_err();
    assert!(!missing.message().contains("__dummy"), "{missing:?}");
    let missing = client.get("GetEntity", "feastlocal", "drivr").unwrap_err();
    assert!(missing.message().contains("driver"), "{missing:?}");
}
