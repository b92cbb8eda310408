//! The API server goes away, forgets, and comes back; the token of the server itself is replaced.

use super::{SHORT, await_status, guarded, read};
use crate::{
    serve::server::FeatureServer,
    servers::kubernetes::{ApiServer, NAMESPACE},
};

#[test]
fn who_is_known_stays_so_for_a_while_and_nobody_is_denied_for_an_outage() {
    let mut api = ApiServer::start();
    api.bind(NAMESPACE, "super-reader", ("team", "reader"));
    let project = guarded(&api, "");
    let server = FeatureServer::start(&project, &[]);
    let (known, unknown) = (api.token("team", "reader", None), api.token("team", "other", None));
    assert_eq!(read(&server, &known).status, 200);
    api.stop();
    assert_eq!(read(&server, &known).status, 200);
    let answer = read(&server, &unknown);
    assert_eq!(answer.status, 503, "{answer:?}");
    api.restart();
    await_status(&server, &unknown, 403);
    // What was changed while nobody was told.
    api.remove("rolebindings", NAMESPACE, "super-reader-reader");
    await_status(&server, &known, 403);
}

#[test]
fn an_answer_counts_no_longer_while_the_api_server_is_away() {
    let mut api = ApiServer::start();
    api.bind(NAMESPACE, "super-reader", ("team", "reader"));
    let project = guarded(&api, SHORT);
    let server = FeatureServer::start(&project, &[]);
    let token = api.token("team", "reader", None);
    assert_eq!(read(&server, &token).status, 200);
    api.stop();
    await_status(&server, &token, 503);
    api.restart();
    await_status(&server, &token, 200);
}

#[test]
fn what_was_forgotten_is_listed_again() {
    let mut api = ApiServer::start();
    let project = guarded(&api, "");
    let server = FeatureServer::start(&project, &[]);
    let token = api.token("team", "reader", None);
    assert_eq!(read(&server, &token).status, 403);
    api.forget();
    api.bind(NAMESPACE, "super-reader", ("team", "reader"));
    await_status(&server, &token, 200);
    assert!(api.asked("list rolebindings") >= 2);
    api.cut_watches();
    api.remove("rolebindings", NAMESPACE, "super-reader-reader");
    await_status(&server, &token, 403);
}

#[test]
fn the_servers_own_token_is_read_again() {
    let api = ApiServer::start();
    api.bind(NAMESPACE, "super-reader", ("team", "reader"));
    let project = guarded(&api, SHORT);
    let server = FeatureServer::start(&project, &[]);
    let token = api.token("team", "reader", None);
    assert_eq!(read(&server, &token).status, 200);
    let own = std::fs::read_to_string(api.account().join("token")).unwrap();
    api.rotate();
    assert_ne!(own, std::fs::read_to_string(api.account().join("token")).unwrap());
    let other = api.token("team", "other", None);
    await_status(&server, &other, 403);
    assert!(!server.said().contains(&own), "{}", server.said());
}

#[test]
fn a_server_that_may_not_ask_says_so() {
    let api = ApiServer::start();
    let project = guarded(&api, "");
    api.remove("clusterrolebindings", "", "feastr-server");
    let server = FeatureServer::start(&project, &[]);
    let answer = read(&server, &api.token("team", "reader", None));
    assert_eq!(answer.status, 503, "{answer:?}");
    let began = std::time::Instant::now();
    while !server.said().contains("does not let this program ask") {
        assert!(began.elapsed() < crate::serve::server::PATIENCE, "{}", server.said());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_server_that_does_not_know_its_cluster_does_not_start() {
    let api = ApiServer::start();
    let mut project = guarded(&api, "");
    project.environment.retain(|(name, _)| *name != "KUBERNETES_SERVICE_HOST");
    let said = project.feastr(&["serve", "--port", "0"]).failed().stderr;
    assert!(
        said.contains("nobody knows where the API server of Kubernetes is") && said.contains("kubeconfig"),
        "{said}"
    );
    std::fs::remove_file(api.account().join("ca.crt")).unwrap();
    project.environment.push(("KUBERNETES_SERVICE_HOST", "localhost".to_owned()));
    let said = project.feastr(&["serve", "--port", "0"]).failed().stderr;
    assert!(said.contains("the authority in") && said.contains("ca.crt cannot be read"), "{said}");
}
