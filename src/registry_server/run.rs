//! The life of a server: it listens, answers, and ends when it is told to.

use std::{any::Any, future::Future, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use axum_server::{Handle, Server};
use futures_util::future::try_join_all;
use tokio::{net::TcpListener, task::JoinSet, time::sleep};
use tonic::{Status, body::Body, service::Routes};
use tonic_health::{
    ServingStatus,
    server::{HealthReporter, health_reporter},
};
use tower_http::catch_panic::CatchPanicLayer;

use super::{own::OwnCalls, rest, service::Calls, settings::Settings, state::State};
use crate::{
    app::{
        Gate,
        registered::{Freshness, SharedRegistry},
    },
    clients::runtime::blocking,
    daemon::{Certificate, answer, listen, tell_metrics, tell_when_it_is_away, tell_who_may_ask},
    feast::registry_server::{SERVICE, descriptor},
    problem::{Kind, Problem},
    registry::remote::protocol,
};

/// How often what can wait is looked at.
const PAUSE: Duration = Duration::from_secs(1);

/// How often a connection on which nothing comes is tried.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Answers calls until `end` comes, and then those that are being answered. What happens is told in the log.
///
/// # Errors
/// When an address is taken or none of this machine, or a certificate cannot be read.
pub async fn serve(
    registry: SharedRegistry,
    gate: Gate,
    settings: &Settings,
    end: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Problem> {
    let state = Arc::new(State::new(registry, gate, settings)?);
    let telemetry = Arc::clone(&state.telemetry);
    let (health, health_service) = health_reporter();
    tell_health(&health, ServingStatus::NotServing).await;
    let mut faces = Vec::new();
    if let Some(port) = settings.grpc_port {
        let own = OwnCalls(Arc::clone(&state));
        let mut routes = Routes::new(Calls(Arc::clone(&state))).add_service(own).add_service(health_service);
        // Clients ask for both of its versions.
        routes = routes.add_service(reflection().build_v1().map_err(undescribed)?);
        routes = routes.add_service(reflection().build_v1alpha().map_err(undescribed)?);
        let router = routes.prepare().into_axum_router().layer(CatchPanicLayer::custom(panicked));
        faces.push(Face::listen(Protocol::Grpc, port, router, settings).await?);
    }
    if let Some(port) = settings.rest_port {
        faces.push(Face::listen(Protocol::Rest, port, rest::router(&state), settings).await?);
    }
    // They end with the server.
    let mut beside = JoinSet::new();
    tell_metrics(&mut beside, &telemetry, &settings.telemetry, settings.idle_limit).await?;
    beside.spawn(warm_up(Arc::clone(&state), health.clone()));
    let of_watch = Arc::clone(&state);
    beside.spawn(tell_when_it_is_away(move || of_watch.registry.status()));
    let handles = faces.iter().map(|face| face.handle.clone()).collect();
    let ended = tokio::spawn(ending((health, Arc::clone(&state)), handles, settings.end_limit, end));
    try_join_all(faces.into_iter().map(Face::answer)).await?;
    // It has told the server to end, and cannot have panicked.
    let _ = ended.await;
    telemetry.end(settings.end_limit).await;
    Ok(())
}

/// A protocol of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Grpc,
    Rest,
}

impl Protocol {
    /// The protocol below it on connections with TLS.
    const fn of_connections(self) -> &'static [u8] {
        match self {
            Self::Grpc => b"h2",
            Self::Rest => b"http/1.1",
        }
    }

    const fn scheme(self, is_encrypted: bool) -> &'static str {
        match (self, is_encrypted) {
            (Self::Grpc, false) => "grpc",
            (Self::Grpc, true) => "grpcs",
            (Self::Rest, false) => "http",
            (Self::Rest, true) => "https",
        }
    }
}

/// One protocol at its address.
struct Face {
    server: Server<SocketAddr>,
    certificate: Option<Certificate>,
    router: Router,
    handle: Handle<SocketAddr>,
}

