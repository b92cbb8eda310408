//! What is said when there is no token, or not the right one: what is wrong, what to do, and never a secret.

use serde_json::json;

use super::{client, http::Http, provider::Provider, with_auth};
use crate::{
    serve::server::FeatureServer,
    servers::{free_port, server_certificate},
    support::Project,
};

/// What is said of settings; it never repeats a secret.
fn said(project: &Project) -> String {
    let said = project.feastr(&["whoami"]).failed().stderr;
    assert!(!said.contains("wr0ng") && !said.contains("hush"), "{said}");
    said
}

fn assert_says(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
}

#[test]
fn a_wrong_password_is_told() {
    let provider = Provider::start();
    let said = said(&client(&provider, ", username: ann, password: wr0ng"));
    assert_says(
        &said,
        &["does not accept the password of `ann`: Invalid user credentials", "correct `username` and `password`"],
    );
}

#[test]
fn a_wrong_secret_of_a_client_is_told() {
    let provider = Provider::start();
    let said = said(&client(&provider, ", client_secret: wr0ng"));
    assert_says(&said, &["does not accept client `store`", "check `client_id` and `client_secret`"]);
}

#[test]
fn an_expired_token_is_told() {
    let token = super::provider::token("ann", -60, 1);
    let said = said(&with_auth(&format!("auth: {{type: oidc, token: {token}}}\n")));
    assert_says(
        &said,
        &["the token in `token` under `auth` in feature_store.yaml has expired at 20", "put a new one there"],
    );
    assert!(!said.contains(&token));
}

#[test]
fn what_is_no_token_is_told() {
    let project = with_auth("auth: {type: oidc, token_env_var: MINE}\n");
    let mut command = project.command(&["whoami"]);
    let output = crate::support::run(command.env("MINE", "two wr0ng words")).failed();
    assert_says(&output.stderr, &["what is in the environment variable MINE is no token"]);
    assert!(!output.stderr.contains("wr0ng"), "{}", output.stderr);
    let project = with_auth("auth: {type: oidc}\nfeastr: {auth: {token_file: nowhere/token}}\n");
    assert_says(&said(&project), &["nowhere/token cannot be read", "`token_file`"]);
}

#[test]
fn a_provider_that_is_away_is_told() {
    let url = format!("http://127.0.0.1:{}/realms/demo", free_port());
    let auth = format!("auth: {{type: oidc, auth_discovery_url: '{url}', client_id: store, client_secret: hush}}\n");
    let said = said(&with_auth(&auth));
    assert_says(&said, &["the identity provider at http://127.0.0.1:", "cannot be reached", "`auth_discovery_url`"]);
}

#[test]
fn a_provider_that_starts_is_waited_for() {
    let starting = Http::start(|_, _| (503, json!({ "error": "starting" })));
    let url = starting.url("/");
    let auth = format!("auth: {{type: oidc, auth_discovery_url: '{url}', client_id: store, client_secret: hush}}\n");
    assert_says(&said(&with_auth(&auth)), &["it answers 503", "wait until it is up", "`auth_discovery_url`"]);
}

#[test]
fn a_wrong_discovery_url_is_told() {
    let provider = Provider::start();
    let project = client(&provider, ", client_secret: hush");
    project.edit("feature_store.yaml", "/realms/demo", "/realms/dem0");
    assert_says(&said(&project), &["/realms/dem0", "404", "`auth_discovery_url`"]);
    // Something answers there that is no provider.
    let other = Http::start(|_, _| (200, json!({ "hello": "world" })));
    let url = other.url("/");
    let auth = format!("auth: {{type: oidc, auth_discovery_url: '{url}', client_id: store, client_secret: hush}}\n");
    assert_says(&said(&with_auth(&auth)), &["no such document", "`auth_discovery_url`"]);
    let other = Http::start(|_, url| (200, json!({ "issuer": url })));
    let url = other.url("/");
    let auth = format!("auth: {{type: oidc, auth_discovery_url: '{url}', client_id: store, client_secret: hush}}\n");
    assert_says(&said(&with_auth(&auth)), &["token_endpoint", "`auth_discovery_url`"]);
}

#[test]
fn a_provider_without_logins_by_device_is_told() {
    let other = Http::start(|_, url| (200, json!({ "issuer": url, "token_endpoint": format!("{url}/token") })));
    let url = other.url("/");
    let project = with_auth(&format!("auth: {{type: oidc, auth_discovery_url: '{url}', client_id: store}}\n"));
    let said = project.feastr(&["login"]).failed().stderr;
    assert_says(&said, &["has no login with another device", "`username` and `password`"]);
}

#[test]
fn answers_of_a_provider_that_are_none_are_told() {
    let odd = Http::start(|asked, url| match asked.path.as_str() {
        "/" => (200, json!({ "issuer": url, "token_endpoint": format!("{url}/token") })),
        _ => (200, json!({ "access_token": 7 })),
    });
    let url = odd.url("/");
    let auth = format!("auth: {{type: oidc, auth_discovery_url: '{url}', client_id: store, client_secret: hush}}\n");
    assert_says(&said(&with_auth(&auth)), &["is not understood", "`auth_discovery_url`"]);
}

#[test]
fn a_provider_proves_who_it_is_unless_that_is_switched_off() {
    // Whoever answers with encryption will do: this one describes no provider.
    let other = Project::example();
    server_certificate(other.folder.path());
    let server = FeatureServer::start(&other, &["--cert", "server.crt", "--key", "server.key"]);
    let asked = |more: &str| {
        let url = format!("https://localhost:{}/realm", server.address.port());
        said(&with_auth(&format!(
            "auth: {{type: oidc, auth_discovery_url: '{url}', client_id: store, client_secret: hush{more}}}\n"
        )))
    };
    assert_says(&asked(""), &["does not prove who it is", "`ca_cert_path` under `auth`"]);
    assert_says(&asked(", verify_ssl: false"), &["it answers 404 Not Found"]);
}
