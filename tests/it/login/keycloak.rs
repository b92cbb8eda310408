//! Tokens of a real Keycloak, and Feast's own servers, which want them.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

use super::{browser::Browser, with_auth};
use crate::{
    serve::{answers::example, server::FeatureServer},
    servers::{
        feast::FeastServer,
        keycloak::{CLIENT, Keycloak, SECRET, shared},
    },
    support::{Output, Project},
};

/// Readers of all values.
const PERMISSIONS: &str = "permissions:
  - {name: reader, types: [FeatureView, DataSource], actions: READ, policy: {roles: [super-reader]}}
";

/// The `auth` of a client, with more keys.
fn auth(keycloak: &Keycloak, client: &str, more: &str) -> String {
    format!("auth: {{type: oidc, auth_discovery_url: '{}', client_id: {client}{more}}}\n", keycloak.discovery_url())
}

fn user(name: &str) -> String {
    format!(", client_secret: {SECRET}, username: {name}, password: {name}")
}

#[test]
fn tokens_are_given_for_passwords_and_secrets() {
    let keycloak = shared();
    let who = |client: &str, more: &str| with_auth(&auth(&keycloak, client, more)).feastr(&["whoami", "--json"]);
    let admin = who(CLIENT, &user("admin")).ok().json();
    assert_eq!((&admin["user"], &admin["roles"]), (&"admin".into(), &serde_json::json!(["super-reader"])));
    let eve = who(CLIENT, &user("eve")).ok().json();
    assert_eq!((&eve["user"], &eve["roles"]), (&"eve".into(), &serde_json::json!([])));
    assert_eq!(who(CLIENT, &user("bob")).ok().json()["groups"], serde_json::json!(["data-science"]));
    let itself = who(CLIENT, &format!(", client_secret: {SECRET}")).ok().json();
    assert_eq!(itself["user"], "service-account-feature-store");
    // A public client has no secret.
    assert_eq!(who("other-app", ", username: admin, password: admin").ok().json()["user"], "admin");

    for (client, more, said) in [
        (
            CLIENT,
            ", client_secret: feature-store-secret, username: admin, password: wr0ng".to_owned(),
            "password of `admin`",
        ),
        (CLIENT, ", client_secret: wr0ng".to_owned(), "does not accept client `feature-store`"),
        (CLIENT, ", username: admin, password: admin".to_owned(), "does not accept client `feature-store`"),
        ("nobody", ", client_secret: wr0ng".to_owned(), "does not accept client `nobody`"),
    ] {
        let output = who(client, &more).failed().stderr;
        assert!(output.contains(said) && output.contains("help: ") && !output.contains("wr0ng"), "{output}");
    }
    let project = with_auth(&auth(&keycloak, CLIENT, &user("admin")));
    project.edit("feature_store.yaml", "/realms/feature-store-demo/", "/realms/elsewhere/");
    let output = project.feastr(&["whoami"]).failed().stderr;
    assert!(output.contains("/realms/elsewhere/") && output.contains("404"), "{output}");
}

