//! The life of a server: it listens, answers, and ends when it is told to.

use std::{future::Future, net::SocketAddr, sync::Arc};

use axum_server::{Handle, Server};
use tokio::{net::TcpListener, task::JoinSet, time::sleep};

use super::{router::router, settings::Settings, state::State};
use crate::{
    app::{FeatureStore, Gate},
    daemon::{Certificate, answer, deadline, listen, tell_metrics, tell_when_it_is_away, tell_who_may_ask},
    problem::Problem,
};

/// The protocol of connections with TLS.
const HTTP: &[u8] = b"http/1.1";

/// Answers requests until `end` comes, and then those that are being answered. What happens is told in the log.
///
/// # Errors
/// When an address is taken or none of this machine, or a certificate cannot be read.
pub async fn serve(
    store: Arc<FeatureStore>,
    gate: Gate,
    settings: &Settings,
    end: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Problem> {
    let certificate = settings.certificate.clone().map(|files| Certificate::read(files, HTTP)).transpose()?;
    let listener = listen(&settings.host, settings.port).await?;
    let address = listener.local_addr()?;
    let state = Arc::new(State::new(store, gate, settings)?);
    let telemetry = Arc::clone(&state.telemetry);
    // They end with the server.
    let mut beside = JoinSet::new();
    tell_metrics(&mut beside, &telemetry, &settings.telemetry, settings.idle_limit).await?;
    let handle = Handle::new();
    let server = server(listener, settings, handle.clone());
    beside.spawn(warm_up(Arc::clone(&state)));
    let store = Arc::clone(&state.store);
    beside.spawn(tell_when_it_is_away(move || store.registry_status()));
    let ended = tokio::spawn(ending(Arc::clone(&state), handle, settings.clone(), end));
    tracing::info!("Listening on {}://{address}", if certificate.is_some() { "https" } else { "http" });
    answer(server, certificate, router(state), &mut beside).await?;
    // It has told the server to end, and cannot have panicked.
    let _ = ended.await;
    telemetry.end(settings.end_limit).await;
    Ok(())
}

/// A server of HTTP that idle clients do not hold.
fn server(listener: TcpListener, settings: &Settings, handle: Handle<SocketAddr>) -> Server<SocketAddr> {
    let mut server = Server::<SocketAddr>::from_listener(listener).http1_only().handle(handle);
    server = server.first_request_timeout(settings.idle_limit);
    server.http_builder().http1().header_read_timeout(settings.idle_limit);
    server
}

/// The first request finds what is registered, connections that are open, and the keys of who signs tokens.
async fn warm_up(state: Arc<State>) {
    state.ready().await;
    let store = Arc::clone(&state.store);
    tell_who_may_ask(Arc::clone(&state.gate), move |gate| gate.notices(&store, &*store.registered_permissions()?))
        .await;
}

/// Waits for the end, and lets what is being answered and materialized finish.
async fn ending(state: Arc<State>, handle: Handle<SocketAddr>, settings: Settings, end: impl Future<Output = ()>) {
    end.await;
    state.end();
    tracing::info!("Ending: requests that are being answered are finished");
    sleep(settings.end_delay).await;
    let deadline = deadline(settings.end_limit);
    handle.graceful_shutdown(Some(settings.end_limit));
    if !state.jobs.ended(deadline).await {
        tracing::warn!("Materializations are cut off; they can be done again");
    }
}
