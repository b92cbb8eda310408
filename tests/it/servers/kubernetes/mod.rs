//! The API server of Kubernetes: a strict stand-in for it (`stand_in`), or the real one (`real`) where `FEASTR_KUBE_APISERVER`
//! names its program. Both are asked over HTTP for whatever tests need of them, as an administrator does.

mod client;
mod real;
mod stand_in;

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::PathBuf,
    sync::Mutex,
    time::{Duration, Instant},
};

pub use client::Answer;
use client::Client;
use serde_json::{Value as Json, json};
pub use stand_in::Recorded;

use crate::support::Project;

/// Who tokens are for that are asked for without an audience: the API server itself.
pub const OWN_AUDIENCE: &str = "https://kubernetes.default.svc";

/// The token of an administrator of the cluster.
pub const ADMIN: &str = "admin-token";

/// Who asks it as a server of features: this account in this namespace, which may review tokens and accesses and watch roles.
pub const NAMESPACE: &str = "feast";
pub const ACCOUNT: &str = "feastr";

/// People who have tokens that say nothing by themselves, and their groups. The real server learns of them when it starts.
const PEOPLE: [(&str, &[&str]); 3] = [("ann", &["scientists"]), ("ann", &[]), ("bob", &[])];

/// A running API server.
pub struct ApiServer {
    pub address: SocketAddr,
    client: Client,
    /// Namespaces and accounts that are there.
    made: Mutex<BTreeSet<String>>,
    runs: Box<dyn Runs>,
}

/// How one runs.
trait Runs: Send + Sync {
    /// The folder with its certificates, and with the accounts of pods.
    fn folder(&self) -> PathBuf;

    /// Ends it: connections are closed, and nobody can connect.
    fn stop(&mut self);

    /// Starts it again with what it knew.
    fn restart(&mut self);

    /// Forgets all changes until now, so that nobody can go on from one of them, and ends all watches.
    fn forget(&mut self);

    /// Ends all watches.
    fn cut_watches(&mut self);

    /// How often the account of the server of features has asked for something.
    fn asked(&self, what: &str) -> usize;

    /// A token of the account of a service, for an audience, that has ended; `uid` is that of the account.
    fn ended_token(&self, account: (&str, &str), uid: &str, audience: &str) -> String;

    /// Has it answer that account as it was recorded.
    fn replay(&self, recorded: Recorded);
}

/// The token of a person, which says nothing by itself.
fn opaque_token(name: &str, groups: &[&str]) -> String {
    format!("sha256~{}", [&[name], groups].concat().join("-"))
}

/// What a token of the account of a service says that has ended.
fn ended_claims((namespace, name): (&str, &str), uid: &str, audience: &str) -> Json {
    json!({
        "aud": [audience], "exp": 1_700_000_600, "iat": 1_700_000_000, "iss": OWN_AUDIENCE,
        "kubernetes.io": { "namespace": namespace, "serviceaccount": { "name": name, "uid": uid } },
        "nbf": 1_700_000_000, "sub": format!("system:serviceaccount:{namespace}:{name}"),
    })
}

/// Where objects of a collection are.
fn path(collection: &str, namespace: &str) -> String {
    let api = match collection {
        "namespaces" | "serviceaccounts" | "pods" => "/api/v1",
        _ => "/apis/rbac.authorization.k8s.io/v1",
    };
    match namespace {
        "" => format!("{api}/{collection}"),
        namespace => format!("{api}/namespaces/{namespace}/{collection}"),
    }
}

impl ApiServer {
    /// Starts it, with the account of a server of features.
    pub fn start() -> Self {
        match std::env::var_os(real::PROGRAM) {
            Some(_) => Self::over(real::Real::start()),
            None => Self::stand_in(),
        }
    }

    /// The stand-in, for what the real one cannot be made to do.
    pub fn stand_in() -> Self {
        Self::over(stand_in::StandIn::start())
    }

    /// Whether it is the real one.
    pub fn is_real() -> bool {
        std::env::var_os(real::PROGRAM).is_some()
    }

