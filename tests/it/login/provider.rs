//! An identity provider that gives tokens: for a password, for a secret, to who has agreed on another device.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value as Json, json};

use super::http::{Asked, Http};

/// The provider, with the user `ann`, whose password is `right`, and the client `store`, whose secret is `hush`.
pub struct Provider {
    pub http: Http,
    state: Arc<State>,
}

struct State {
    /// For how many seconds tokens count.
    lives: Mutex<i64>,
    /// How often an asker is told to wait for the user, and what becomes of the login then.
    device: Mutex<(Vec<&'static str>, Result<(), &'static str>)>,
    given: AtomicU32,
    /// The only refresh token that counts.
    refresh: Mutex<String>,
}

impl Provider {
    pub fn start() -> Self {
        let state = State {
            lives: Mutex::new(300),
            device: Mutex::new((Vec::new(), Ok(()))),
            given: AtomicU32::new(0),
            refresh: Mutex::default(),
        };
        let state = Arc::new(state);
        let answering = Arc::clone(&state);
        Self { http: Http::start(move |asked, url| answering.answer(asked, url)), state }
    }

    /// Where it describes itself.
    pub fn discovery_url(&self) -> String {
        self.http.url("/realms/demo")
    }

    /// The `auth` of a client, with more keys.
    pub fn settings(&self, more: &str) -> String {
        format!("auth: {{type: oidc, auth_discovery_url: '{}', client_id: store{more}}}\n", self.discovery_url())
    }

    /// From now on tokens count so many seconds.
    pub fn set_lives(&self, seconds: i64) {
        *self.state.lives.lock().unwrap() = seconds;
    }

    /// What who waits for a login is told, and how it ends.
    pub fn set_device(&self, told: &[&'static str], end: Result<(), &'static str>) {
        *self.state.device.lock().unwrap() = (told.to_vec(), end);
    }

    /// Ends the login of everybody.
    pub fn end_logins(&self) {
        self.state.refresh.lock().unwrap().clear();
    }

    /// Which grants tokens were asked for, in order.
    pub fn grants(&self) -> Vec<String> {
        self.http.asked("/token").iter().map(|asked| asked.field("grant_type").unwrap()).collect()
    }
}

impl State {
    fn answer(&self, asked: &Asked, url: &str) -> (u16, Json) {
        let refused = |error: &str, said: &str| (400, json!({ "error": error, "error_description": said }));
        match asked.path.as_str() {
            "/realms/demo" => (
                200,
                json!({
                    "issuer": url, "jwks_uri": format!("{url}/keys"), "token_endpoint": format!("{url}/token"),
                    "device_authorization_endpoint": format!("{url}/device"), "revocation_endpoint": format!("{url}/revoke"),
                }),
            ),
            "/device" => (
                200,
                json!({
                    "device_code": "d3vice", "user_code": "ABCD-EFGH", "verification_uri": format!("{url}/page"),
                    "verification_uri_complete": format!("{url}/page?code=ABCD-EFGH"), "expires_in": 600, "interval": 0,
                }),
            ),
            "/revoke" => {
                let mut refresh = self.refresh.lock().unwrap();
                if asked.field("token").as_ref() == Some(&*refresh) {
                    refresh.clear();
                }
                (200, json!({}))
            }
            "/token" => match asked.field("grant_type").as_deref() {
                Some("password") => match (asked.field("username").as_deref(), asked.field("password").as_deref()) {
                    (Some("ann"), Some("right")) => self.token("ann"),
                    _ => (401, json!({ "error": "invalid_grant", "error_description": "Invalid user credentials" })),
                },
                Some("client_credentials") => match asked.field("client_secret").as_deref() {
                    Some("hush") => self.token("service-account-store"),
                    _ => (
                        401,
                        json!({ "error": "unauthorized_client", "error_description": "Invalid client or Invalid client credentials" }),
                    ),
                },
                Some("refresh_token")
                    if asked.field("refresh_token").is_some_and(|token| token == *self.refresh.lock().unwrap()) =>
                {
                    self.token("ann")
                }
                Some("refresh_token") => refused("invalid_grant", "Token is not active"),
                Some("urn:ietf:params:oauth:grant-type:device_code") => {
                    let (told, end) = &mut *self.device.lock().unwrap();
                    match (told.is_empty(), &end) {
                        (false, _) => refused(told.remove(0), ""),
                        (true, Ok(())) => self.token("ann"),
                        (true, Err(error)) => refused(error, ""),
                    }
                }
                _ => refused("unsupported_grant_type", ""),
            },
            _ => (404, json!({ "error": "Realm does not exist" })),
        }
    }

    /// A token, and what another one is to be had for: each another one.
    fn token(&self, user: &str) -> (u16, Json) {
        let number = self.given.fetch_add(1, Ordering::SeqCst) + 1;
        let (refresh, lives) = (format!("again-{number}"), *self.lives.lock().unwrap());
        refresh.clone_into(&mut self.refresh.lock().unwrap());
        let access = token(user, lives, number);
        (200, json!({ "access_token": access, "token_type": "Bearer", "expires_in": lives, "refresh_token": refresh }))
    }
}

/// A token of a user for so many seconds, which has a number.
pub fn token(user: &str, lives: i64, number: u32) -> String {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let claims = json!({
        "iss": "http://idp", "aud": "store", "exp": now + lives, "preferred_username": user, "jti": number,
        "resource_access": { "store": { "roles": ["reader"] } }, "groups": ["team"],
    });
    let part = |part: &Json| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}.c2ln", part(&json!({ "alg": "RS256" })), part(&claims))
}
