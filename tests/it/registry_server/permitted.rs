//! Who may ask for what, where people are asked who they are.

use feastr::feast::{
    FeastError,
    registry::messages::{self as wire, decode},
    registry_server as asked,
};
use tonic::{Code, Status};

use super::{
    client::{Client, all},
    entity, repo, view,
};
use crate::{
    auth::guard,
    servers::{
        grpc::GrpcServer,
        identity_provider::{IdentityProvider, SigningKey},
    },
    support::Project,
};

const DEFINITIONS: &str = "entities:
  - {name: user, join_keys: [user_id], value_type: INT64, tags: {team: one}}
  - {name: secret, join_keys: [secret_id], value_type: INT64}
permissions:
  - {name: lookers, types: [Entity], name_patterns: [user], actions: [DESCRIBE], policy: {roles: [looker]}}
  - {name: makers, types: [Entity, FeatureView, Project], name_patterns: ['user.*', sales, shop], actions: [CREATE, DESCRIBE, UPDATE], policy: {roles: [maker]}}
  - {name: removers, types: [Entity], actions: [DELETE], policy: {roles: [remover]}}
  - {name: writers, types: [FeatureView], actions: [WRITE_ONLINE], policy: {roles: [writer]}}
";

fn guarded() -> (IdentityProvider, SigningKey, Project) {
    let key = SigningKey::edwards("mine");
    let provider = IdentityProvider::start(&[&key]);
    let project = repo();
    project.write("definitions.yaml", DEFINITIONS);
    project.feastr(&["apply", "-q"]).ok();
    guard(&project, &provider, "");
    (provider, key, project)
}

#[track_caller]
fn assert_denied(refused: &Status) {
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
    let error: FeastError = serde_json::from_str(refused.message()).unwrap();
    assert_eq!([error.module.as_str(), error.class.as_str()], ["feast.errors", "FeastPermissionError"]);
}

#[test]
fn each_call_needs_its_permission() {
    let (provider, key, project) = guarded();
    let server = GrpcServer::registry(&project, &[]);
    let nobody = Client::of(&server).call("Proto", Vec::new()).unwrap_err();
    assert_eq!(nobody.code(), Code::Unauthenticated, "{nobody:?}");
    let as_user = |role: &str| Client::of(&server).with_token(&key.sign(&provider.claims("ann", &[role])));
    let names = |client: &Client| {
        let (entities, page) = client.list("ListEntities", &all("shop")).unwrap();
        let names = entities.iter().map(|entity| decode::<wire::Entity>(entity).unwrap().spec.unwrap().name);
        (names.collect::<Vec<_>>(), page.total_count)
    };

    let looker = as_user("looker");
    assert_eq!(names(&looker), (vec!["user".to_owned()], 1));
    looker.get("GetEntity", "shop", "user").unwrap();
    assert_denied(&looker.get("GetEntity", "shop", "secret").unwrap_err());
    // Names that one may not know are not suggested.
    let missing = looker.get("GetEntity", "shop", "secre").unwrap_err();
    assert!(missing.code() == Code::NotFound && !missing.message().contains("secret"), "{missing:?}");
    for (rpc, object) in [("ApplyEntity", entity("user")), ("ApplyEntity", entity("users"))] {
        assert_denied(&looker.apply(rpc, "shop", &object).unwrap_err());
    }
    assert_denied(&looker.delete("DeleteEntity", "shop", "user").unwrap_err());
    assert_denied(&looker.call("Commit", Vec::new()).unwrap_err());
    let whole = looker.call("Proto", Vec::new()).unwrap();
    assert!(whole.is_empty(), "the project is not theirs to describe");

    let maker = as_user("maker");
    maker.apply("ApplyEntity", "shop", &entity("users")).unwrap();
    maker.apply("ApplyEntity", "shop", &entity("user")).unwrap();
    assert_denied(&maker.apply("ApplyEntity", "shop", &entity("secret")).unwrap_err());
    assert_denied(&maker.delete("DeleteEntity", "shop", "users").unwrap_err());
    maker.call("Commit", Vec::new()).unwrap();
    maker.ask("Refresh", &asked::Refresh { project: "shop".into() }).unwrap();
    let request = asked::ApplyFeatureView {
        feature_view: Some(prost::Message::encode_to_vec(&view("sales", "total")).into()),
        project: "shop".into(),
        ..asked::ApplyFeatureView::default()
    };
    maker.ask("ApplyFeatureView", &request).unwrap();
    let materialized = asked::ApplyMaterialization {
        feature_view: prost::Message::encode_to_vec(&view("sales", "total")).into(),
        project: "shop".into(),
        start_date: Some(wire::Timestamp { seconds: 1, nanos: 0 }),
        end_date: Some(wire::Timestamp { seconds: 2, nanos: 0 }),
        commit: true,
    };
    assert_denied(&maker.ask("ApplyMaterialization", &materialized).unwrap_err());
    as_user("writer").ask("ApplyMaterialization", &materialized).unwrap();

    let remover = as_user("remover");
    assert_eq!(names(&remover), (Vec::new(), 0));
    remover.delete("DeleteEntity", "shop", "secret").unwrap();
    let said = server.said();
    assert!(said.contains("ann has deleted entity secret"), "{said}");
    assert!(said.contains("`ann` is denied"), "{said}");
}

#[test]
fn the_permissions_of_a_project_are_no_others() {
    let (provider, key, project) = guarded();
    let server = GrpcServer::registry(&project, &[]);
    let looker = Client::of(&server).with_token(&key.sign(&provider.claims("ann", &["looker"])));
    // A project without permissions is open to whoever has a name, as in Feast; it opens no other one.
    looker.apply("ApplyEntity", "open", &entity("user")).unwrap();
    looker.apply("ApplyEntity", "open", &entity("secret")).unwrap();
    assert_eq!(looker.list("ListEntities", &all("open")).unwrap().0.len(), 2);
    assert_denied(&looker.get("GetEntity", "shop", "secret").unwrap_err());
    let (projects, _) = looker.list("ListProjects", &asked::ListProjects::default()).unwrap();
    let names: Vec<String> =
        projects.iter().map(|project| decode::<wire::Project>(project).unwrap().spec.unwrap().name).collect();
    assert_eq!(names, ["open"]);
}
