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
use reqwest::Method;
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

    /// A user, whose password is the name, with a role of the client of the realm.
    pub fn create_user(&self, user: &str, role: &str) {
        self.create(
            "users",
            &json!({
                "username": user, "enabled": true, "email": format!("{user}@example.com"), "emailVerified": true,
                "firstName": user, "lastName": user,
                "credentials": [{ "type": "password", "value": user, "temporary": false }],
            }),
        );
        let (roles, given) = self.roles_of(user);
        let role = self.administer(Method::GET, &format!("{roles}/{role}"), &Json::Null);
        self.administer(Method::POST, &given, &json!([role]));
    }

    /// Takes from a user all roles of the client.
    pub fn take_roles(&self, user: &str) {
        let (_, given) = self.roles_of(user);
        let all = self.administer(Method::GET, &given, &Json::Null);
        self.administer(Method::DELETE, &given, &all);
    }

    /// Where the roles of the client are, and those that a user has.
    fn roles_of(&self, user: &str) -> (String, String) {
        let id = |what: &str| {
            let found = self.administer(Method::GET, what, &Json::Null);
            found[0]["id"].as_str().unwrap_or_else(|| panic!("{what}: {found}")).to_owned()
        };
        let client = id(&format!("clients?clientId={CLIENT}"));
        let user = id(&format!("users?exact=true&username={user}"));
        (format!("clients/{client}/roles"), format!("users/{user}/role-mappings/clients/{client}"))
    }

    /// Has the administrator do something with what is in the realm; what is answered, if anything.
    fn administer(&self, method: Method, what: &str, body: &Json) -> Json {
        let token = self.token("master", "grant_type=password&client_id=admin-cli&username=root&password=root");
        let url = self.url(&format!("/admin/realms/{REALM}/{what}"));
        let request = match body {
            Json::Null => self.client.get(&url),
            body => self.client.post_json(&url, body.to_string().into_bytes()),
        };
        let (client, request) = request.bearer_auth(token).build_split();
        let mut request = request.unwrap();
        *request.method_mut() = method;
        let request = reqwest::RequestBuilder::from_parts(client, request);
        let answer = self.send(request).expect("no answer");
        assert!(answer.status.is_success(), "{what}: {}", String::from_utf8_lossy(&answer.body));
        serde_json::from_slice(&answer.body).unwrap_or_default()
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
