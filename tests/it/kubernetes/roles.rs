//! What roles let accounts do, where permissions decide.

use serde_json::json;

use super::{await_status, guarded, read, written};
use crate::{
    auth::{ask, assert_denied},
    serve::server::FeatureServer,
    servers::kubernetes::{ApiServer, NAMESPACE},
};

#[test]
fn roles_are_those_of_the_servers_namespace() {
    let api = ApiServer::start();
    api.bind("team", "super-reader", ("team", "reader"));
    let project = guarded(&api, "");
    let server = FeatureServer::start(&project, &[]);
    let token = api.token("team", "reader", None);
    let why = "`team:reader` is denied READ_ONLINE on FeatureView:driver_hourly_stats: permission `reader` requires one of \
               the roles super-reader";
    assert_denied(&read(&server, &token), why);
    api.bind(NAMESPACE, "super-reader", ("team", "reader"));
    await_status(&server, &token, 200);
    assert_denied(&ask(&server, &token, "/write-to-online-store", &written()), "fresh-writer");
    api.remove("rolebindings", NAMESPACE, "super-reader-reader");
    await_status(&server, &token, 403);
    // Of all that, the API server was asked once.
    assert_eq!((api.asked("tokenreviews"), api.asked("list rolebindings")), (1, 1));
}

#[test]
fn people_have_roles_by_name_and_by_group() {
    let api = ApiServer::start();
    api.bind_subject(NAMESPACE, "super-reader", json!({ "kind": "Group", "name": "scientists" }));
    api.bind_subject("elsewhere", "fresh-writer", json!({ "kind": "User", "name": "ann" }));
    let project = guarded(&api, "");
    let server = FeatureServer::start(&project, &[]);
    let (ann, bob) = (api.person("ann", &["scientists"]), api.person("bob", &[]));
    assert_eq!(read(&server, &ann).status, 200);
    assert_denied(&read(&server, &bob), "`bob` is denied");
    // Whoever may bind roles in some namespace would have any of them otherwise.
    assert_denied(&ask(&server, &ann, "/write-to-online-store", &written()), "fresh-writer");
}

#[test]
fn bindings_of_all_namespaces_count_where_the_settings_want_feasts_rules() {
    let api = ApiServer::start();
    api.bind_subject("elsewhere", "fresh-writer", json!({ "kind": "User", "name": "ann" }));
    let project = guarded(&api, "kubernetes: {bindings: all}");
    let server = FeatureServer::start(&project, &[]);
    let answer = ask(&server, &api.person("ann", &[]), "/write-to-online-store", &written());
    assert_eq!(answer.status, 200, "{answer:?}");
    let began = std::time::Instant::now();
    while !server.said().contains("Role bindings of all namespaces count") {
        assert!(began.elapsed() < crate::serve::server::PATIENCE, "{}", server.said());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn by_feasts_rules_accounts_are_in_every_group_that_sees_their_namespace() {
    let api = ApiServer::start();
    let masters = "permissions: [{name: reader, types: [FeatureView], actions: [READ_ONLINE], policy: {groups: ['system:masters']}}]\n";
    let status = |own: &str| {
        let project = guarded(&api, own);
        project.write("permissions.yaml", masters);
        project.feastr(&["apply", "--yes"]).ok();
        read(&FeatureServer::start(&project, &[]), &api.token("team", "reader", None)).status
    };
    assert_eq!((status(""), status("kubernetes: {bindings: all}")), (403, 200));
}

#[test]
fn namespaces_and_groups_are_told_to_policies() {
    let api = ApiServer::start();
    let project = guarded(&api, "");
    project.write(
        "permissions.yaml",
        "permissions:
  - {name: reader, types: [FeatureView], actions: [READ_ONLINE], policy: {namespaces: [team]}}
  - {name: writer, types: [FeatureView], actions: [WRITE_ONLINE], policy: {groups: ['system:serviceaccounts:writers']}}
",
    );
    project.feastr(&["apply"]).ok();
    let server = FeatureServer::start(&project, &[]);
    let (near, far) = (api.token("team", "reader", None), api.token("writers", "job", None));
    assert_eq!((read(&server, &near).status, read(&server, &far).status), (200, 403));
    let status = |token: &str| ask(&server, token, "/write-to-online-store", &written()).status;
    assert_eq!((status(&near), status(&far)), (403, 200));
}
