//! What the settings of a server have to say, and what it says of them.

use crate::{
    servers::identity_provider::{IdentityProvider, SigningKey},
    support::Project,
};

fn serve_with(auth: &str) -> String {
    let project = Project::example();
    let settings = project.read("feature_store.yaml");
    project.write("feature_store.yaml", settings + auth);
    project.feastr(&["apply"]).ok();
    project.feastr(&["serve", "--port", "0"]).failed().stderr
}

#[test]
fn a_server_that_cannot_know_who_asks_does_not_start() {
    let said = serve_with("auth: {type: oidc, auth_discovery_url: 'http://127.0.0.1:1/x'}\n");
    assert!(said.contains("`auth` has neither `client_id` nor `audience`"), "{said}");
    let said = serve_with("auth: {type: oidc, client_id: store, token: secret}\n");
    assert!(said.contains("the settings name no identity provider") && !said.contains("secret"), "{said}");
    let said = serve_with(
        "auth: {type: oidc, client_id: store, auth_discovery_url: 'https://127.0.0.1:1/x', ca_cert_path: none.pem}\n",
    );
    assert!(said.contains("none.pem"), "{said}");
}

#[test]
fn settings_are_shown_without_secrets() {
    let provider = IdentityProvider::start(&[&SigningKey::edwards("mine")]);
    let project = Project::example();
    super::guard(&project, &provider, "roles_claim: realm_access.roles");
    project.edit("feature_store.yaml", "client_id: store", "client_id: store, client_secret: hush-hush");
    let shown = project.feastr(&["configuration"]).ok().stdout;
    assert!(shown.contains("roles_claim: realm_access.roles") && shown.contains("client_secret: \"***\""), "{shown}");
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn permissions_of_which_nobody_is_asked_are_told() {
    let project = crate::serve::answers::example();
    project.write("permissions.yaml", super::PERMISSIONS);
    project.feastr(&["apply"]).ok();
    let server = crate::serve::server::FeatureServer::start(&project, &[]);
    server.features(&super::question()).ok();
    let began = std::time::Instant::now();
    while !server.said().contains("Permissions are registered and have no effect") {
        assert!(began.elapsed() < crate::serve::server::PATIENCE, "{}", server.said());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
