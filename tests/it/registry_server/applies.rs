//! Objects that clients send, and what becomes of them in the registry.

use feastr::{
    feast::registry::messages::{self as wire, decode},
    feast::{FeastError, registry_server as asked},
    model::{ObjectKind, ViewId},
    registry::Registry,
};
use tonic::Code;

use super::{
    client::{Client, all},
    entity, repo, view,
};
use crate::{
    servers::grpc::GrpcServer,
    support::{Project, sqlite_registry},
};

fn registry(project: &Project) -> Box<dyn Registry> {
    sqlite_registry(&project.path("data/registry.db"))
}

fn stored_view(client: &Client, name: &str) -> wire::FeatureView {
    decode(&client.get("GetFeatureView", "shop", name).unwrap()).unwrap()
}

fn apply_view(client: &Client, view: &wire::FeatureView) -> Result<(), tonic::Status> {
    use prost::Message as _;
    let request = asked::ApplyFeatureView {
        feature_view: Some(view.encode_to_vec().into()),
        project: "shop".to_owned(),
        ..asked::ApplyFeatureView::default()
    };
    client.ask("ApplyFeatureView", &request).map(drop)
}

fn versions(project: &Project) -> Vec<(String, i32)> {
    let versions = registry(project).versions("shop").unwrap();
    versions.into_iter().map(|version| (version.view, version.number)).collect()
}

#[test]
fn a_project_comes_with_its_first_object_and_what_is_unchanged_is_not_written() {
    let project = repo();
    let server = GrpcServer::registry(&project, &[]);
    let client = Client::of(&server);
    assert_eq!(client.list("ListEntities", &all("shop")).unwrap().0.len(), 0);
    client.apply("ApplyEntity", "shop", &entity("user")).unwrap();
    let first = client.get("GetEntity", "shop", "user").unwrap();
    // Who allows what is kept sees it, too.
    let cached = asked::Get { name: "user".into(), project: "shop".into(), allow_cache: true };
    assert_eq!(client.ask("GetEntity", &cached).unwrap(), first);
    client.apply("ApplyEntity", "shop", &entity("user")).unwrap();
    assert_eq!(client.get("GetEntity", "shop", "user").unwrap(), first);
    let name = asked::GetProject { name: "shop".into(), allow_cache: false };
    let of_project: wire::Project = decode(&client.ask("GetProject", &name).unwrap()).unwrap();
    assert_eq!(of_project.spec.unwrap().name, "shop");
    let snapshot = registry(&project).snapshot("shop").unwrap();
    assert!(snapshot.metadata.contains_key("project_uuid") && snapshot.metadata.contains_key("last_updated_timestamp"));
    let said = server.said();
    assert_eq!(said.matches("has created entity user").count(), 1, "{said}");
    let log = project.feastr(&["registry", "log", "--json"]).ok().stdout;
    assert!(log.contains("ApplyEntity") && log.contains("127.0.0.1"), "{log}");
}

