//! Connections to gRPC servers: encryption, limits of time, when connecting is tried again, and words for what goes wrong
//! on the way. What servers say is judged by who asks them.

mod connection;
mod status;

use std::{path::Path, time::Duration};

use bytes::{Buf as _, BufMut as _, Bytes};
use tokio::time::sleep;
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::{Channel, ClientTlsConfig, Endpoint, Error, Identity, Uri},
};

use super::{
    authorities::{authorities, unreadable},
    causes::{innermost, is_about_certificates, is_without_encryption},
};
use crate::{
    config::ClientCertificate,
    problem::{Kind, Problem},
};

pub use connection::{Connection, path, within};
pub use status::{kind_of, one_line};

/// How long to wait for an address that does not answer, and for encryption.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// After how long without a word a server is asked whether its machine is there.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// How long the server may take to say that it is there.
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// The first pause before connecting is tried again, as in Feast; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How a server is connected to.
#[derive(Debug, Clone, Copy)]
pub struct Connecting<'a> {
    /// What messages call it.
    pub name: &'a str,
    /// Its URL: `http://…`, or `https://…` for connections that are encrypted.
    pub url: &'a str,
    /// Where it is set, for advice.
    pub setting: &'a str,
    /// Where the authorities to trust are set.
    pub authorities_setting: &'a str,
    /// File with their certificates; those of the system if there is none.
    pub authorities: Option<&'a Path>,
    /// How we prove who connects, if we do.
    pub client: Option<&'a ClientCertificate>,
    /// The name that the server goes by, where it is not that of the URL.
    pub authority: Option<&'a str>,
    /// How often connecting is tried again.
    pub retries: u32,
    /// After how long without a word of an answer that is waited for the server itself is asked whether it is there, if at
    /// all; servers may take it amiss when they are asked often.
    pub pings: Option<Duration>,
}

/// Connects to a server, on the runtime of the process.
///
/// # Errors
/// When it is not there or cannot prove who it is, or certificates cannot be read.
pub async fn connect(server: Connecting<'_>) -> Result<Channel, Problem> {
    let endpoint = endpoint(server)?;
    let (mut pause, mut retries) = (FIRST_PAUSE, server.retries);
    loop {
        match endpoint.connect().await {
            Ok(channel) => return Ok(channel),
            Err(error) if retries > 0 && !is_about_certificates(&error) => {
                sleep(pause).await;
                (pause, retries) = ((pause * 2).min(LONGEST_PAUSE), retries - 1);
            }
            Err(error) => return Err(unreachable(server, &error)),
        }
    }
}

fn endpoint(server: Connecting<'_>) -> Result<Endpoint, Problem> {
    let unusable = |error: Error| {
        let message = format!("a connection to {} cannot be set up: {}", server.name, innermost(&error));
        Problem::new(Kind::Unavailable, message, None)
    };
    let endpoint = Endpoint::from_shared(server.url.to_owned())
        .and_then(|endpoint| endpoint.user_agent(concat!("feastr/", env!("CARGO_PKG_VERSION"))))
        .map_err(unusable)?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .tcp_keepalive(Some(KEEPALIVE));
    let endpoint = match server.pings {
        Some(pause) => endpoint.http2_keep_alive_interval(pause).keep_alive_timeout(PING_TIMEOUT),
        None => endpoint,
    };
    let endpoint = match server.authority {
        Some(name) => {
            let scheme = if server.url.starts_with("https:") { "https" } else { "http" };
            let origin = Uri::builder().scheme(scheme).authority(name).path_and_query("/").build();
            endpoint.origin(origin.map_err(|error| {
                let message = format!("`{name}` cannot be the name of {}: {error}", server.name);
                Problem::new(Kind::Invalid, message, None)
            })?)
        }
        None => endpoint,
    };
    if !server.url.starts_with("https:") {
        return Ok(endpoint);
    }
    let advice = || format!("name a file with those to trust with {}", server.authorities_setting);
    let roots = authorities(server.authorities, advice)?;
    let mut tls = ClientTlsConfig::new().trust_anchors(roots.roots);
    if let Some(ClientCertificate { certificate, key }) = server.client {
        let read = |what: &str, path: &Path| std::fs::read(path).map_err(|error| unreadable(what, path, &error));
        tls = tls.identity(Identity::from_pem(read("certificate", certificate)?, read("key", key)?));
    }
    if let Some(name) = server.authority {
        // Without a port, which no certificate names.
        tls = tls.domain_name(name.rsplit_once(':').map_or(name, |(host, _)| host));
    }
    endpoint.tls_config(tls).map_err(unusable)
}

fn unreachable(server: Connecting<'_>, error: &Error) -> Problem {
    let (name, cause) = (server.name, innermost(error));
    let (message, help) = match is_about_certificates(error) {
        _ if is_without_encryption(error) => (
            format!("{name} answers without encryption"),
            format!("ask it without encryption, or correct {}", server.setting),
        ),
        true => (
            format!("{name} does not prove who it is: {cause}"),
            format!(
                "name a file with the authority that signed its certificate with {}, and call the server by the name in \
                 its certificate",
                server.authorities_setting
            ),
        ),
        false => (format!("{name} cannot be reached: {cause}"), format!("start it, or correct {}", server.setting)),
    };
    Problem::new(Kind::Unavailable, message, help)
}

/// Messages as their bytes, for those who read and write them themselves, servers and clients.
#[derive(Debug, Clone, Copy, Default)]
pub struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
