//! Tokens of a real Keycloak, with the realm that the local setup has.

use std::{thread::sleep, time::Duration};

use serde_json::json;

use super::{PERMISSIONS, ask, assert_denied, assert_unknown, question};
use crate::{
    serve::{
        answers::example,
        server::{FeatureServer, PATIENCE},
    },
    servers::keycloak::{CLIENT, Keycloak, SECRET, alone, shared},
    support::Project,
};

const READ: &str = "/get-online-features";

fn guarded(keycloak: &Keycloak) -> Project {
    let project = example();
    project.write("permissions.yaml", PERMISSIONS);
    project.feastr(&["apply"]).ok();
    let auth =
        format!("auth: {{type: oidc, auth_discovery_url: '{}', client_id: {CLIENT}}}\n", keycloak.discovery_url());
    project.write("feature_store.yaml", project.read("feature_store.yaml") + &auth);
    project
}

fn write() -> serde_json::Value {
    json!({ "feature_view_name": "driver_hourly_stats", "df": {
        "driver_id": [1001], "conv_rate": [0.625], "acc_rate": [0.5], "avg_daily_trips": [1],
        "event_timestamp": ["2025-01-02T10:00:00+00:00"], "created": ["2025-01-02T10:00:00+00:00"],
    } })
}

/// Asks until the status is this one.
fn ask_until(server: &FeatureServer<'_>, token: &str, status: u16) {
    let began = std::time::Instant::now();
    loop {
        let answer = ask(server, token, READ, &question());
        if answer.status == status {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{answer:?}");
        sleep(Duration::from_millis(100));
    }
}

#[test]
fn the_role_of_the_realm_decides_who_reads() {
    let keycloak = shared();
    let project = guarded(&keycloak);
    let server = FeatureServer::start(&project, &[]);
    let path = "/write-to-online-store";
    let admin = keycloak.user_token(CLIENT, "admin");
    assert_eq!(ask(&server, &admin, READ, &question()).ok().column("conv_rate")["values"].as_array().unwrap().len(), 1);
    assert_denied(&ask(&server, &admin, path, &write()), "`admin` is denied WRITE_ONLINE");
    // His role is that of his group; that of another client says nothing.
    let bob = keycloak.user_token(CLIENT, "bob");
    assert_denied(&ask(&server, &bob, READ, &question()), "`bob` is denied READ_ONLINE");
    assert_eq!(ask(&server, &bob, path, &write()).status, 200);
    let eve = keycloak.user_token(CLIENT, "eve");
    for (path, body) in [(READ, question()), (path, write())] {
        assert_denied(&ask(&server, &eve, path, &body), "`eve` is denied");
    }
    let program = keycloak.client_token(CLIENT, SECRET);
    assert_eq!(ask(&server, &program, path, &write()).status, 200);
    assert_denied(&ask(&server, &program, READ, &question()), "`service-account-feature-store` is denied");
    // A token that eve has for another program. That of bob is for the store as well, because it has roles there.
    assert_unknown(&ask(&server, &keycloak.user_token("other-app", "eve"), READ, &question()), "for somebody else");
    assert_denied(&ask(&server, &keycloak.user_token("other-app", "bob"), READ, &question()), "`bob` is denied");
    // Somebody who has changed a letter of the signature.
    let mut changed = admin.clone().into_bytes();
    let letter = changed.len() - 20;
    changed[letter] = if changed[letter] == b'A' { b'B' } else { b'A' };
    assert_unknown(&ask(&server, &String::from_utf8(changed).unwrap(), READ, &question()), "signature");
}

#[test]
fn tokens_expire() {
    let keycloak = shared();
    let project = guarded(&keycloak);
    let server = FeatureServer::start(&project, &[]);
    let mapper = json!({
        "name": "audience", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
        "config": { "included.client.audience": CLIENT, "access.token.claim": "true" },
    });
    keycloak.create(
        "clients",
        &json!({
            "clientId": "hasty", "secret": "hasty", "publicClient": false, "serviceAccountsEnabled": true,
            "standardFlowEnabled": false, "attributes": { "access.token.lifespan": "1" }, "protocolMappers": [mapper],
        }),
    );
    let token = keycloak.client_token("hasty", "hasty");
    assert_denied(&ask(&server, &token, READ, &question()), "`service-account-hasty` is denied");
    // Clocks may differ a little.
    ask_until(&server, &token, 401);
    assert_unknown(&ask(&server, &token, READ, &question()), "expired");
}

#[test]
fn keys_that_are_rotated_or_made_anew_are_found() {
    let mut keycloak = alone();
    let project = guarded(&keycloak);
    let server = FeatureServer::start(&project, &[]);
    let old = keycloak.user_token(CLIENT, "admin");
    assert_eq!(ask(&server, &old, READ, &question()).status, 200);
    keycloak.rotate_keys();
    let new = keycloak.user_token(CLIENT, "admin");
    ask_until(&server, &new, 200);
    // The key before it is published still.
    assert_eq!(ask(&server, &old, READ, &question()).status, 200);
    keycloak.restart();
    let newest = keycloak.user_token(CLIENT, "admin");
    ask_until(&server, &newest, 200);
    assert_unknown(&ask(&server, &new, READ, &question()), "no key of the identity provider");
}
