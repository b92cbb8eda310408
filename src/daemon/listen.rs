//! Addresses that servers listen on.

use std::io;

use tokio::net::TcpListener;

use crate::problem::{Kind, Problem};

/// Takes a port of this machine; 0 is a free one.
///
/// # Errors
/// When the port is taken, or the host is none of this machine.
pub(crate) async fn listen(host: &str, port: u16) -> Result<TcpListener, Problem> {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let failed = |error: io::Error| {
        let help = match error.kind() {
            io::ErrorKind::AddrInUse => Some("choose another port, or end the program that has it".to_owned()),
            _ => None,
        };
        Problem::new(Kind::Unavailable, format!("cannot listen on {host} port {port}: {error}"), help)
    };
    TcpListener::bind((host, port)).await.map_err(failed)
}
