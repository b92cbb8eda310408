//! Clients of HTTP servers: encryption, limits of time, when a request is tried again, and words for what goes wrong on
//! the way. What servers say is judged by who asks them.

mod certificates;
mod failure;
mod stream;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{
    Client, ClientBuilder, RequestBuilder, StatusCode,
    header::{CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE},
    redirect::Policy,
};
use rustls::ClientConfig;
use tokio::time::{sleep, timeout_at};

pub use certificates::Certificates;
pub use stream::HttpStream;

use super::{authorities::authorities, causes::is_about_certificates, runtime::spawned, verifier::Verifier};
use crate::{
    config::TlsMode,
    problem::{Kind, Problem},
};

/// How long to wait for an address that does not answer, and for encryption.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// After how long without a word a server is asked whether its machine is there, and how long it has for each answer.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));
/// The first pause before connecting is tried again; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How a server is connected to.
#[derive(Debug, Clone)]
pub struct Connecting<'a> {
    /// What messages call it: `the feature server at http://…`, without a password.
    pub name: String,
    /// Where it is set, for advice: `path under online_store`.
    pub setting: &'static str,
    /// Where the authorities to trust are set.
    pub authorities_setting: &'static str,
    /// File with their certificates; those of the system if there is none.
    pub authorities: Option<&'a Path>,
    /// Whether connections are encrypted.
    pub is_encrypted: bool,
    /// Whether the server has to prove who it is, where they are.
    pub is_verified: bool,
    /// Most connections that are kept while nobody uses them.
    pub pool_size: usize,
    /// How long they are kept; `None` is as long as the server does.
    pub idle_timeout: Option<Duration>,
    /// How often connecting is tried again.
    pub retries: u32,
}

/// A client of one server, which keeps its connections. Clones share them.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: Client,
    server: Arc<Server>,
}

/// What is known of the server.
#[derive(Debug)]
struct Server {
    name: String,
    setting: &'static str,
    authorities_setting: &'static str,
    retries: u32,
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// Whether it did what was asked for, and if not, why.
    pub status: StatusCode,
    /// The type of the body, such as `application/json`; empty if it is not said.
    pub content_type: String,
    /// The body, whole.
    pub body: Vec<u8>,
    /// What it wants to know of who asks (`WWW-Authenticate`); empty if it does not say.
    pub challenge: String,
}

impl HttpClient {
    /// A client, which connects when it is used. Proxies are those that the usual variables name (`HTTPS_PROXY`,
    /// `HTTP_PROXY`, `NO_PROXY`).
    ///
    /// # Errors
    /// When certificates cannot be read, or encryption cannot be set up.
    pub fn new(server: Connecting<'_>) -> Result<Self, Problem> {
        Self::with_certificates(server, &Certificates::default())
    }

    /// The same with certificates that are in hand.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_certificates(server: Connecting<'_>, certificates: &Certificates) -> Result<Self, Problem> {
        let builder = builder_with(&server, certificates)?
            // Where else something is is said to the person, who then asks there at once.
            .redirect(Policy::none());
        let client = built(builder, &server.name)?;
        let Connecting { name, setting, authorities_setting, retries, .. } = server;
        Ok(Self { client, server: Arc::new(Server { name, setting, authorities_setting, retries }) })
    }

    /// What messages call the server.
    pub fn name(&self) -> &str {
        &self.server.name
    }

    /// A request for what is at an URL.
    pub fn get(&self, url: &str) -> RequestBuilder {
        self.client.get(url)
    }

    /// A request with a body of JSON.
    pub fn post_json(&self, url: &str, body: Vec<u8>) -> RequestBuilder {
        self.post(url, "application/json", body)
    }

    /// A request with a body of some type.
    pub fn post(&self, url: &str, content_type: &str, body: Vec<u8>) -> RequestBuilder {
        self.client.post(url).header(CONTENT_TYPE, content_type).body(body)
    }

    /// Asks the server and reads its answer, on the runtime of the process. Only connecting is tried again: of what has
    /// reached the server nobody knows what became of it.
    ///
    /// # Errors
    /// When there is no answer, or not before the deadline; without one it is waited for as long as the server's machine
    /// is there.
    pub async fn send(&self, request: RequestBuilder, deadline: Option<Instant>) -> Result<HttpAnswer, Problem> {
        let server = Arc::clone(&self.server);
        let answer = spawned({
            let server = Arc::clone(&server);
            async move { server.answer(request).await }
        });
        match deadline {
            None => answer.await,
            Some(deadline) => timeout_at(deadline.into(), answer).await.unwrap_or_else(|_| Err(server.too_late())),
        }
    }
}

