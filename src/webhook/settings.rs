//! How the server behaves.

use std::time::Duration;

use crate::daemon::{CertificateFiles, TelemetrySettings};

use super::Tokens;

/// What is told to a server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A name or address of this machine.
    pub host: String,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Certificate and key, for TLS.
    pub certificate: Option<CertificateFiles>,
    /// What those have to know who tell of events.
    pub tokens: Tokens,
    /// Where URLs may be visited that confirm subscriptions: schemes with hosts and ports.
    pub subscriptions: Vec<String>,
    /// How long the answer to a request may take, from when its head is read.
    pub deadline: Duration,
    /// How many bytes the body of a request may have.
    pub body_limit: usize,
    /// How many requests are worked on at a time; others are sent away.
    pub most_requests: usize,
    /// With so many jobs that are not done events are sent away.
    pub most_waiting: u64,
    /// How many jobs are done at a time.
    pub workers: usize,
    /// A job that fails so often is dead.
    pub most_attempts: u32,
    /// How long a connection may take until the head of its next request is there.
    pub idle_limit: Duration,
    /// How long requests and jobs that are being worked on may take at the end.
    pub end_limit: Duration,
    /// What is told of requests and jobs.
    pub telemetry: TelemetrySettings,
}
