//! Keycloak with the realm of `keycloak/`: one server for all tests of a run, which starts when the first one needs it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    thread::sleep,
    time::{Duration, Instant},
};

use feastr::clients::{
    http::{HttpAnswer, HttpClient},
    runtime::wait,
};
use serde_json::{Value as Json, json};

use super::{create_folder, free_port, http_client, launch_guarded};

/// The realm of `keycloak/realm-export.json`, and its client.
pub const REALM: &str = "feature-store-demo";
pub const CLIENT: &str = "feature-store";
pub const SECRET: &str = "feature-store-secret";

/// A start takes half a minute of a processor, and others may need it, too.
const LONGEST_START: Duration = Duration::from_secs(300);

/// A running server.
pub struct Keycloak {
    port: u16,
    folder: PathBuf,
    watchdog: Child,
    client: HttpClient,
}

fn server() -> &'static RwLock<Keycloak> {
    static KEYCLOAK: OnceLock<RwLock<Keycloak>> = OnceLock::new();
    KEYCLOAK.get_or_init(|| RwLock::new(Keycloak::start()))
}

/// The server that all tests share.
pub fn shared() -> RwLockReadGuard<'static, Keycloak> {
    server().read().unwrap_or_else(PoisonError::into_inner)
}

/// The same while no other test uses it.
pub fn alone() -> RwLockWriteGuard<'static, Keycloak> {
    server().write().unwrap_or_else(PoisonError::into_inner)
}

impl Keycloak {
    fn start() -> Self {
        let (folder, port) = (create_folder(), free_port());
        let watchdog = launch(&folder, port);
        let server = Self { port, folder, watchdog, client: http_client() };
        server.await_start();
        server
    }

    /// Ends it and starts it again, on the same port, with an empty memory: its keys are new ones.
    pub fn restart(&mut self) {
        drop(self.watchdog.stdin.take());
        self.watchdog.wait().unwrap();
        self.folder = create_folder();
        self.watchdog = launch(&self.folder, self.port);
        self.await_start();
    }

    fn await_start(&self) {
        let began = Instant::now();
        // Realms are imported after it says that it has started.
        while !matches!(self.send(self.client.get(&self.discovery_url())), Some(answer) if answer.status.is_success()) {
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(began.elapsed() < LONGEST_START, "Keycloak does not start:\n{}", log());
            sleep(Duration::from_millis(250));
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Where the realm describes itself.
    pub fn discovery_url(&self) -> String {
        self.url(&format!("/realms/{REALM}/.well-known/openid-configuration"))
    }

    /// The access token of a user, whose password is the name.
    pub fn user_token(&self, client: &str, user: &str) -> String {
        let secret = if client == CLIENT { format!("&client_secret={SECRET}") } else { String::new() };
        self.token(REALM, &format!("grant_type=password&client_id={client}{secret}&username={user}&password={user}"))
    }

    /// The access token of a client for itself.
    pub fn client_token(&self, client: &str, secret: &str) -> String {
        self.token(REALM, &format!("grant_type=client_credentials&client_id={client}&client_secret={secret}"))
    }

    fn token(&self, realm: &str, form: &str) -> String {
        let url = self.url(&format!("/realms/{realm}/protocol/openid-connect/token"));
        let request = self.client.post(&url, "application/x-www-form-urlencoded", form.as_bytes().to_vec());
        let answer = self.send(request).expect("no answer");
        let body = String::from_utf8(answer.body).unwrap();
        assert!(answer.status.is_success(), "{}: {body}", answer.status);
        let answer: Json = serde_json::from_str(&body).unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Creates something in the realm, as its administrator.
    pub fn create(&self, what: &str, body: &Json) {
        let token = self.token("master", "grant_type=password&client_id=admin-cli&username=root&password=root");
        let url = self.url(&format!("/admin/realms/{REALM}/{what}"));
        let request = self.client.post_json(&url, body.to_string().into_bytes()).bearer_auth(token);
        let answer = self.send(request).expect("no answer");
        assert_eq!(answer.status.as_u16(), 201, "{}", String::from_utf8_lossy(&answer.body));
    }

    /// Has tokens signed with a new key from now on.
    pub fn rotate_keys(&self) {
        let config = json!({ "priority": ["1000"], "enabled": ["true"], "active": ["true"], "algorithm": ["RS256"] });
        let provider = "org.keycloak.keys.KeyProvider";
        self.create(
            "components",
            &json!({ "name": "new", "providerId": "rsa-generated", "providerType": provider, "config": config }),
        );
    }

    fn send(&self, request: reqwest::RequestBuilder) -> Option<HttpAnswer> {
        let deadline = Instant::now() + Duration::from_secs(60);
        wait(self.client.send(request, Some(deadline))).ok()
    }
}

impl Drop for Keycloak {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        self.watchdog.wait().unwrap();
    }
}

/// Starts it as people do who have no containers. Its folder is gone when it ends.
fn launch(folder: &Path, port: u16) -> Child {
    let distribution = std::env::var_os("FEASTR_KEYCLOAK")
        .expect("FEASTR_KEYCLOAK names no folder with Keycloak: run scripts/test.sh, which installs it");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("env");
    let mut named = std::ffi::OsString::from("FEASTR_KEYCLOAK=");
    named.push(distribution);
    command.arg(named).args(["bash", "-ec"]);
    command.arg("source \"$0/scripts/environment.sh\"; source \"$0/scripts/keycloak.sh\"; run_keycloak \"$@\"");
    command.arg(root).arg(port.to_string()).arg(free_port().to_string());
    command.arg(root.join("keycloak/realm-export.json")).arg(folder.join("keycloak"));
    launch_guarded(&command, "TERM", folder)
}
