//! A strict stand-in for the API server of Kubernetes: it reviews tokens and accesses by role bindings that are there, lists
//! and watches them, and refuses what the real one refuses. Over TLS, in memory.

mod answer;
mod cluster;
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
use cluster::Cluster;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;

use super::server_certificate;
use crate::support::Project;

/// Who tokens are for that are asked for without an audience: the API server itself.
pub const OWN_AUDIENCE: &str = "https://kubernetes.default.svc";

/// The token of an administrator of the cluster.
pub const ADMIN: &str = "admin-token";

/// Who asks it as a server of features: this account in this namespace, which may review tokens and accesses and watch roles.
pub const NAMESPACE: &str = "feast";
pub const ACCOUNT: &str = "feastr";

/// A running API server.
pub struct ApiServer {
    pub address: SocketAddr,
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

impl ApiServer {
    /// Starts it, with the account of a server of features.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        server_certificate(folder.path());
        let state = Arc::new(State { cluster: Mutex::default(), changed: tokio::sync::watch::channel(0).0 });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut server = Self { address, folder, state, handle: None, runtime };
        server.restart();
        server.write_account();
        server
    }

    /// Ends it: connections are closed, and nobody can connect.
    pub fn stop(&mut self) {
        let handle = self.handle.take().expect("it runs");
        handle.shutdown();
        let began = Instant::now();
        while std::net::TcpStream::connect(self.address).is_ok() {
            assert!(began.elapsed() < Duration::from_secs(10), "it still listens");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Starts it again with what it knew.
    pub fn restart(&mut self) {
        let listener = TcpListener::bind(self.address).unwrap();
        let router = Router::new().fallback(answer::answer).with_state(Arc::clone(&self.state));
        let tls = RustlsConfig::from_config(self.tls());
        let handle = Handle::new();
        let server = self.runtime.block_on(async { axum_server::from_tcp_rustls(listener, tls) }).unwrap();
        self.runtime.spawn(server.handle(handle.clone()).serve(router.into_make_service()));
        self.handle = Some(handle);
    }

    fn tls(&self) -> Arc<ServerConfig> {
        let file = |name: &str| self.folder.path().join(name);
        let chain = CertificateDer::pem_file_iter(file("server.crt")).unwrap().collect::<Result<_, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap())
    }

    /// The files of a pod with the account of a server of features, and what that may.
    fn write_account(&self) {
        let rule = |group: &str, resources: &[&str], verbs: &[&str]| json!({ "apiGroups": [group], "resources": resources, "verbs": verbs });
        let rules = json!([
            rule("authentication.k8s.io", &["tokenreviews"], &["create"]),
            rule("authorization.k8s.io", &["subjectaccessreviews"], &["create"]),
            rule(
                "rbac.authorization.k8s.io",
                &["rolebindings", "clusterrolebindings", "clusterroles"],
                &["list", "watch"],
            ),
        ]);
        self.put("clusterroles", "", json!({ "metadata": { "name": "feastr-server" }, "rules": rules }));
        self.put(
            "clusterrolebindings",
            "",
            json!({
                "metadata": { "name": "feastr-server" },
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "feastr-server" },
                "subjects": [{ "kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE }],
            }),
        );
        std::fs::create_dir_all(self.account()).unwrap();
        std::fs::copy(self.folder.path().join("ca.crt"), self.account().join("ca.crt")).unwrap();
        std::fs::write(self.account().join("namespace"), NAMESPACE).unwrap();
        self.rotate();
    }

    /// The folder with the account of a pod.
    pub fn account(&self) -> PathBuf {
        self.folder.path().join("account")
    }

    /// Writes a new token for the account of the server, and ends all older ones.
    pub fn rotate(&self) {
        let name = format!("system:serviceaccount:{NAMESPACE}:{ACCOUNT}");
        self.state.change(|cluster| cluster.revoke(&name));
        std::fs::write(self.account().join("token"), self.token(NAMESPACE, ACCOUNT, None)).unwrap();
    }

    /// What the environment of a pod says.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("KUBERNETES_SERVICE_HOST", "localhost".to_owned()),
            ("KUBERNETES_SERVICE_PORT", self.address.port().to_string()),
            ("FEASTR_KUBERNETES_ACCOUNT", self.account().display().to_string()),
        ]
    }

    /// Has the program run as if it were in a pod, with these settings of `auth`.
    pub fn guard(&self, project: &mut Project, own: &str) {
        let settings = project.read("feature_store.yaml");
        let auth = format!("auth: {{type: kubernetes}}\nfeastr: {{auth: {{{own}}}}}\n");
        project.write("feature_store.yaml", settings + &auth);
        project.environment.extend(self.environment());
    }

    /// A token of the account of a service, for whom it is; else for the API server.
    pub fn token(&self, namespace: &str, name: &str, audience: Option<&str>) -> String {
        let audience = audience.unwrap_or(OWN_AUDIENCE).to_owned();
        self.state.cluster().service_token(namespace, name, vec![audience], 600)
    }

    /// A token of a person in groups, which says nothing by itself.
    pub fn person(&self, name: &str, groups: &[&str]) -> String {
        self.state.cluster().opaque_token(name, groups)
    }

    /// Has tokens of an account count no more.
    pub fn revoke(&self, name: &str) {
        self.state.change(|cluster| cluster.revoke(name));
    }

    /// Creates or replaces an object of `rolebindings`, `clusterroles`, …
    pub fn put(&self, collection: &str, namespace: &str, object: Json) {
        self.state.change(|cluster| cluster.put(collection, namespace, object));
    }

    /// Removes one.
    pub fn remove(&self, collection: &str, namespace: &str, name: &str) {
        assert!(self.state.change(|cluster| cluster.remove(collection, namespace, name)), "there is no {name}");
    }

    /// Binds a role to the account of a service in a namespace.
    pub fn bind(&self, namespace: &str, role: &str, (of, name): (&str, &str)) {
        let subject = json!({ "kind": "ServiceAccount", "name": name, "namespace": of });
        self.bind_subject(namespace, role, subject);
    }

    /// Binds a role to whomever.
    pub fn bind_subject(&self, namespace: &str, role: &str, subject: Json) {
        let name = format!("{role}-{}", subject["name"].as_str().unwrap());
        let role = json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role });
        self.put(
            "rolebindings",
            namespace,
            json!({ "metadata": { "name": name }, "roleRef": role, "subjects": [subject] }),
        );
    }

    /// Forgets all changes until now, so that nobody can go on from one of them.
    pub fn forget(&self) {
        self.state.change(Cluster::forget);
    }

    /// Ends all watches, as a proxy does.
    pub fn cut_watches(&self) {
        self.state.change(Cluster::cut);
    }

    /// How often something was asked of it: `tokenreviews`, `subjectaccessreviews`, `list rolebindings`, `watch rolebindings`.
    pub fn asked(&self, what: &str) -> usize {
        self.state.cluster().asked(what)
    }
}