#[test]
fn a_view_keeps_what_was_materialized_and_gets_versions() {
    let project = repo();
    let server = GrpcServer::registry(&project, &[]);
    let client = Client::of(&server);
    apply_view(&client, &view("sales", "total")).unwrap();
    let at = |seconds| Some(wire::Timestamp { seconds, nanos: 0 });
    let materialized = asked::ApplyMaterialization {
        feature_view: prost::Message::encode_to_vec(&view("sales", "total")).into(),
        project: "shop".into(),
        start_date: at(1_000),
        end_date: at(2_000),
        commit: true,
    };
    client.ask("ApplyMaterialization", &materialized).unwrap();
    let mut labelled = view("sales", "total");
    labelled.spec.as_mut().unwrap().tags = vec![wire::MapEntry::new("team", "one")];
    apply_view(&client, &labelled).unwrap();
    let meta = stored_view(&client, "sales").meta.unwrap();
    assert_eq!((meta.materialization_intervals.len(), meta.state, meta.current_version_number), (1, 4, 0));
    assert_eq!(versions(&project), [("sales".to_owned(), 0)]);
    let before = stored_view(&client, "sales");

    apply_view(&client, &view("sales", "sum")).unwrap();
    let after = stored_view(&client, "sales");
    let meta = after.meta.unwrap();
    assert_eq!((meta.materialization_intervals.len(), meta.current_version_number), (1, 1));
    assert_eq!(meta.created_timestamp, before.meta.unwrap().created_timestamp);
    assert_eq!(versions(&project), [("sales".to_owned(), 0), ("sales".to_owned(), 1)]);
    // Back to the first one, by its number; another definition cannot have it.
    let mut pinned = view("sales", "total");
    pinned.spec.as_mut().unwrap().version = "v0".to_owned();
    apply_view(&client, &pinned).unwrap();
    let meta = stored_view(&client, "sales").meta.unwrap();
    assert_eq!((meta.current_version_number, versions(&project).len()), (0, 2));
    pinned.spec.as_mut().unwrap().version = "v1".to_owned();
    assert_eq!(apply_view(&client, &pinned).unwrap_err().code(), Code::FailedPrecondition);
    pinned.spec.as_mut().unwrap().version = "newest".to_owned();
    assert_eq!(apply_view(&client, &pinned).unwrap_err().code(), Code::InvalidArgument);

    client.delete("DeleteFeatureView", "shop", "sales").unwrap();
    assert_eq!(versions(&project), []);
    assert_eq!(client.get("GetFeatureView", "shop", "sales").unwrap_err().code(), Code::NotFound);
}

#[test]
fn names_of_views_are_unique_together() {
    let project = repo();
    let server = GrpcServer::registry(&project, &[]);
    let client = Client::of(&server);
    apply_view(&client, &view("sales", "total")).unwrap();
    let spec = wire::LabelViewSpec { name: "sales".into(), ..wire::LabelViewSpec::default() };
    let label = prost::Message::encode_to_vec(&wire::LabelView { spec: Some(spec), ..wire::LabelView::default() });
    let request = asked::ApplyFeatureView {
        label_view: Some(label.into()),
        project: "shop".into(),
        ..asked::ApplyFeatureView::default()
    };
    let refused = client.ask("ApplyFeatureView", &request).unwrap_err();
    let error: FeastError = serde_json::from_str(refused.message()).unwrap();
    assert_eq!(error.class, "ConflictingFeatureViewNames");
    assert!(error.message.contains("feature view sales"), "{error:?}");
    let id = ViewId { project: "shop", name: "sales" };
    let rows = registry(&project).view(id).unwrap().rows;
    assert_eq!(rows.iter().map(|row| row.kind).collect::<Vec<_>>(), [ObjectKind::FeatureView]);
}

#[test]
fn a_function_of_python_is_stored_and_never_run() {
    let project = repo();
    let server = GrpcServer::registry(&project, &[]);
    let client = Client::of(&server);
    let mark = project.path("executed");
    // A pickle that runs a command when Python loads it.
    let body = format!("cposix\nsystem\n(S'touch {}'\ntR.", mark.display()).into_bytes();
    let function = wire::UserDefinedFunctionV2 {
        name: "f".into(),
        body: body.clone(),
        body_text: "def f(x): return x".into(),
        ..wire::UserDefinedFunctionV2::default()
    };
    let spec = wire::OnDemandFeatureViewSpec {
        name: "computed".into(),
        feature_transformation: Some(wire::FeatureTransformationV2 {
            user_defined_function: Some(function),
            ..wire::FeatureTransformationV2::default()
        }),
        ..wire::OnDemandFeatureViewSpec::default()
    };
    let view = wire::OnDemandFeatureView { spec: Some(spec), ..wire::OnDemandFeatureView::default() };
    let request = asked::ApplyFeatureView {
        on_demand_feature_view: Some(prost::Message::encode_to_vec(&view).into()),
        project: "shop".into(),
        ..asked::ApplyFeatureView::default()
    };
    client.ask("ApplyFeatureView", &request).unwrap();
    let stored: wire::OnDemandFeatureView =
        decode(&client.get("GetOnDemandFeatureView", "shop", "computed").unwrap()).unwrap();
    let function = stored.spec.unwrap().feature_transformation.unwrap().user_defined_function.unwrap();
    assert_eq!(function.body, body);
    assert!(!mark.exists());
    let rows = registry(&project).snapshot("shop").unwrap().rows;
    assert!(rows.iter().any(|row| row.name == "computed"));
}

