//! The life of the server: it listens, notes, works, and ends when it is told to.

use std::{
    future::Future,
    net::SocketAddr,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use axum_server::{Handle, Server};
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::JoinSet,
    time::{sleep, timeout_at},
};

use super::{
    Settings,
    receive::router,
    state::State,
    told::{count, tell},
};
use crate::{
    app::{
        Caller,
        entity_index::{Done, Indexer, Until, work},
    },
    clients::runtime::blocking,
    daemon::{Certificate, answer, listen, tell_metrics, tell_when_it_is_away},
    problem::Problem,
};

/// How often it is looked how jobs stand.
const PAUSE: Duration = Duration::from_secs(5);

/// The protocol of connections with TLS.
const HTTP: &[u8] = b"http/1.1";

/// Takes events and does what they ask for until `end` comes; then what is being answered and done. What happens is told in
/// the log.
///
/// # Errors
/// When an address is taken or none of this machine, or a certificate cannot be read.
pub async fn serve(
    indexer: Indexer,
    caller: &Caller,
    settings: Settings,
    end: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Problem> {
    let certificate = settings.certificate.clone().map(|files| Certificate::read(files, HTTP)).transpose()?;
    let listener = listen(&settings.host, settings.port).await?;
    let address = listener.local_addr()?;
    let end_limit = settings.end_limit;
    let state = Arc::new(State::new(indexer, caller, settings)?);
    let telemetry = Arc::clone(&state.telemetry);
    // They end with the server.
    let mut beside = JoinSet::new();
    tell_metrics(&mut beside, &telemetry, &state.settings.telemetry, state.settings.idle_limit).await?;
    beside.spawn(look_at_jobs(Arc::clone(&state)));
    let store = Arc::clone(state.indexer.store());
    beside.spawn(tell_when_it_is_away(move || store.registry_status()));
    let worked = begin_to_work(&state)?;
    let handle = Handle::new();
    let server = server(listener, &state.settings, handle.clone());
    let ended = tokio::spawn(async move {
        end.await;
        tracing::info!("Ending: what is being answered and done is finished");
        handle.graceful_shutdown(Some(end_limit));
    });
    tracing::info!("Listening on {}://{address}", if certificate.is_some() { "https" } else { "http" });
    tracing::info!("The index is {}", state.indexer.place());
    answer(server, certificate, router(Arc::clone(&state)), &mut beside).await?;
    // It has told the server to end, and cannot have panicked.
    let _ = ended.await;
    state.work.end();
    let now = Instant::now();
    if timeout_at(now.checked_add(end_limit).unwrap_or(now).into(), worked).await.is_err() {
        tracing::warn!("Jobs are cut off; they are begun again");
    }
    telemetry.end(end_limit).await;
    Ok(())
}

/// Measures how the jobs of all servers of the index stand, as long as it is waited for.
async fn look_at_jobs(state: Arc<State>) {
    while state.metrics().is_some() {
        let looked = Arc::clone(&state);
        let act = move || {
            let standing = looked.indexer.standing()?;
            if let Some(metrics) = looked.metrics() {
                let counts = [("waiting", standing.waiting), ("running", standing.running), ("dead", standing.dead)];
                metrics.stands(counts, standing.lag);
            }
            Ok::<_, Problem>(())
        };
        // While the index is away its workers say so.
        let _ = blocking(act).await;
        sleep(PAUSE).await;
    }
}

/// Begins to work on threads of their own. What comes back ends when they have.
fn begin_to_work(state: &Arc<State>) -> Result<oneshot::Receiver<()>, Problem> {
    let (ended, worked) = oneshot::channel();
    let state = Arc::clone(state);
    let act = move || {
        let settings = &state.settings;
        let how = (settings.workers, Until::Told, settings.most_attempts);
        let tell = |done: &Done| {
            tell(done);
            if let Some(metrics) = state.metrics() {
                count(done, metrics);
            }
        };
        if let Err(problem) = work(&state.indexer, &state.work, how, &tell) {
            tracing::error!("The workers have ended: {problem}");
        }
        // Who waits for it may be gone.
        let _ = ended.send(());
    };
    thread::Builder::new().name("workers".to_owned()).spawn(act)?;
    Ok(worked)
}

/// A server of HTTP that idle clients do not hold.
fn server(listener: TcpListener, settings: &Settings, handle: Handle<SocketAddr>) -> Server<SocketAddr> {
    let mut server = Server::<SocketAddr>::from_listener(listener).http1_only().handle(handle);
    server = server.first_request_timeout(settings.idle_limit);
    server.http_builder().http1().header_read_timeout(settings.idle_limit);
    server
}
