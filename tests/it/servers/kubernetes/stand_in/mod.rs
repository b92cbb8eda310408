//! A strict stand-in for the API server of Kubernetes: it reviews tokens and accesses by role bindings that are there, lists
//! and watches them, and refuses what the real one refuses, in the same shapes (`tests/golden/kubernetes`). Over TLS, in memory.

mod answer;
mod cluster;
mod place;
mod rbac;

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use axum::Router;
use axum_server::{Handle, tls_rustls::RustlsConfig};
pub use cluster::Recorded;
use cluster::{Cluster, web_token};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::runtime::Runtime;

use super::{
    super::{free_port, server_certificate},
    Runs, ended_claims,
};

/// The stand-in.
pub struct StandIn {
    address: SocketAddr,
    folder: tempfile::TempDir,
    state: Arc<State>,
    handle: Option<Handle<SocketAddr>>,
    runtime: Runtime,
}

/// What it knows, and who is waiting for changes.
pub struct State {
    cluster: Mutex<Cluster>,
    changed: tokio::sync::watch::Sender<u64>,
}

impl State {
    fn cluster(&self) -> MutexGuard<'_, Cluster> {
        self.cluster.lock().unwrap()
    }

    /// Changes something, and tells those who watch.
    fn change<T>(&self, change: impl FnOnce(&mut Cluster) -> T) -> T {
        let mut cluster = self.cluster();
        let result = change(&mut cluster);
        self.changed.send_replace(cluster.version());
        result
    }
}

impl StandIn {
    /// Starts it.
    pub fn start() -> (Self, SocketAddr) {
        let folder = tempfile::tempdir().unwrap();
        server_certificate(folder.path());
        let state = Arc::new(State { cluster: Mutex::default(), changed: tokio::sync::watch::channel(0).0 });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut server = Self { address, folder, state, handle: None, runtime };
        server.restart();
        (server, address)
    }

    fn tls(&self) -> Arc<ServerConfig> {
        let file = |name: &str| self.folder.path().join(name);
        let chain = CertificateDer::pem_file_iter(file("server.crt")).unwrap().collect::<Result<_, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap())
    }
}

impl Runs for StandIn {
    fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn stop(&mut self) {
        let handle = self.handle.take().expect("it runs");
        handle.shutdown();
        let began = Instant::now();
        while std::net::TcpStream::connect(self.address).is_ok() {
            assert!(began.elapsed() < Duration::from_secs(10), "it still listens");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn restart(&mut self) {
        let listener = TcpListener::bind(self.address).unwrap();
        let router = Router::new().fallback(answer::answer).with_state(Arc::clone(&self.state));
        let tls = RustlsConfig::from_config(self.tls());
        let handle = Handle::new();
        let server = self.runtime.block_on(async { axum_server::from_tcp_rustls(listener, tls) }).unwrap();
        self.runtime.spawn(server.handle(handle.clone()).serve(router.into_make_service()));
        self.handle = Some(handle);
    }

    fn forget(&mut self) {
        self.state.change(Cluster::forget);
    }

    fn cut_watches(&mut self) {
        self.state.change(Cluster::cut);
    }

    fn asked(&self, what: &str) -> usize {
        self.state.cluster().asked(what)
    }

    fn ended_token(&self, account: (&str, &str), uid: &str, audience: &str) -> String {
        // Nobody has to forget it: it is none.
        web_token(&ended_claims(account, uid, audience))
    }

    fn replay(&self, recorded: Recorded) {
        self.state.cluster().replay(recorded);
    }
}
