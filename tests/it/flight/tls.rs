//! Encrypted connections.

use serde_json::json;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

use super::{
    client::{Client, drivers, historical},
    repo,
};
use crate::servers::{grpc::GrpcServer, server_certificate};

#[test]
fn clients_that_trust_the_authority_are_answered() {
    let project = repo();
    server_certificate(project.folder.path());
    let server = GrpcServer::offline(&project, &["--cert", "server.crt", "--key", "server.key"]);
    assert!(server.said().contains("grpc+tls://"), "{}", server.said());
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(project.read_bytes("ca.crt")))
        .domain_name("localhost");
    let client =
        Client::at(Endpoint::from_shared(format!("https://{}", server.address)).unwrap().tls_config(tls).unwrap());
    let command = historical(&["driver_hourly_stats:conv_rate"], json!({}));
    let rows = drivers(&[(1001, "2021-04-12T00:00:00Z")]);
    assert_eq!(client.exchange(&command, Some(&rows)).unwrap().num_rows(), 1);
    client.put(&command, Some(&rows)).unwrap();
    let url = format!("grpcs://localhost:{}", server.address.port());
    project.feastr(&["ready", "--wait", "30s", "--ca", "ca.crt", &url]).ok();
    let refused = project.feastr(&["ready", &url]).failed().stderr;
    assert!(refused.contains("does not prove who it is") && refused.contains("--ca"), "{refused}");
    let location = &client.info(&command).unwrap().endpoint[0].location[0].uri;
    assert!(location.starts_with("grpc+tls://127.0.0.1:"), "{location}");
}

#[test]
fn certificates_are_read_again() {
    let project = repo();
    for name in ["one", "two"] {
        std::fs::create_dir(project.path(name)).unwrap();
        server_certificate(&project.path(name));
    }
    let replace = |from: &str| {
        for file in ["server.crt", "server.key"] {
            std::fs::copy(project.path(from).join(file), project.path("new")).unwrap();
            std::fs::rename(project.path("new"), project.path(file)).unwrap();
        }
    };
    replace("one");
    let server = GrpcServer::offline(&project, &["--cert", "server.crt", "--key", "server.key"]);
    let url = format!("grpcs://localhost:{}", server.address.port());
    let is_trusted = |by: &str| project.feastr(&["ready", "--ca", &format!("{by}/ca.crt"), &url]).code == 0;
    project.feastr(&["ready", "--wait", "30s", "--ca", "one/ca.crt", &url]).ok();
    assert!(!is_trusted("two"));
    replace("two");
    while !is_trusted("two") {}
    assert!(!is_trusted("one"));
    project.write("server.crt", "no certificate");
    while !server.said().contains("old certificate stays") {}
    assert!(is_trusted("two"), "{}", server.said());
}

#[test]
fn a_certificate_that_does_not_work_is_no_start() {
    let project = repo();
    project.write("server.crt", "no certificate");
    project.write("server.key", "no key");
    let broken =
        project.feastr(&["serve-offline", "--port", "0", "--cert", "server.crt", "--key", "server.key"]).failed();
    assert!(broken.stderr.contains("server.crt"), "{}", broken.stderr);
    project.feastr(&["serve_offline", "--cert", "server.crt"]).failed();
}