impl Server {
    async fn answer(&self, mut request: RequestBuilder) -> Result<HttpAnswer, Problem> {
        let (mut pause, mut retries) = (FIRST_PAUSE, self.retries);
        loop {
            let again = if retries > 0 { request.try_clone() } else { None };
            match (self.ask(request).await, again) {
                (Ok(answer), _) => return Ok(answer),
                (Err(error), Some(again)) if error.is_connect() && !is_about_certificates(&error) => {
                    sleep(pause).await;
                    (pause, retries, request) = ((pause * 2).min(LONGEST_PAUSE), retries - 1, again);
                }
                (Err(error), _) => return Err(self.explain(&error)),
            }
        }
    }

    async fn ask(&self, request: RequestBuilder) -> Result<HttpAnswer, reqwest::Error> {
        let response = request.send().await?;
        let status = response.status();
        let header = |name| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let (content_type, challenge) = (header(CONTENT_TYPE), header(WWW_AUTHENTICATE));
        // What a redirect has to say is where it leads.
        let place = status.is_redirection().then(|| header(LOCATION).into_bytes());
        let body = response.bytes().await?;
        Ok(HttpAnswer { status, content_type, body: place.unwrap_or_else(|| body.into()), challenge })
    }
}

/// What all connections over HTTP have in common. Nothing is tried again by itself.
///
/// # Errors
/// When certificates cannot be read, or encryption cannot be set up.
pub(super) fn builder(server: &Connecting<'_>) -> Result<ClientBuilder, Problem> {
    builder_with(server, &Certificates::default())
}

fn builder_with(server: &Connecting<'_>, certificates: &Certificates) -> Result<ClientBuilder, Problem> {
    let builder = Client::builder()
        .user_agent(concat!("feastr/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .tcp_keepalive(KEEPALIVE.0)
        .tcp_keepalive_interval(KEEPALIVE.1)
        .pool_max_idle_per_host(server.pool_size)
        .pool_idle_timeout(server.idle_timeout)
        .retry(reqwest::retry::never());
    Ok(builder.tls_backend_preconfigured(tls(server, certificates, &|error| unusable(&server.name, error))?))
}

/// A client as it was described, of the server with a name.
///
/// # Errors
/// When encryption cannot be set up.
pub(super) fn built(builder: ClientBuilder, name: &str) -> Result<Client, Problem> {
    builder.build().map_err(|error| unusable(name, &error))
}

fn unusable(name: &str, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(Kind::Unavailable, format!("a connection to {name} cannot be set up: {error}"), None)
}

fn tls(
    server: &Connecting<'_>,
    certificates: &Certificates,
    unusable: &dyn Fn(&dyn std::fmt::Display) -> Problem,
) -> Result<ClientConfig, Problem> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?;
    let builder = if server.is_verified {
        let roots = match certificates.roots(&server.name)? {
            Some(roots) => roots,
            None if server.is_encrypted => authorities(server.authorities, || {
                format!("name a file with those to trust with {}", server.authorities_setting)
            })?,
            // Nobody is asked for a certificate.
            None => rustls::RootCertStore::empty(),
        };
        builder.with_root_certificates(roots)
    } else {
        let anybody = Verifier { mode: TlsMode::Require, authority: None, provider };
        builder.dangerous().with_custom_certificate_verifier(Arc::new(anybody))
    };
    match certificates.own(&server.name)? {
        None => Ok(builder.with_no_client_auth()),
        Some((certificate, key)) => builder.with_client_auth_cert(certificate, key).map_err(|error| unusable(&error)),
    }
}
