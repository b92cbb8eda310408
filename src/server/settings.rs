//! How the server behaves.

use std::{path::PathBuf, time::Duration};

use crate::config::OtlpConfig;

/// What is told to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// A name or address of this machine.
    pub host: String,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Certificate and key, for TLS.
    pub certificate: Option<CertificateFiles>,
    /// How long the answer to a request may take, from when its head is read.
    pub deadline: Duration,
    /// How many bytes the body of a request may have.
    pub body_limit: usize,
    /// How many requests are worked on at a time; others are sent away.
    pub most_requests: usize,
    /// How long a request that writes rows may take, from when its head is read.
    pub write_deadline: Duration,
    /// How many bytes the body of such a request may have.
    pub write_body_limit: usize,
    /// Whether rows and ends of materializations may be of a moment that is not there yet.
    pub allow_future: bool,
    /// Materializations that are carried out at a time; others wait.
    pub materializations: usize,
    /// How long a connection may take until the head of its next request is there.
    pub idle_limit: Duration,
    /// How long it goes on answering after it is to end, while it says that it is not ready.
    pub end_delay: Duration,
    /// How long requests that are being answered may take at the end.
    pub end_limit: Duration,
    /// What it tells of its requests.
    pub telemetry: TelemetrySettings,
}

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
