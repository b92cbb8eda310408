//! What is told to all servers.

use std::path::PathBuf;

use crate::config::OtlpConfig;

/// What a server tells of its requests, besides what the settings of the repo want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetrySettings {
    /// Whether each request has a line in the log, if that much is said.
    pub access_log: bool,
    /// Where Prometheus reads metrics; `None` if it does not.
    pub metrics: Option<MetricsAddress>,
    /// Where traces and metrics are sent; `None` if they are not.
    pub otlp: Option<OtlpConfig>,
}

/// Where Prometheus reads metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsAddress {
    /// A name or address of this machine.
    pub host: String,
    /// The port; 0 takes a free one.
    pub port: u16,
}

/// Files in PEM format, which are read again when they change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, and those that lead to an authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}