/// A login that waits, and the page that it shows.
fn begin_login(project: &Project) -> (Child, impl Iterator<Item = String>, String) {
    let mut login = project.command(&["login"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(login.stderr.take().unwrap()).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    let page = first.strip_prefix("Open ").unwrap_or_else(|| panic!("{first}")).to_owned();
    let code = lines.next().unwrap();
    assert!(page.contains(code.rsplit(' ').next().unwrap()), "{page} {code}");
    (login, lines, page)
}

#[test]
fn somebody_logs_in_with_a_browser() {
    let keycloak = shared();
    // A confidential client: its secret is for itself otherwise, so the login has another one.
    keycloak.create(
        "clients",
        &serde_json::json!({
            "clientId": "people", "publicClient": true, "standardFlowEnabled": false,
            "attributes": { "oauth2.device.authorization.grant.enabled": "true", "access.token.lifespan": "60" },
        }),
    );
    let project = with_auth(&auth(&keycloak, "people", ""));
    let (mut login, mut lines, page) = begin_login(&project);
    Browser::default().agree(&page, "admin");
    assert_eq!(lines.next().as_deref(), Some("Logged in as admin, without roles"));
    assert!(login.wait().unwrap().success());
    let who = project.feastr(&["whoami", "--json"]).ok().json();
    assert_eq!((&who["user"], &who["token_of"]), (&"admin".into(), &"who is logged in".into()));
    // Within the last minute of a token another one is got by the refresh token.
    let settings = project.read("feature_store.yaml");
    project.write(
        "feature_store.yaml",
        settings.replace("client_id: people", "client_id: people, token_refresh_margin_seconds: 59.5"),
    );
    let renewed =
        [project.feastr(&["whoami", "--json"]).ok().json(), project.feastr(&["whoami", "--json"]).ok().json()];
    assert!(renewed.iter().all(|who| who["user"] == "admin"), "{renewed:?}");
    let out = project.feastr(&["logout", "--json"]).ok().json();
    assert_eq!(out, serde_json::json!({ "was_logged_in": true, "provider_told": true }));
    assert!(project.feastr(&["whoami"]).failed().stderr.contains("nobody is logged in"));
}

/// Settings that ask servers as a user.
fn client_of(project: &Project, ports: (u16, u16), auth: &str) -> &'static str {
    let own = project.read("feature_store.yaml");
    let (own, _) = own.split_once("auth:").unwrap_or((&own, ""));
    let online = "online_store:\n  type: sqlite\n  path: data/online_store.db\n";
    let offline = "offline_store:\n  type: duckdb\n";
    assert!(own.contains(online) && own.contains(offline), "{own}");
    let remote =
        own.replace(online, &format!("online_store: {{type: remote, path: 'http://127.0.0.1:{}'}}\n", ports.0));
    let remote =
        remote.replace(offline, &format!("offline_store: {{type: remote, host: 127.0.0.1, port: {}}}\n", ports.1));
    project.write("client.yaml", remote + auth);
    "client.yaml"
}

const ONLINE: [&str; 6] =
    ["get-online", "--features", "driver_hourly_stats:conv_rate", "--entity", "driver_id=1001", "--json"];
const HISTORICAL: [&str; 7] = [
    "get-historical",
    "--entities",
    "data/entity_rows.csv",
    "--features",
    "driver_hourly_stats:conv_rate",
    "-o",
    "data/joined.jsonl",
];

fn asking(project: &Project, settings: &str, args: &[&str]) -> Output {
    project.feastr(&[&["--feature-store-yaml", settings][..], args].concat())
}

#[test]
fn feasts_servers_let_those_who_may() {
    let keycloak = shared();
    let project = example();
    project.write("permissions.yaml", PERMISSIONS);
    project.feastr(&["apply"]).ok();
    project.feastr(&HISTORICAL).ok();
    let joined = project.read("data/joined.jsonl");
    std::fs::remove_file(project.path("data/joined.jsonl")).unwrap();
    let own = project.feastr(&ONLINE).ok().json();
    project.write("feature_store.yaml", project.read("feature_store.yaml") + &auth(&keycloak, CLIENT, ""));
    let online = FeastServer::start(project.folder.path());
    let offline = FeastServer::start_offline(project.folder.path(), &[]);
    let ports = (online.port, offline.port);

    let admin = client_of(&project, ports, &auth(&keycloak, CLIENT, &user("admin")));
    let values = |answer: serde_json::Value| answer["results"][1]["values"].clone();
    assert_eq!(values(asking(&project, admin, &ONLINE).ok().json()), values(own));
    asking(&project, admin, &HISTORICAL).ok();
    assert_eq!(project.read("data/joined.jsonl"), joined);
    std::fs::remove_file(project.path("data/joined.jsonl")).unwrap();

    let eve = client_of(&project, ports, &auth(&keycloak, CLIENT, &user("eve")));
    for args in [&ONLINE[..], &HISTORICAL] {
        let said = asking(&project, eve, args).failed();
        assert!(said.stderr.contains("super-reader") && said.stderr.contains("you are `eve` there"), "{said:?}");
        assert!(!said.stdout.contains("0."), "{said:?}");
    }
    assert!(!project.path("data/joined.jsonl").exists());

    let nobody = client_of(&project, ports, "");
    for args in [&ONLINE[..], &HISTORICAL] {
        let said = asking(&project, nobody, args).failed().stderr;
        assert!(said.contains("wants to know who asks") && said.contains("set `auth`"), "{said}");
    }
}

#[test]
fn a_wrong_audience_is_told_by_feastrs_server() {
    let keycloak = shared();
    let project = example();
    project.write("permissions.yaml", PERMISSIONS);
    project.feastr(&["apply"]).ok();
    project
        .write("feature_store.yaml", project.read("feature_store.yaml") + &auth(&keycloak, CLIENT, ", audience: else"));
    let server = FeatureServer::start(&project, &[]);
    let client = client_of(&project, (server.address.port(), 1), &auth(&keycloak, CLIENT, &user("admin")));
    let said = asking(&project, client, &ONLINE).failed().stderr;
    for part in ["does not accept the token of `admin`", "/realms/feature-store-demo", "feature-store"] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
}