impl Face {
    /// From now on connections are taken.
    async fn listen(protocol: Protocol, port: u16, router: Router, settings: &Settings) -> Result<Self, Problem> {
        let read = |files| Certificate::read(files, protocol.of_connections());
        let certificate = settings.certificate.clone().map(read).transpose()?;
        let listener = listen(&settings.host, port).await?;
        let address = listener.local_addr()?;
        let handle = Handle::new();
        let server = match protocol {
            Protocol::Grpc => grpc_server(listener, settings, handle.clone()),
            Protocol::Rest => rest_server(listener, settings, handle.clone()),
        };
        tracing::info!("Listening on {}://{address}", protocol.scheme(certificate.is_some()));
        Ok(Self { server, certificate, router, handle })
    }

    /// Answers until the handle says to end.
    async fn answer(self) -> Result<(), Problem> {
        // The watch on the certificate ends with it.
        answer(self.server, self.certificate, self.router, &mut JoinSet::new()).await
    }
}

/// What the server says of its services.
fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_file_descriptor_set(descriptor())
        .register_file_descriptor_set(protocol::descriptor())
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

fn undescribed(error: tonic_reflection::server::Error) -> Problem {
    Problem::new(Kind::Internal, format!("the services cannot be described: {error}"), None)
}

/// A server of HTTP/2 that idle clients do not hold, and that learns when one has vanished.
fn grpc_server(listener: TcpListener, settings: &Settings, handle: Handle<SocketAddr>) -> Server<SocketAddr> {
    let mut server = Server::<SocketAddr>::from_listener(listener).http2_only().handle(handle);
    server = server.first_request_timeout(settings.idle_limit);
    server.http_builder().http2().keep_alive_interval(KEEP_ALIVE).keep_alive_timeout(KEEP_ALIVE);
    server
}

/// A server of HTTP/1 that idle clients do not hold.
fn rest_server(listener: TcpListener, settings: &Settings, handle: Handle<SocketAddr>) -> Server<SocketAddr> {
    let mut server = Server::<SocketAddr>::from_listener(listener).http1_only().handle(handle);
    server = server.first_request_timeout(settings.idle_limit);
    server.http_builder().http1().header_read_timeout(settings.idle_limit);
    server
}

/// The server is healthy when it knows what is registered.
async fn warm_up(state: Arc<State>, health: HealthReporter) {
    let own_project = |state: &State| state.registry.objects(state.registry.store().project(), Freshness::Kept);
    loop {
        let state = Arc::clone(&state);
        if blocking(move || own_project(&state).map(drop)).await.is_ok() {
            break;
        }
        sleep(PAUSE).await;
    }
    tell_health(&health, ServingStatus::Serving).await;
    let gate = Arc::clone(&state.gate);
    let notices = move |gate: &Gate| gate.notices(state.registry.store(), own_project(&state)?.rights.permissions());
    tell_who_may_ask(gate, notices).await;
}

/// Tells those who ask of the server, and of its service.
async fn tell_health(health: &HealthReporter, status: ServingStatus) {
    for service in ["", SERVICE, protocol::SERVICE] {
        health.set_service_status(service, status).await;
    }
}

/// Waits for the end, and lets what is being answered finish, and datasets that are being made.
async fn ending(
    (health, state): (HealthReporter, Arc<State>),
    handles: Vec<Handle<SocketAddr>>,
    limit: Duration,
    end: impl Future<Output = ()>,
) {
    end.await;
    tell_health(&health, ServingStatus::NotServing).await;
    tracing::info!("Ending: calls that are being answered are finished");
    handles.iter().for_each(|handle| handle.graceful_shutdown(Some(limit)));
    state.datasets.end(limit).await;
}

/// The answer where a call has a mistake of the program. It was told when it happened, with its place.
fn panicked(_: Box<dyn Any + Send + 'static>) -> axum::http::Response<Body> {
    Status::internal("the server has a mistake, which it wrote to its log").into_http()
}
