//! What Kubernetes lets accounts do, where its API server decides instead of permissions.

use serde_json::json;

use super::{READ, await_status, guarded, read, written};
use crate::{
    auth::{ask, assert_denied, question},
    serve::server::FeatureServer,
    servers::kubernetes::ApiServer,
};

/// Kubernetes decides, and is asked again soon.
pub const MODE: &str = "kubernetes: {mode: subject_access_review, audience: features.kubeflow.org, cache_seconds: 1}";

/// The project of the example, as a namespace.
fn namespace(project: &crate::support::Project) -> String {
    let settings = project.read("feature_store.yaml");
    let name = settings.lines().find_map(|line| line.strip_prefix("project: ")).unwrap();
    name.replace('_', "-")
}

/// Makes a role for resources of some kinds, whatever they are called.
pub fn role_for(api: &ApiServer, namespace: &str, name: &str, resources: &[&str], verbs: &[&str]) {
    let rule = json!({ "apiGroups": ["features.kubeflow.org"], "resources": resources, "verbs": verbs });
    api.put("roles", namespace, json!({ "metadata": { "name": name }, "rules": [rule] }));
}

fn role(api: &ApiServer, namespace: &str, name: &str, verbs: &[&str], names: &[&str]) {
    let mut rule = json!({ "apiGroups": ["features.kubeflow.org"], "resources": ["featureviews"], "verbs": verbs });
    if !names.is_empty() {
        rule["resourceNames"] = json!(names);
    }
    api.put("roles", namespace, json!({ "metadata": { "name": name }, "rules": [rule] }));
}

#[test]
fn roles_in_the_namespace_of_the_project_decide() {
    let api = ApiServer::start();
    let project = guarded(&api, MODE);
    let namespace = namespace(&project);
    role(&api, &namespace, "viewer", &["get", "list"], &[]);
    role(&api, &namespace, "editor", &["get", "list", "create", "update", "delete"], &[]);
    role(&api, "other", "editor", &["get", "update"], &[]);
    api.bind("other", "editor", ("kubeflow-bob", "default-editor"));
    let server = FeatureServer::start(&project, &[]);
    let bob = api.token("kubeflow-bob", "default-editor", Some("features.kubeflow.org"));
    let why = format!(
        "`system:serviceaccount:kubeflow-bob:default-editor` is denied READ_ONLINE on FeatureView:driver_hourly_stats: \
         Kubernetes does not let it get featureviews.features.kubeflow.org in namespace {namespace}"
    );
    assert_denied(&read(&server, &bob), &why);
    api.bind(&namespace, "viewer", ("kubeflow-bob", "default-editor"));
    await_status(&server, &bob, 200);
    assert_denied(&ask(&server, &bob, "/write-to-online-store", &written()), "does not let it update featureviews");
    api.bind(&namespace, "editor", ("kubeflow-bob", "default-editor"));
    let began = std::time::Instant::now();
    while ask(&server, &bob, "/write-to-online-store", &written()).status != 200 {
        assert!(began.elapsed() < crate::serve::server::PATIENCE);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    api.remove("rolebindings", &namespace, "viewer-default-editor");
    api.remove("rolebindings", &namespace, "editor-default-editor");
    await_status(&server, &bob, 403);
}

#[test]
fn a_role_may_be_for_some_views_alone() {
    let api = ApiServer::start();
    let project = guarded(&api, MODE);
    let namespace = namespace(&project);
    role(&api, &namespace, "named", &["get"], &["driver_hourly_stats"]);
    role(&api, &namespace, "others", &["get"], &["other"]);
    api.bind(&namespace, "named", ("team", "reader"));
    api.bind(&namespace, "others", ("team", "stranger"));
    let server = FeatureServer::start(&project, &[]);
    let token = |name: &str| api.token("team", name, Some("features.kubeflow.org"));
    assert_eq!(read(&server, &token("reader")).status, 200);
    assert_eq!(read(&server, &token("stranger")).status, 403);
}

#[test]
fn answers_are_kept_and_an_outage_denies_nobody() {
    let mut api = ApiServer::start();
    let project = guarded(&api, "kubernetes: {mode: subject_access_review, audience: features.kubeflow.org}");
    let namespace = namespace(&project);
    role(&api, &namespace, "viewer", &["get"], &[]);
    api.bind(&namespace, "viewer", ("team", "reader"));
    let server = FeatureServer::start(&project, &[]);
    let token = api.token("team", "reader", Some("features.kubeflow.org"));
    (0..5).for_each(|_| assert_eq!(read(&server, &token).status, 200));
    assert_eq!(api.asked("subjectaccessreviews"), 1);
    api.stop();
    assert_eq!(read(&server, &token).status, 200);
    let answer = ask(&server, &token, "/write-to-online-store", &written());
    assert_eq!(answer.status, 503, "{answer:?}");
    api.restart();
    assert_denied(&ask(&server, &token, "/write-to-online-store", &written()), "does not let it update");
    // The permissions of the registry decide nothing.
    assert_eq!(ask(&server, &token, READ, &question()).status, 200);
}
