//! A real Keycloak whose keys and roles change, and permissions that do, while clients ask.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use tonic::{Code, Status};

use super::{
    client::{Client, all},
    repo,
};
use crate::servers::{
    grpc::GrpcServer,
    keycloak::{CLIENT, alone},
};

const DEFINITIONS: &str = "entities:
  - {name: user, join_keys: [user_id], value_type: INT64}
permissions:
  - {name: lookers, types: [Entity], actions: [DESCRIBE], policy: {roles: [super-reader]}}
";

/// As long as what is known of a registry may be old, and a bit for the way.
const SOON: Duration = Duration::from_secs(4);

#[test]
fn new_keys_are_found_and_what_was_taken_away_counts_no_longer() {
    let mut keycloak = alone();
    keycloak.create_user("fred", "super-reader");
    let project = repo();
    project.write("definitions.yaml", DEFINITIONS);
    project.feastr(&["apply", "-q"]).ok();
    let settings =
        format!("auth: {{type: oidc, auth_discovery_url: '{}', client_id: {CLIENT}}}\n", keycloak.discovery_url());
    project.write("feature_store.yaml", project.read("feature_store.yaml") + &settings);
    let server = GrpcServer::registry(&project, &[]);
    let look = |token: &str| Client::of(&server).with_token(token).get("GetEntity", "shop", "user").map(drop);
    let listed =
        |token: &str| Client::of(&server).with_token(token).list("ListEntities", &all("shop")).unwrap().0.len();
    let soon = |token: &str, code: Option<Code>| {
        let (began, has) = (Instant::now(), |answer: &Result<(), Status>| answer.as_ref().err().map(Status::code));
        let mut answer = look(token);
        while has(&answer) != code {
            assert!(began.elapsed() < SOON, "{answer:?}");
            sleep(Duration::from_millis(100));
            answer = look(token);
        }
    };

    let first = keycloak.user_token(CLIENT, "fred");
    look(&first).unwrap();
    keycloak.rotate_keys();
    soon(&keycloak.user_token(CLIENT, "fred"), None);
    // The key before it is published still.
    look(&first).unwrap();

    // A role that is taken away is in no token that comes after that.
    keycloak.take_roles("fred");
    let without = keycloak.user_token(CLIENT, "fred");
    assert_eq!(look(&without).unwrap_err().code(), Code::PermissionDenied);
    // With the entity that stands for none.
    assert_eq!((listed(&without), listed(&first)), (0, 2));

    // A permission that goes counts no longer, whatever a token says.
    project.write("definitions.yaml", DEFINITIONS.replace("[super-reader]", "[nobody]"));
    project.feastr(&["apply", "-q", "--yes"]).ok();
    soon(&first, Some(Code::PermissionDenied));
    project.write("definitions.yaml", DEFINITIONS);
    project.feastr(&["apply", "-q", "--yes"]).ok();
    soon(&first, None);

    // Keys that are gone are those of nobody.
    keycloak.restart();
    soon(&keycloak.user_token(CLIENT, "admin"), None);
    assert_eq!(look(&first).unwrap_err().code(), Code::Unauthenticated);
}
