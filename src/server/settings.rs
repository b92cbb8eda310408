//! How the server behaves.

use std::time::Duration;

use crate::daemon::{CertificateFiles, TelemetrySettings};

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
