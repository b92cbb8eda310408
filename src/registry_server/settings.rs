//! How the server behaves.

use std::{num::NonZeroUsize, time::Duration};

use crate::daemon::{CertificateFiles, TelemetrySettings};

/// What is told to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// A name or address of this machine.
    pub host: String,
    /// The port of gRPC, if it is served; 0 takes a free one.
    pub grpc_port: Option<u16>,
    /// The port of the REST API, if it is served; 0 takes a free one.
    pub rest_port: Option<u16>,
    /// Certificate and key, for TLS.
    pub certificate: Option<CertificateFiles>,
    /// How many calls that read are carried out at a time, and how many that change something; others are sent away.
    pub most_running: NonZeroUsize,
    /// How many locks of views clients hold at a time.
    pub most_held: NonZeroUsize,
    /// How long one may take.
    pub deadline: Duration,
    /// How long a connection may take until its first request is there.
    pub idle_limit: Duration,
    /// How many bytes one message of a client may have.
    pub message_limit: usize,
    /// How long calls that are being carried out may take at the end.
    pub end_limit: Duration,
    /// What it tells of its calls.
    pub telemetry: TelemetrySettings,
}