#[test]
fn projects_and_their_infrastructure_come_and_go() {
    let project = repo();
    let server = GrpcServer::registry(&project, &[]);
    let client = Client::of(&server);
    let described = wire::Project {
        spec: Some(wire::ProjectSpec { name: "shop".into(), description: "what is sold".into(), ..Default::default() }),
        ..wire::Project::default()
    };
    let proto = prost::Message::encode_to_vec(&described);
    client.ask("ApplyProject", &asked::ApplyProject { project: proto.into(), commit: true }).unwrap();
    client.apply("ApplyEntity", "other", &entity("user")).unwrap();
    let names = || {
        let (projects, page) = client.list("ListProjects", &asked::ListProjects::default()).unwrap();
        let names = projects.iter().map(|project| decode::<wire::Project>(project).unwrap().spec.unwrap().name);
        (names.collect::<Vec<_>>(), page.total_count)
    };
    assert_eq!(names(), (vec!["other".to_owned(), "shop".to_owned()], 2));
    let table = wire::SqliteTable { path: "/data/online.db".into(), name: "shop_sales".into() };
    let object = wire::InfraObject { sqlite_table: Some(table), ..wire::InfraObject::default() };
    let infra = prost::Message::encode_to_vec(&wire::Infra { infra_objects: vec![object] });
    let update = asked::UpdateInfra { infra: infra.clone().into(), project: "shop".into(), commit: true };
    client.ask("UpdateInfra", &update).unwrap();
    let of = asked::OfProject { project: "shop".into(), allow_cache: true };
    assert_eq!(client.ask("GetInfra", &of).unwrap(), infra);
    client.ask("Refresh", &asked::Refresh { project: "shop".into() }).unwrap();
    client.call("Commit", Vec::new()).unwrap();
    client.ask("DeleteProject", &asked::DeleteProject { name: "shop".into(), commit: true }).unwrap();
    assert_eq!(names(), (vec!["other".to_owned()], 1));
    assert_eq!(client.ask("GetInfra", &of).unwrap().len(), 0);
    let again = client.ask("DeleteProject", &asked::DeleteProject { name: "shop".into(), commit: true }).unwrap_err();
    assert!(again.message().contains("ProjectObjectNotFoundException"), "{again:?}");
}

#[test]
fn guards_refuse_what_breaks_others() {
    let project = repo();
    project.write(
        "feature_store.yaml",
        project.read("feature_store.yaml") + "feastr: {registry_server: {guards: true}}\n",
    );
    let server = GrpcServer::registry(&project, &[]);
    let client = Client::of(&server);
    apply_view(&client, &view("sales", "total")).unwrap();
    let column = wire::FeatureSpecV2 { name: "total".into(), value_type: 3, ..wire::FeatureSpecV2::default() };
    let projection = wire::FeatureViewProjection {
        feature_view_name: "sales".into(),
        feature_columns: vec![column],
        ..wire::FeatureViewProjection::default()
    };
    let spec = wire::FeatureServiceSpec { name: "report".into(), features: vec![projection], ..Default::default() };
    let service = wire::FeatureService { spec: Some(spec), ..wire::FeatureService::default() };
    client.apply("ApplyFeatureService", "shop", &service).unwrap();
    for refused in [
        apply_view(&client, &view("sales", "sum")).unwrap_err(),
        client.delete("DeleteFeatureView", "shop", "sales").map(drop).unwrap_err(),
        client.delete("DeleteFeatureService", "shop", "report").map(drop).unwrap_err(),
    ] {
        assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
        assert!(refused.message().contains("feature"), "{refused:?}");
    }
    let mut labelled = view("sales", "total");
    labelled.spec.as_mut().unwrap().tags = vec![wire::MapEntry::new("team", "one")];
    apply_view(&client, &labelled).unwrap();
    assert_eq!(stored_view(&client, "sales").spec.unwrap().tags.len(), 1);
    client.get("GetFeatureService", "shop", "report").unwrap();
}
