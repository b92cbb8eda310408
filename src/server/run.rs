//! The life of a server: it listens, answers, and ends when it is told to.

use std::{future::Future, net::SocketAddr, sync::Arc};

use axum_server::{Handle, Server, accept::NoDelayAcceptor, tls_rustls::RustlsAcceptor};
use tokio::{net::TcpListener, task::JoinSet, time::sleep};

use super::{
    notice::{Notice, Notices},
    router::router,
    settings::Settings,
    state::State,
    tls::Certificate,
};
use crate::{
    app::{Caller, FeatureStore},
    problem::{Kind, Problem},
};

/// Answers requests until `end` comes, and then those that are being answered.
///
/// # Errors
/// When the address is taken or none of this machine, or the certificate cannot be read.
pub async fn serve(
    store: Arc<FeatureStore>,
    caller: Caller,
    settings: &Settings,
    notices: Notices,
    end: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Problem> {
    let certificate = settings.certificate.clone().map(Certificate::read).transpose()?;
    let listener = listen(&settings.host, settings.port).await?;
    let address = listener.local_addr()?;
    let state = Arc::new(State::new(store, caller, settings));
    let handle = Handle::new();
    let mut server = Server::<SocketAddr>::from_listener(listener).http1_only().handle(handle.clone());
    server = server.first_request_timeout(settings.idle_limit);
    server.http_builder().http1().header_read_timeout(settings.idle_limit);
    // They end with the server.
    let mut beside = JoinSet::new();
    beside.spawn(warm_up(Arc::clone(&state)));
    beside.spawn(ending(Arc::clone(&state), handle, settings.clone(), Arc::clone(&notices), end));
    let service = router(state).into_make_service();
    let encrypted = certificate.is_some();
    notices(&Notice::Listening { encrypted, address });
    match certificate {
        Some(certificate) => {
            let acceptor = RustlsAcceptor::new(certificate.config()).acceptor(NoDelayAcceptor::new());
            beside.spawn(certificate.watch(notices));
            server.acceptor(acceptor).serve(service).await?;
        }
        None => server.acceptor(NoDelayAcceptor::new()).serve(service).await?,
    }
    Ok(())
}

/// The first request finds what is registered, and connections that are open.
async fn warm_up(state: Arc<State>) {
    state.ready().await;
}

/// Waits for the end, and lets what is being answered finish.
async fn ending(
    state: Arc<State>,
    handle: Handle<SocketAddr>,
    settings: Settings,
    notices: Notices,
    end: impl Future<Output = ()>,
) {
    end.await;
    state.end();
    notices(&Notice::Ending);
    sleep(settings.end_delay).await;
    handle.graceful_shutdown(Some(settings.end_limit));
}

async fn listen(host: &str, port: u16) -> Result<TcpListener, Problem> {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let failed = |error: std::io::Error| {
        let help = match error.kind() {
            std::io::ErrorKind::AddrInUse => Some("choose another port, or end the program that has it".to_owned()),
            _ => None,
        };
        Problem::new(Kind::Unavailable, format!("cannot listen on {host} port {port}: {error}"), help)
    };
    TcpListener::bind((host, port)).await.map_err(failed)
}
