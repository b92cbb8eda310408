//! The life of a server: it listens, answers, and ends when it is told to.

use std::{any::Any, future::Future, net::SocketAddr, sync::Arc, time::Duration};

use arrow_flight::flight_service_server::FlightServiceServer;
use axum_server::{Handle, Server};
use tokio::{net::TcpListener, task::JoinSet, time::sleep};
use tonic::{Status, body::Body, server::NamedService, service::Routes};
use tonic_health::{
    ServingStatus,
    server::{HealthReporter, health_reporter},
};
use tower_http::catch_panic::CatchPanicLayer;

use super::{service::Calls, settings::Settings, state::State};
use crate::{
    app::{FeatureStore, Gate},
    clients::runtime::blocking,
    daemon::{Certificate, answer, listen, tell_metrics, tell_when_it_is_away, tell_who_may_ask},
    problem::Problem,
};

/// The protocol of connections with TLS.
const HTTP: &[u8] = b"h2";

/// How often what can wait is looked at.
const PAUSE: Duration = Duration::from_secs(1);

/// How many bytes may be on their way to the server on a connection, and in each call of it.
const WINDOWS: [u32; 2] = [16 << 20, 4 << 20];

/// How often a connection on which nothing comes is tried.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Answers calls until `end` comes, and then those that are being answered. What happens is told in the log.
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
    let scheme = if certificate.is_some() { "grpc+tls" } else { "grpc+tcp" };
    let location = format!("{scheme}://{}:{}", settings.host, address.port());
    let state = Arc::new(State::new(store, gate, location, settings)?);
    let telemetry = Arc::clone(&state.telemetry);
    // They end with the server.
    let mut beside = JoinSet::new();
    tell_metrics(&mut beside, &telemetry, &settings.telemetry, settings.idle_limit).await?;
    let (health, health_service) = health_reporter();
    tell_health(&health, ServingStatus::NotServing).await;
    beside.spawn(warm_up(Arc::clone(&state), health.clone()));
    let store = Arc::clone(&state.store);
    beside.spawn(tell_when_it_is_away(move || store.registry_status()));
    beside.spawn(sweep(Arc::clone(&state)));
    let calls = FlightServiceServer::new(Calls(state))
        .max_decoding_message_size(settings.message_limit)
        .max_encoding_message_size(usize::MAX);
    let router = Routes::new(calls).add_service(health_service).prepare().into_axum_router();
    let router = router.layer(CatchPanicLayer::custom(panicked));
    let handle = Handle::new();
    let server = server(listener, settings, handle.clone());
    let ended = tokio::spawn(ending(health, handle, settings.end_limit, end));
    tracing::info!("Listening on {scheme}://{address}");
    answer(server, certificate, router, &mut beside).await?;
    // It has told the server to end, and cannot have panicked.
    let _ = ended.await;
    telemetry.end(settings.end_limit).await;
    Ok(())
}

/// A server of HTTP/2 that idle clients do not hold, and that learns when one has vanished.
fn server(listener: TcpListener, settings: &Settings, handle: Handle<SocketAddr>) -> Server<SocketAddr> {
    let mut server = Server::<SocketAddr>::from_listener(listener).http2_only().handle(handle);
    server = server.first_request_timeout(settings.idle_limit);
    let [connection, call] = WINDOWS;
    server
        .http_builder()
        .http2()
        .initial_connection_window_size(connection)
        .initial_stream_window_size(call)
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE);
    server
}

/// The server is healthy when it knows what is registered.
async fn warm_up(state: Arc<State>, health: HealthReporter) {
    loop {
        let store = Arc::clone(&state.store);
        if blocking(move || store.registered().map(drop)).await.is_ok() {
            break;
        }
        sleep(PAUSE).await;
    }
    tell_health(&health, ServingStatus::Serving).await;
    let store = Arc::clone(&state.store);
    tell_who_may_ask(Arc::clone(&state.gate), move |gate| gate.notices(&store, &*store.registered_permissions()?))
        .await;
}

/// Tells those who ask of the server, and of its service.
async fn tell_health(health: &HealthReporter, status: ServingStatus) {
    for service in ["", <FlightServiceServer<Calls> as NamedService>::NAME] {
        health.set_service_status(service, status).await;
    }
}

/// Lets go of what nobody asks for any more.
async fn sweep(state: Arc<State>) {
    loop {
        sleep(PAUSE).await;
        state.tickets.sweep();
    }
}

/// Waits for the end, and lets what is being answered finish.
async fn ending(health: HealthReporter, handle: Handle<SocketAddr>, limit: Duration, end: impl Future<Output = ()>) {
    end.await;
    tell_health(&health, ServingStatus::NotServing).await;
    tracing::info!("Ending: commands that are being carried out are finished");
    handle.graceful_shutdown(Some(limit));
}

/// The answer where a call has a mistake of the program. It was told when it happened, with its place.
fn panicked(_: Box<dyn Any + Send + 'static>) -> axum::http::Response<Body> {
    Status::internal("the server has a mistake, which it wrote to its log").into_http()
}
