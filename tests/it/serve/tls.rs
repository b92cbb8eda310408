//! Encrypted connections, and certificates that are replaced while the server runs.

use std::{net::TcpStream, path::Path, sync::Arc};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use super::{
    answers::example,
    server::{Connection, FeatureServer, PATIENCE},
};
use crate::servers::server_certificate;

type Encrypted = Connection<StreamOwned<ClientConnection, TcpStream>>;

/// A connection of somebody who trusts the authority in a folder.
fn connect(server: &FeatureServer<'_>, folder: &Path) -> Encrypted {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("ca.crt")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    Connection::over(StreamOwned::new(client, stream))
}

fn is_trusted(server: &FeatureServer<'_>, folder: &Path) -> bool {
    connect(server, folder).try_ask("GET", "/health", "").is_some_and(|answer| answer.status == 200)
}

#[test]
fn certificates_are_read_again_and_broken_ones_are_not_taken() {
    let project = example();
    let folders = ["one", "two"].map(|name| project.path(name));
    for folder in &folders {
        std::fs::create_dir(folder).unwrap();
        server_certificate(folder);
    }
    // Mounted secrets are replaced by links that point elsewhere.
    let replace = |from: &Path| {
        for file in ["server.crt", "server.key"] {
            std::fs::copy(from.join(file), project.path("new")).unwrap();
            std::fs::rename(project.path("new"), project.path(file)).unwrap();
        }
    };
    replace(&folders[0]);
    let server = FeatureServer::start(&project, &["--cert", "server.crt", "--key", "server.key"]);
    assert!(server.said().contains("https://"), "{}", server.said());
    assert!(is_trusted(&server, &folders[0]) && !is_trusted(&server, &folders[1]));
    let mut kept = connect(&server, &folders[0]);
    kept.ask("GET", "/health", "").ok();
    replace(&folders[1]);
    while !is_trusted(&server, &folders[1]) {}
    assert!(!is_trusted(&server, &folders[0]));
    // Who is connected stays so.
    kept.ask("GET", "/health", "").ok();
    project.write("server.crt", "no certificate");
    while !server.said().contains("old certificate stays") {}
    assert!(is_trusted(&server, &folders[1]), "{}", server.said());
}

#[test]
fn a_certificate_that_does_not_work_is_no_start() {
    let project = example();
    project.write("server.crt", "no certificate");
    project.write("server.key", "no key");
    let args = |cert: &str| ["serve", "--port", "0", "--cert", cert, "--key", "server.key"].map(str::to_owned);
    let broken = project.feastr(&args("server.crt")).failed();
    assert!(broken.stderr.contains("server.crt"), "{}", broken.stderr);
    let missing = project.feastr(&args("gone.crt")).failed();
    assert!(missing.stderr.contains("gone.crt"), "{}", missing.stderr);
    project.feastr(&["serve", "--cert", "server.crt"]).failed();
}
