//! Encrypted connections to registry servers.

use super::{RegistryServer, point_at};
use crate::{servers::server_certificate, support::Project};

#[test]
fn clients_that_trust_the_authority_are_answered() {
    let project = Project::example();
    server_certificate(project.folder.path());
    let server = RegistryServer::over(project, &["--cert", "server.crt", "--key", "server.key"]);
    let client = Project::example();
    point_at(&client, &server);
    let path = format!("'localhost:{}'", server.address.port());
    let settings = client.read("feature_store.yaml").replace(&format!("'{}'", server.address), &path);
    let with = |more: &str| {
        client.write("feature_store.yaml", settings.replace(&path, &format!("{path}, {more}")));
        client.feastr(&["apply"])
    };
    let ca = server.project.path("ca.crt");
    with(&format!("cert: {}", ca.display())).ok();
    let wrong = Project::new(&[]);
    server_certificate(wrong.folder.path());
    let refused = with(&format!("cert: {}", wrong.path("ca.crt").display())).failed().stderr;
    assert!(refused.contains("does not prove who it is") && refused.contains("`cert` under `registry`"), "{refused}");
    with("is_tls: true").failed();
    let plain = with("is_tls: false").failed().stderr;
    assert!(plain.contains("the registry server at localhost:"), "{plain}");
    // A name that the certificate has, for an address that it does not have.
    let address = format!("'127.0.0.1:{}'", server.address.port());
    let named = settings.replace(&path, &format!("{address}, cert: {}, authority: localhost", ca.display()));
    client.write("feature_store.yaml", named);
    assert!(client.feastr(&["plan"]).ok().stdout.contains("No changes"));
}

#[test]
fn the_environment_may_name_whom_to_trust() {
    let project = Project::example();
    server_certificate(project.folder.path());
    let server = RegistryServer::over(project, &["--cert", "server.crt", "--key", "server.key"]);
    let mut client = Project::example();
    point_at(&client, &server);
    let path = format!("'localhost:{}', is_tls: true", server.address.port());
    client.edit("feature_store.yaml", &format!("'{}'", server.address), &path);
    for name in ["REQUESTS_CA_BUNDLE", "FEAST_CA_CERT_FILE_PATH", "SSL_CERT_FILE"] {
        client.environment = vec![(name, server.project.path("ca.crt").display().to_string())];
        client.feastr(&["apply"]).ok();
    }
}
