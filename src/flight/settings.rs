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
    /// How many commands are carried out at a time; others wait.
    pub most_running: usize,
    /// How many may wait; others are sent away.
    pub most_waiting: usize,
    /// How long one may wait until it begins.
    pub longest_wait: Duration,
    /// How long one may take, from when it begins.
    pub deadline: Duration,
    /// How long a client may take until it sends or takes the next rows.
    pub idle_limit: Duration,
    /// How many bytes a client may send with a command.
    pub upload_limit: usize,
    /// How many bytes one message of a client may have.
    pub message_limit: usize,
    /// How long rows are kept that came before they are asked for.
    pub ticket_limit: Duration,
    /// How long commands that are being carried out may take at the end.
    pub end_limit: Duration,
    /// What it tells of its commands.
    pub telemetry: TelemetrySettings,
}
