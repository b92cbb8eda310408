//! The servers of the registry and of the offline store, by roles that are watched and by reviews of each access.

use serde_json::{Value as Json, json};

use super::{guarded, reviews};
use crate::{
    registry_remote::RegistryServer,
    serve::server::PATIENCE,
    servers::{
        grpc::GrpcServer,
        kubernetes::{ApiServer, NAMESPACE},
    },
    support::{Output, Project},
};

/// Has the program in a repo be an account of a service.
fn be(project: &Project, api: &ApiServer, name: &str) {
    project.write("mine", api.token("team", name, Some("features.kubeflow.org")));
}

/// A repo whose registry is behind a server.
fn client(server: &RegistryServer) -> Project {
    let settings = format!(
        "project: feastlocal\nprovider: local\nregistry: {}\nonline_store: null\nentity_key_serialization_version: 3\n\
         auth: {{type: kubernetes}}\nfeastr: {{auth: {{token_file: mine}}}}\n",
        server.settings()
    );
    Project::new(&[("feature_store.yaml", &settings)])
}

/// Lists views until there are so many.
#[track_caller]
fn await_views(project: &Project, count: usize) {
    let began = std::time::Instant::now();
    loop {
        let listed = project.feastr(&["feature-views", "list", "--json"]).ok().json();
        if listed.as_array().map(Vec::len) == Some(count) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{listed}");
    }
}

#[test]
fn the_registry_is_shown_to_those_who_have_a_role_now() {
    let api = ApiServer::start();
    let project = guarded(&api, "kubernetes: {audience: features.kubeflow.org}");
    project
        .write("permissions.yaml", "permissions: [{name: viewer, actions: [DESCRIBE], policy: {roles: [viewer]}}]\n");
    project.feastr(&["apply", "--yes"]).ok();
    let server = RegistryServer::over(project, &[]);
    let project = client(&server);
    be(&project, &api, "reader");
    await_views(&project, 0);
    api.bind(NAMESPACE, "viewer", ("team", "reader"));
    await_views(&project, 1);
    // Somebody else has it instead.
    let other = json!({ "kind": "ServiceAccount", "name": "other", "namespace": "team" });
    api.bind_as(NAMESPACE, "viewer-reader", "viewer", &[other]);
    await_views(&project, 0);
    be(&project, &api, "other");
    await_views(&project, 1);
    api.remove("rolebindings", NAMESPACE, "viewer-reader");
    await_views(&project, 0);
}

#[test]
fn the_registry_is_shown_and_changed_as_reviews_say() {
    let api = ApiServer::start();
    let server = RegistryServer::over(guarded(&api, reviews::MODE), &[]);
    let resources = ["projects", "entities", "datasources", "featureviews", "featureservices", "permissions"];
    reviews::role_for(&api, "feastlocal", "viewer", &resources, &["get", "list"]);
    reviews::role_for(&api, "feastlocal", "editor", &resources, &["get", "list", "create", "update", "delete"]);
    let project = client(&server);
    be(&project, &api, "reader");
    await_views(&project, 0);
    api.bind("feastlocal", "viewer", ("team", "reader"));
    await_views(&project, 1);
    for file in ["drivers.yaml", "services.yaml", "permissions.yaml"] {
        project.copy(&server.project.path(file), file);
    }
    project.copy(&server.project.path("data/driver_stats.parquet"), "data/driver_stats.parquet");
    assert!(project.feastr(&["plan"]).ok().stdout.contains("No changes"));
    project.write("more.yaml", "entities: [{name: rider, join_keys: [rider_id], value_type: INT64}]\n");
    let denied = project.feastr(&["apply", "--yes"]).failed().stderr;
    assert!(denied.contains("Kubernetes does not let it create entities.features.kubeflow.org"), "{denied}");
    api.bind("feastlocal", "editor", ("team", "reader"));
    let began = std::time::Instant::now();
    while project.feastr(&["apply", "--yes"]).code != 0 {
        assert!(began.elapsed() < PATIENCE);
    }
    let listed = project.feastr(&["entities", "list", "--json"]).ok().stdout;
    assert!(listed.contains("rider"), "{listed}");
}

#[test]
fn training_data_is_for_those_whom_reviews_let() {
    let api = ApiServer::start();
    let project = guarded(&api, &format!("token_file: mine, {}", reviews::MODE));
    reviews::role_for(&api, "feastlocal", "viewer", &["featureviews"], &["get"]);
    api.bind("feastlocal", "viewer", ("team", "reader"));
    let server = GrpcServer::offline(&project, &[]);
    crate::offline_remote::ask_server(&project, server.address.port(), "");
    let ask = |name: &str| -> Output {
        be(&project, &api, name);
        let features = ["--features", "driver_hourly_stats:conv_rate", "--entities", "data/entity_rows.csv"];
        crate::offline_remote::asking(
            &project,
            &[&["get-historical"][..], &features, &["--output", "rows.csv"]].concat(),
        )
    };
    let denied = ask("other").failed().stderr;
    assert!(denied.contains("Kubernetes does not let it get featureviews.features.kubeflow.org"), "{denied}");
    ask("reader").ok();
    assert!(project.read("rows.csv").contains("conv_rate"));
}

/// What somebody may, as the command says who asks for it.
fn check(project: &Project, args: &[&str]) -> Output {
    project.feastr(&[&["permissions", "check"], args].concat())
}

#[test]
fn who_asks_what_somebody_may_is_told_what_kubernetes_says() {
    let api = ApiServer::start();
    let project = guarded(&api, reviews::MODE);
    reviews::role_for(&api, "feastlocal", "viewer", &["featureviews"], &["get", "list"]);
    let group = json!({ "kind": "Group", "name": "system:serviceaccounts:team" });
    api.bind_subject("feastlocal", "viewer", group);
    let user = ["--user", "system:serviceaccount:team:reader"];
    let read = [&["read-online", "driver_hourly_stats"][..], &user].concat();
    let began = std::time::Instant::now();
    let said = loop {
        let said = check(&project, &read);
        if said.code == 0 {
            break said.stdout;
        }
        assert!(began.elapsed() < PATIENCE, "{said:?}");
    };
    assert_eq!(
        said,
        "system:serviceaccount:team:reader may read-online feature view driver_hourly_stats\n  Kubernetes lets it get \
         featureviews.features.kubeflow.org in namespace feastlocal: RBAC: allowed by RoleBinding \
         \"viewer-system:serviceaccounts:team/feastlocal\" of Role \"viewer\" to Group \"system:serviceaccounts:team\"\n"
    );
    let write = [&["write-online", "driver_hourly_stats", "--json"][..], &user].concat();
    let said = check(&project, &write).refused().json();
    let why = "Kubernetes does not let it update featureviews.features.kubeflow.org in namespace feastlocal";
    assert_eq!((&said["allowed"], &said["reasons"]), (&Json::Bool(false), &json!([why])));
    // A role that is not there is told of.
    api.bind("feastlocal", "gone", ("team", "reader"));
    let began = std::time::Instant::now();
    while !check(&project, &write).stdout.contains("\\\"gone\\\" not found") {
        assert!(began.elapsed() < PATIENCE);
    }
    let said = check(&project, &[&read[..], &["--role", "viewer"]].concat()).failed().stderr;
    assert!(said.contains("it knows itself which roles a user has"), "{said}");
    let said = check(&project, &[]).failed().stderr;
    assert!(said.contains("permissions of the registry are about nothing"), "{said}");
}
