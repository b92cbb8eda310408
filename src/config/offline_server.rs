//! The settings of an offline store behind an offline server.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::resolve;
use crate::{
    diagnostics::Diagnostics,
    yaml::{Node, Read as _, Spanned, record},
};

const DEFAULT_PORT: i64 = 8815;
const DEFAULT_RETRIES: i64 = 3;

/// An offline server of Feast or of feastr, which reads the sources (Arrow Flight).
///
/// Shown as its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteOfflineConfig {
    /// A name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether what goes to and fro is encrypted.
    pub is_encrypted: bool,
    /// File with the certificates of the authorities to trust; those of the system if there is none.
    pub authorities: Option<PathBuf>,
    /// How often connecting is tried again.
    pub retries: u32,
}

impl RemoteOfflineConfig {
    /// The settings of the store as they are understood.
    pub(super) fn settings(&self) -> Value {
        json!({
            "type": "remote",
            "host": self.host,
            "port": self.port,
            "scheme": self.scheme(),
            "cert": self.authorities,
            "connection_retries": self.retries,
        })
    }

    fn scheme(&self) -> &'static str {
        if self.is_encrypted { "https" } else { "http" }
    }
}

impl fmt::Display for RemoteOfflineConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, port) = (self.scheme(), self.port);
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{port}", self.host),
            false => write!(f, "{scheme}://{}:{port}", self.host),
        }
    }
}

record! {
    /// An offline store behind an offline server, Feast's or that of feastr, which reads the sources.
    pub(super) struct RawRemoteOffline, "the settings of the remote offline store";
    required {
        /// `remote`.
        r#type: String,
        /// The server: a name or an address.
        host: Spanned<String>,
    }
    optional {
        /// File with the certificates of the authorities that are trusted; without one those of the system are.
        cert: Spanned<String>,
    }
    placed {
        /// `http`, or `https` for a server that encrypts what goes to and fro.
        scheme: String = "http",
        /// Its port.
        port: i64 = DEFAULT_PORT,
        /// How often connecting is tried again. What has reached the server is not sent twice.
        connection_retries: i64 = DEFAULT_RETRIES,
    }
}

/// The store of a mapping with `type: remote`.
pub(super) fn read(node: &Node, folder: &Path, diagnostics: &mut Diagnostics) -> Option<RemoteOfflineConfig> {
    let raw = RawRemoteOffline::read(node, diagnostics)?;
    let host = raw.host.value.trim();
    // A port or a scheme that stands here would be overlooked.
    let is_host = !host.is_empty() && !host.contains(['/', '@', ' ']) && (!host.contains(':') || host.contains("::"));
    if !is_host {
        let help = "write host: features.example.com, port: 8815, scheme: https".to_owned();
        diagnostics.error_with_help(&raw.host.span, "`host` is the name or the address of a server alone", help);
    }
    let is_encrypted = match raw.scheme.value.as_str() {
        "http" => Some(false),
        "https" => Some(true),
        _ => {
            let help = "write http, or https for a server that encrypts".to_owned();
            diagnostics.error_with_help(&raw.scheme.span, "`scheme` is none of an offline server", help);
            None
        }
    };
    let port = u16::try_from(raw.port.value).ok().filter(|port| *port > 0);
    if port.is_none() {
        diagnostics.error(&raw.port.span, "`port` is a number from 1 to 65535".to_owned());
    }
    let retries = u32::try_from(raw.connection_retries.value).ok();
    if retries.is_none() {
        diagnostics
            .error(&raw.connection_retries.span, format!("`connection_retries` is a number from 0 to {}", u32::MAX));
    }
    // Feast's default is an empty text.
    let authorities = raw.cert.filter(|file| !file.value.is_empty());
    if let (Some(file), Some(false)) = (&authorities, is_encrypted) {
        diagnostics.warning(
            &file.span,
            "`cert` has no effect: nothing is encrypted on the way to a server with `scheme: http`",
            "write `scheme: https`, or leave it out".to_owned(),
        );
    }
    Some(RemoteOfflineConfig {
        host: is_host.then(|| host.to_owned())?,
        port: port?,
        is_encrypted: is_encrypted?,
        authorities: authorities.map(|file| resolve(folder, &file.value)),
        retries: retries?,
    })
}
