//! An identity provider of our own: it describes itself and its keys over HTTP, and signs whatever a test wants.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use serde_json::{Value as Json, json};

/// Answers in threads that end with the program.
pub struct IdentityProvider {
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    keys: Mutex<Vec<Json>>,
    is_away: AtomicBool,
    /// Held while nobody is answered.
    silence: Mutex<()>,
    asked: AtomicU32,
}

impl IdentityProvider {
    /// Starts it on a free port, with these keys.
    pub fn start(keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let provider = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        provider.publish(keys);
        let (state, issuer) = (Arc::clone(&provider.state), provider.issuer());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (state, issuer) = (Arc::clone(&state), issuer.clone());
                thread::spawn(move || while answer(&stream, &state, &issuer).is_some() {});
            }
        });
        provider
    }

    /// Who its tokens say has issued them.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it describes itself.
    pub fn discovery_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.issuer())
    }

    /// The `auth` of a server that takes its tokens, for the client `store`.
    pub fn server_settings(&self) -> String {
        format!("auth: {{type: oidc, auth_discovery_url: '{}', client_id: store}}\n", self.discovery_url())
    }

    /// From now on it has these keys.
    pub fn publish(&self, keys: &[&SigningKey]) {
        self.publish_documents(keys.iter().map(|key| key.document()).collect());
    }

    /// The same with keys as they are published.
    pub fn publish_documents(&self, keys: Vec<Json>) {
        *self.state.keys.lock().unwrap() = keys;
    }

    /// Whether it closes connections without a word.
    pub fn set_away(&self, is_away: bool) {
        self.state.is_away.store(is_away, Ordering::SeqCst);
    }

    /// Takes requests and answers none, as long as the value is there.
    pub fn silence(&self) -> std::sync::MutexGuard<'_, ()> {
        self.state.silence.lock().unwrap()
    }

    /// How often somebody asked for its keys.
    pub fn asked(&self) -> u32 {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// What a token for the client `store` says, of somebody with these roles there.
    pub fn claims(&self, user: &str, roles: &[&str]) -> Json {
        json!({
            "iss": self.issuer(), "aud": "store", "exp": now() + 300, "iat": now(), "preferred_username": user,
            "resource_access": { "store": { "roles": roles } },
        })
    }
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn answer(stream: &TcpStream, state: &State, issuer: &str) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    while line.trim_end() != "" {
        line.clear();
        reader.read_line(&mut line).ok()?;
    }
    if state.is_away.load(Ordering::SeqCst) {
        return None;
    }
    drop(state.silence.lock().unwrap());
    let body = match path.as_str() {
        "/.well-known/openid-configuration" => json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/keys"),
            "token_endpoint": format!("{issuer}/token"),
            "authorization_endpoint": format!("{issuer}/authorize"),
        }),
        "/keys" => {
            state.asked.fetch_add(1, Ordering::SeqCst);
            json!({ "keys": *state.keys.lock().unwrap() })
        }
        _ => json!({ "error": "nothing is here" }),
    };
    let (body, mut stream) = (body.to_string(), stream);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).ok()
}

/// A key that signs tokens, made for a test.
pub struct SigningKey {
    pub id: String,
    pub algorithm: Algorithm,
    encoding: EncodingKey,
}

impl SigningKey {
    /// A key of RSA.
    pub fn rsa(id: &str, algorithm: Algorithm) -> Self {
        let key =
            openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-outform", "DER"], &[]);
        let key = openssl(&["rsa", "-inform", "DER", "-outform", "DER", "-traditional"], &key);
        Self { id: id.to_owned(), algorithm, encoding: EncodingKey::from_rsa_der(&key) }
    }

    /// A key of the curve of an algorithm.
    pub fn elliptic(id: &str, algorithm: Algorithm) -> Self {
        let curve = match algorithm {
            Algorithm::ES384 => "ec_paramgen_curve:P-384",
            _ => "ec_paramgen_curve:P-256",
        };
        let key = openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-outform", "DER"], &[]);
        let key = openssl(&["pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-outform", "DER"], &key);
        Self { id: id.to_owned(), algorithm, encoding: EncodingKey::from_ec_der(&key) }
    }

    /// A key of Edwards' curve.
    pub fn edwards(id: &str) -> Self {
        let key = openssl(&["genpkey", "-algorithm", "ED25519", "-outform", "DER"], &[]);
        Self { id: id.to_owned(), algorithm: Algorithm::EdDSA, encoding: EncodingKey::from_ed_der(&key) }
    }

    /// What is published of it.
    pub fn document(&self) -> Json {
        let mut document =
            serde_json::to_value(Jwk::from_encoding_key(&self.encoding, self.algorithm).unwrap()).unwrap();
        document["kid"] = json!(self.id);
        document["use"] = json!("sig");
        document
    }

    /// A token of this key.
    pub fn sign(&self, claims: &Json) -> String {
        encode(&self.header(), claims, &self.encoding).unwrap()
    }

    /// The same with another header, which the signature is of.
    pub fn sign_with(&self, header: &Header, claims: &Json) -> String {
        encode(header, claims, &self.encoding).unwrap()
    }

    /// The header of its tokens.
    pub fn header(&self) -> Header {
        Header { kid: Some(self.id.clone()), ..Header::new(self.algorithm) }
    }
}

/// A token whose header and claims are these, and whose signature is this text.
pub fn token_of(header: &Json, claims: &Json, signature: &str) -> String {
    let part = |part: &Json| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("openssl");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = command.spawn().expect("openssl is not installed: run the tests with scripts/test.sh");
    process.stdin.take().unwrap().write_all(input).unwrap();
    let mut output = Vec::new();
    process.stdout.take().unwrap().read_to_end(&mut output).unwrap();
    assert!(process.wait().unwrap().success(), "openssl {arguments:?}");
    output
}