    fn over((runs, address): (impl Runs + 'static, SocketAddr)) -> Self {
        let client = Client::new(address, &runs.folder().join("ca.crt"));
        let server = Self { address, client, made: Mutex::default(), runs: Box::new(runs) };
        server.write_account();
        server
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
        std::fs::copy(self.runs.folder().join("ca.crt"), self.account().join("ca.crt")).unwrap();
        std::fs::write(self.account().join("namespace"), NAMESPACE).unwrap();
        self.write_token();
        // What roles allow counts a moment after they are there.
        let own = std::fs::read_to_string(self.account().join("token")).unwrap();
        let began = Instant::now();
        let path = "/apis/rbac.authorization.k8s.io/v1/clusterroles?limit=1";
        while self.ask(&own, "GET", path, None).status != 200 {
            assert!(began.elapsed() < Duration::from_secs(60), "its account may not ask");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn write_token(&self) {
        std::fs::write(self.account().join("token"), self.token(NAMESPACE, ACCOUNT, None)).unwrap();
    }

    /// The folder with the account of a pod.
    pub fn account(&self) -> PathBuf {
        self.runs.folder().join("account")
    }

    /// Writes a new token for the account of the server, and ends all older ones.
    pub fn rotate(&self) {
        self.revoke(NAMESPACE, ACCOUNT);
        self.write_token();
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

    /// Ends it: connections are closed, and nobody can connect.
    pub fn stop(&mut self) {
        self.runs.stop();
        assert!(std::net::TcpStream::connect(self.address).is_err(), "it still listens");
    }

    /// Starts it again with what it knew.
    pub fn restart(&mut self) {
        self.runs.restart();
    }

    /// Forgets all changes until now, so that nobody can go on from one of them, and ends all watches.
    pub fn forget(&mut self) {
        self.runs.forget();
    }

    /// Ends all watches, as a proxy does.
    pub fn cut_watches(&mut self) {
        self.runs.cut_watches();
    }

    /// How often the account of the server asked for something: `tokenreviews`, `subjectaccessreviews`, `list rolebindings`,
    /// `watch rolebindings`.
    pub fn asked(&self, what: &str) -> usize {
        self.runs.asked(what)
    }

    /// Has it answer the account of the server as it was recorded; only the stand-in can.
    pub fn replay(&self, recorded: Recorded) {
        self.runs.replay(recorded);
    }

    /// What it answers to whoever has a token.
    pub fn ask(&self, token: &str, method: &str, path: &str, body: Option<&Json>) -> Answer {
        self.client.ask(token, method, path, body)
    }

    /// What it does for its administrator.
    #[track_caller]
    pub fn done(&self, method: &str, path: &str, body: Option<&Json>) -> Json {
        let answer = self.ask(ADMIN, method, path, body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {answer:?}");
        answer.json()
    }

    /// Creates something if it is not there.
    fn make(&self, collection: &str, namespace: &str, name: &str) {
        if !self.made.lock().unwrap().insert(format!("{collection} {namespace} {name}")) {
            return;
        }
        let object = json!({ "metadata": { "name": name } });
        let answer = self.ask(ADMIN, "POST", &path(collection, namespace), Some(&object));
        assert!([201, 409].contains(&answer.status), "{answer:?}");
    }

    /// A token of the account of a service, for whom it is; else for the API server.
    pub fn token(&self, namespace: &str, name: &str, audience: Option<&str>) -> String {
        self.token_of(
            namespace,
            name,
            &json!({ "audiences": [audience.unwrap_or(OWN_AUDIENCE)], "expirationSeconds": 600 }),
        )
    }

    /// The same as somebody asks for it.
    pub fn token_of(&self, namespace: &str, name: &str, spec: &Json) -> String {
        self.make("namespaces", "", namespace);
        self.make("serviceaccounts", namespace, name);
        let path = format!("{}/{name}/token", path("serviceaccounts", namespace));
        let answer = self.done("POST", &path, Some(&json!({ "spec": spec })));
        answer["status"]["token"].as_str().unwrap().to_owned()
    }

    /// A token of the account of a service that has ended.
    pub fn ended_token(&self, namespace: &str, name: &str, audience: &str) -> String {
        let account = self.done("GET", &format!("{}/{name}", path("serviceaccounts", namespace)), None);
        self.runs.ended_token((namespace, name), account["metadata"]["uid"].as_str().unwrap(), audience)
    }

    /// A token of a person in groups, which says nothing by itself.
    pub fn person(&self, name: &str, groups: &[&str]) -> String {
        assert!(PEOPLE.contains(&(name, groups)), "nobody knows {name} of {groups:?}");
        opaque_token(name, groups)
    }

    /// Has tokens of an account count no more: it is removed, and another one has its name.
    pub fn revoke(&self, namespace: &str, name: &str) {
        self.remove("serviceaccounts", namespace, name);
        self.made.lock().unwrap().remove(&format!("serviceaccounts {namespace} {name}"));
        self.make("serviceaccounts", namespace, name);
    }

    /// Creates or replaces an object of `rolebindings`, `clusterroles`, …
    pub fn put(&self, collection: &str, namespace: &str, object: Json) -> Json {
        if !namespace.is_empty() {
            self.make("namespaces", "", namespace);
        }
        let place = path(collection, namespace);
        let answer = self.ask(ADMIN, "POST", &place, Some(&object));
        if answer.status != 409 {
            assert_eq!(answer.status, 201, "{answer:?}");
            return answer.json();
        }
        let name = object["metadata"]["name"].as_str().unwrap();
        self.done("PUT", &format!("{place}/{name}"), Some(&object))
    }

    /// Removes one.
    #[track_caller]
    pub fn remove(&self, collection: &str, namespace: &str, name: &str) {
        self.done("DELETE", &format!("{}/{name}?gracePeriodSeconds=0", path(collection, namespace)), None);
    }

    /// Binds a role to the account of a service in a namespace.
    pub fn bind(&self, namespace: &str, role: &str, (of, name): (&str, &str)) {
        let subject = json!({ "kind": "ServiceAccount", "name": name, "namespace": of });
        self.bind_subject(namespace, role, subject);
    }

    /// Binds a role to whomever.
    pub fn bind_subject(&self, namespace: &str, role: &str, subject: Json) {
        let name = format!("{role}-{}", subject["name"].as_str().unwrap());
        self.bind_as(namespace, &name, role, &[subject]);
    }

    /// Binds a role to several, or to other ones than before.
    pub fn bind_as(&self, namespace: &str, name: &str, role: &str, subjects: &[Json]) {
        let role = json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role });
        let binding = json!({ "metadata": { "name": name }, "roleRef": role, "subjects": subjects });
        self.put("rolebindings", namespace, binding);
    }
}
