//! Clients with tokens of Kubernetes.

use super::guarded;
use crate::{
    serve::server::FeatureServer,
    servers::kubernetes::{ApiServer, NAMESPACE},
    support::Project,
};

/// A repo of somebody whose values are behind a server.
fn client(server: &FeatureServer<'_>, api: &ApiServer, own: &str) -> Project {
    let mut project = Project::example();
    project.feastr(&["apply"]).ok();
    let store = "online_store:\n  type: sqlite\n  path: data/online_store.db\n";
    let remote = format!("online_store: {{type: remote, path: 'http://{}'}}\n", server.address);
    project.edit("feature_store.yaml", store, &remote);
    let settings = project.read("feature_store.yaml");
    let auth = format!("auth: {{type: kubernetes}}\nfeastr: {{auth: {{{own}}}}}\n");
    project.write("feature_store.yaml", settings + &auth);
    project.environment.push(("FEASTR_KUBERNETES_ACCOUNT", api.account().join("mine").display().to_string()));
    project
}

const ASK: [&str; 5] = ["get-online", "--features", "driver_hourly_stats:conv_rate", "--entity", "driver_id=1001"];

#[test]
fn a_pod_sends_the_token_that_it_has_now() {
    let api = ApiServer::start();
    api.bind(NAMESPACE, "super-reader", ("team", "reader"));
    let project = guarded(&api, "kubernetes: {audience: features.kubeflow.org}");
    let server = FeatureServer::start(&project, &[]);
    let client = client(&server, &api, "");
    let mine = api.account().join("mine");
    std::fs::create_dir(&mine).unwrap();
    let send = |token: &str| std::fs::write(mine.join("token"), format!("{token}\n")).unwrap();
    let said = client.feastr(&ASK).failed().stderr;
    assert!(said.contains("mine/token cannot be read"), "{said}");
    send(&api.token("team", "reader", None));
    let said = client.feastr(&ASK).failed().stderr;
    assert!(said.contains("does not accept the token of `system:serviceaccount:team:reader`"), "{said}");
    send(&api.token("team", "reader", Some("features.kubeflow.org")));
    let said = client.feastr(&ASK).ok().stdout;
    assert!(said.contains("conv_rate"), "{said}");
    let who = client.feastr(&["whoami"]).ok().stdout;
    assert!(who.contains("system:serviceaccount:team:reader") && who.contains("features.kubeflow.org"), "{who}");
}

#[test]
fn a_token_may_be_in_another_file_or_in_the_environment() {
    let api = ApiServer::start();
    api.bind(NAMESPACE, "super-reader", ("team", "reader"));
    let project = guarded(&api, "");
    let server = FeatureServer::start(&project, &[]);
    let mut named = client(&server, &api, "token_file: projected");
    named.write("projected", api.token("team", "reader", None));
    named.feastr(&ASK).ok();
    named.edit("feature_store.yaml", "token_file: projected", "");
    named.environment.push(("LOCAL_K8S_TOKEN", api.token("team", "reader", None)));
    named.feastr(&ASK).ok();
}
