//! What an identity provider says of itself (OpenID Connect Discovery 1.0).

use std::time::{Duration, Instant};

use reqwest::RequestBuilder;
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use crate::{
    clients::http::{Connecting, HttpAnswer, HttpClient},
    config::OidcConfig,
    problem::{Kind, Problem},
};

/// Where the address of a provider is set.
const SETTING: &str = "`auth_discovery_url` under `auth`";

/// An identity provider, which can be asked. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Provider {
    client: HttpClient,
    url: Url,
    timeout: Duration,
}

/// The document that a provider publishes, as far as feastr needs it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Discovery {
    /// Who its tokens say has issued them (`iss`).
    pub issuer: String,
    /// Where its keys are.
    pub jwks_uri: Option<String>,
    /// Where clients ask for tokens.
    pub token_endpoint: Option<String>,
    /// Where logging in with another device begins (RFC 8628).
    pub device_authorization_endpoint: Option<String>,
    /// Where clients say that a token is not needed any more (RFC 7009).
    pub revocation_endpoint: Option<String>,
}

impl Provider {
    /// The provider of the settings. Nothing is asked yet.
    ///
    /// # Errors
    /// When the settings name none, or encryption cannot be set up.
    pub fn of(config: &OidcConfig) -> Result<Self, Problem> {
        let Some(url) = config.discovery_url.clone() else {
            let message = "the settings name no identity provider";
            return Err(Problem::new(Kind::Invalid, message, format!("set {SETTING}")));
        };
        let client = HttpClient::new(Connecting {
            name: format!("the identity provider at {}", url.origin().ascii_serialization()),
            setting: SETTING,
            authorities_setting: "`ca_cert_path` under `auth`",
            authorities: config.authorities.as_deref(),
            is_encrypted: url.scheme() == "https" || config.authorities.is_some(),
            is_verified: config.verify_ssl,
            pool_size: 2,
            idle_timeout: Some(Duration::from_secs(60)),
            retries: 0,
        })?;
        Ok(Self { client, url, timeout: config.request_timeout })
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        self.client.name()
    }

    /// Asks what it says of itself.
    ///
    /// # Errors
    /// When it cannot be reached, does not answer in time, or has no such document there.
    pub async fn discover(&self) -> Result<Discovery, Problem> {
        self.document(self.url.as_str(), "its description").await
    }

    /// Asks for a document, which messages call so.
    ///
    /// # Errors
    /// As [`Self::discover`].
    pub async fn document<T: DeserializeOwned>(&self, url: &str, what: &str) -> Result<T, Problem> {
        let answer = self.send(self.client.get(url)).await?;
        let wrong = |said: String, help: String| {
            Problem::new(Kind::Unavailable, format!("{} does not give {what} at {url}: {said}", self.name()), help)
        };
        let check = || format!("check {SETTING}");
        if !answer.status.is_success() {
            // Keycloak answers so while it starts.
            let is_ill = answer.status.is_server_error();
            let help = if is_ill { format!("wait until it is up, or {}", check()) } else { check() };
            return Err(wrong(format!("it answers {}", answer.status), help));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|error| wrong(format!("what it answers is no such document ({error})"), check()))
    }

    /// A request with a form, as endpoints for clients take it.
    pub fn form(&self, url: &str, body: Vec<u8>) -> RequestBuilder {
        self.client.post(url, "application/x-www-form-urlencoded", body)
    }

    /// Asks something, as long as the provider may take to answer.
    ///
    /// # Errors
    /// When there is no answer, or not in time. What it means is for others to say.
    pub async fn send(&self, request: RequestBuilder) -> Result<HttpAnswer, Problem> {
        self.client.send(request, Instant::now().checked_add(self.timeout)).await
    }
}
