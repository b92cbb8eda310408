//! Clients of Redis servers: how they are connected to and encrypted, and how long that and an answer may take.

use std::time::Duration;

use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, TlsCertificates,
    io::tcp::TcpSettings,
};

use crate::{
    config::{RedisNode, RedisTls, TlsMode},
    problem::{Kind, Problem},
};

/// How long to wait for a connection if the settings say nothing.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait for an answer if the settings say nothing.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// A client of one server, which is not connected yet.
///
/// # Errors
/// When certificates cannot be read or used.
pub fn client(node: &RedisNode, tls: Option<&RedisTls>) -> Result<Client, Problem> {
    let settled = |address: ConnectionAddr| -> redis::RedisResult<ConnectionInfo> {
        Ok(address.into_connection_info()?.set_tcp_settings(TcpSettings::default().set_nodelay(true)))
    };
    let unusable = |error: redis::RedisError| {
        Problem::new(
            Kind::Unavailable,
            format!("a connection to Redis at {node} cannot be set up: {error}"),
            "check `connection_string` in feature_store.yaml, and that certificates are in PEM format".to_owned(),
        )
    };
    let Some(tls) = tls else {
        let info = settled(ConnectionAddr::Tcp(node.host.clone(), node.port)).map_err(unusable)?;
        return Client::open(info).map_err(unusable);
    };
    let address = ConnectionAddr::TcpTls {
        host: node.host.clone(),
        port: node.port,
        insecure: !tls.server.mode.verifies(),
        tls_params: None,
    };
    let client = Client::build_with_tls(settled(address).map_err(unusable)?, certificates(tls)?).map_err(unusable)?;
    let info = client.get_connection_info().clone();
    let mut address = info.addr().clone();
    address.set_danger_accept_invalid_hostnames(tls.server.mode == TlsMode::VerifyCa);
    Client::open(info.set_addr(address)).map_err(unusable)
}

fn certificates(tls: &RedisTls) -> Result<TlsCertificates, Problem> {
    let read = |path: &std::path::PathBuf| {
        std::fs::read(path).map_err(|error| {
            Problem::new(
                Kind::Unavailable,
                format!("the certificates in {} cannot be read: {error}", path.display()),
                "ssl_ca_certs, ssl_certfile and ssl_keyfile name files in PEM format".to_owned(),
            )
        })
    };
    let client_tls = match &tls.client {
        Some(client) => {
            Some(ClientTlsConfig { client_cert: read(&client.certificate)?, client_key: read(&client.key)? })
        }
        None => None,
    };
    let root_cert = tls.server.root_certificates.as_ref().map(read).transpose()?;
    Ok(TlsCertificates { client_tls, root_cert })
}
