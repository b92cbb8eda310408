//! What goes on beside a server: metrics that are read on a port of their own, or sent.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum_server::{Handle, Server, accept::NoDelayAcceptor};
use tokio::task::JoinSet;

use super::{TelemetrySettings, listen, telemetry::Telemetry};
use crate::problem::Problem;

/// Begins to tell metrics, as the settings want it; it ends with the set.
///
/// # Errors
/// When the port of metrics is taken, or the host is none of this machine.
pub(crate) async fn tell_metrics(
    beside: &mut JoinSet<()>,
    telemetry: &Arc<Telemetry>,
    settings: &TelemetrySettings,
    idle_limit: Duration,
) -> Result<(), Problem> {
    if let (Some(metrics), Some(exposed)) = (&settings.metrics, telemetry.exposed()) {
        let listener = listen(&metrics.host, metrics.port).await?;
        tracing::info!("Metrics on http://{}/metrics", listener.local_addr()?);
        let mut server = Server::<SocketAddr>::from_listener(listener).http1_only().handle(Handle::new());
        server = server.first_request_timeout(idle_limit);
        server.http_builder().http1().header_read_timeout(idle_limit);
        let server = server.acceptor(NoDelayAcceptor::new());
        beside.spawn(async move {
            if let Err(error) = server.serve(exposed.into_make_service()).await {
                tracing::error!("nobody is told metrics any more: {error}");
            }
        });
    }
    if let Some(sending) = telemetry.sending() {
        beside.spawn(sending);
    }
    Ok(())
}
