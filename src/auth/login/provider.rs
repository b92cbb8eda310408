//! Asks the identity provider for tokens (OAuth 2.0, RFC 6749 and RFC 8628). What is asked for is what Feast asks for: the
//! client says who it is in the form, and names no scope.

use std::{fmt::Display, future::Future, pin::Pin};

use oauth2::{
    AsyncHttpClient, AuthType, ClientId, ClientSecret, DeviceAuthorizationUrl, EndpointSet, HttpRequest, HttpResponse,
    RefreshToken, ResourceOwnerPassword, ResourceOwnerUsername, StandardDeviceAuthorizationResponse, TokenResponse,
    TokenUrl,
    basic::{BasicClient, BasicTokenResponse},
    http::header::{ACCEPT, CONTENT_TYPE},
};
use tokio::{sync::OnceCell, time::sleep};

use super::{
    refusal::{Asking, refused},
    token::Token,
    way::Grant,
};
use crate::{
    auth::{Discovery, Provider},
    config::{Credentials, OidcConfig, Password},
    model::Timestamp,
    problem::{Kind, Problem},
};

/// A client that can ask for tokens.
type Client = BasicClient<
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    EndpointSet,
>;

/// The identity provider, as a client asks it.
pub(super) struct TokenProvider {
    config: OidcConfig,
    clock: fn() -> Timestamp,
    provider: Provider,
    discovery: OnceCell<Discovery>,
}

impl TokenProvider {
    /// The provider of the settings. Nothing is asked yet.
    ///
    /// # Errors
    /// When the settings name none, or encryption cannot be set up.
    pub(super) fn new(config: &OidcConfig, clock: fn() -> Timestamp) -> Result<Self, Problem> {
        let provider = Provider::of(config)?;
        Ok(Self { config: config.clone(), clock, provider, discovery: OnceCell::new() })
    }

    /// What messages call it.
    pub(super) fn name(&self) -> &str {
        self.provider.name()
    }

    /// A token for a password or for the client itself.
    ///
    /// # Errors
    /// When the provider is away, is none, or refuses.
    pub(super) async fn grant(&self, grant: &Grant) -> Result<Token, Problem> {
        let client = self.client().await?;
        let (answer, asking) = match grant {
            Grant::User { name, password } => {
                let (user, password) =
                    (ResourceOwnerUsername::new(name.clone()), ResourceOwnerPassword::new(password.0.clone()));
                (client.exchange_password(&user, &password).request_async(self).await, Asking::User(name))
            }
            Grant::Client => (client.exchange_client_credentials().request_async(self).await, Asking::Client),
        };
        answer.map(|answer| self.token(&answer)).map_err(|error| self.refused(error, asking))
    }

    /// Another token for who has logged in.
    ///
    /// # Errors
    /// As [`Self::grant`].
    pub(super) async fn refresh(&self, refresh: &Password) -> Result<Token, Problem> {
        let (client, token) = (self.client().await?, RefreshToken::new(refresh.0.clone()));
        let answer = client.exchange_refresh_token(&token).request_async(self).await;
        let answer = answer.map_err(|error| self.refused(error, Asking::Again))?;
        let renewed = self.token(&answer);
        // A provider that gives no other refresh token means the old one to be used again.
        Ok(Token { refresh: renewed.refresh.or_else(|| Some(refresh.clone())), ..renewed })
    }

    /// Begins a login with another device: where its user goes, with which code.
    ///
    /// # Errors
    /// As [`Self::grant`], and when the provider does not offer it.
    pub(super) async fn begin_device(&self) -> Result<StandardDeviceAuthorizationResponse, Problem> {
        let discovery = self.discovery().await?;
        let Some(url) = discovery.device_authorization_endpoint.clone() else {
            let message = format!("{} has no login with another device", self.name());
            let help = "let those who look after it switch on the device authorization grant, or set `username` and \
                        `password` under `auth` in feature_store.yaml";
            return Err(Problem::new(Kind::Unsupported, message, help.to_owned()));
        };
        let url = DeviceAuthorizationUrl::new(url).map_err(|error| self.wrong_url(&error))?;
        let client = self.client().await?.set_device_authorization_url(url);
        let answer = client.exchange_device_code().request_async(self).await;
        answer.map_err(|error| self.refused(error, Asking::Device))
    }

    /// Waits until the user has agreed or refused, or the code has expired.
    ///
    /// # Errors
    /// When the user has not agreed.
    pub(super) async fn await_device(&self, begun: &StandardDeviceAuthorizationResponse) -> Result<Token, Problem> {
        let client = self.client().await?;
        let answer = client.exchange_device_access_token(begun).request_async(self, sleep, None).await;
        answer.map(|answer| self.token(&answer)).map_err(|error| self.refused(error, Asking::Device))
    }

    /// Says that a login is over, if the provider wants to know.
    ///
    /// # Errors
    /// When it cannot be told.
    pub(super) async fn revoke(&self, refresh: &Password) -> Result<(), Problem> {
        let Some(url) = &self.discovery().await?.revocation_endpoint else { return Ok(()) };
        let client_id = self.config.client_id.as_deref().unwrap_or_default();
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", &refresh.0).append_pair("token_type_hint", "refresh_token");
        form.append_pair("client_id", client_id);
        self.secret().into_iter().for_each(|secret| _ = form.append_pair("client_secret", &secret.0));
        let answer = self.provider.send(self.provider.form(url, form.finish().into_bytes())).await?;
        match answer.status.is_success() {
            true => Ok(()),
            false => {
                let message = format!("{} answers {} to the end of a login", self.name(), answer.status);
                Err(Problem::new(Kind::Unavailable, message, None))
            }
        }
    }

    async fn discovery(&self) -> Result<&Discovery, Problem> {
        self.discovery.get_or_try_init(|| self.provider.discover()).await
    }

    async fn client(&self) -> Result<Client, Problem> {
        let Some(url) = self.discovery().await?.token_endpoint.clone() else {
            let message = format!("{} does not say where it gives tokens (`token_endpoint`)", self.name());
            let help = "check `auth_discovery_url` under `auth` in feature_store.yaml".to_owned();
            return Err(Problem::new(Kind::Unavailable, message, help));
        };
        let Some(id) = self.config.client_id.clone() else {
            let message = "the settings do not say as which client to ask for tokens";
            return Err(Problem::new(Kind::Invalid, message, "set `client_id` under `auth`".to_owned()));
        };
        let url = TokenUrl::new(url).map_err(|error| self.wrong_url(&error))?;
        let client = BasicClient::new(ClientId::new(id)).set_auth_type(AuthType::RequestBody).set_token_uri(url);
        Ok(match self.secret() {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.0.clone())),
            None => client,
        })
    }

    fn secret(&self) -> Option<&Password> {
        match &self.config.credentials {
            Credentials::User { client_secret, .. } => client_secret.as_ref(),
            Credentials::Client { client_secret } => Some(client_secret),
            Credentials::Elsewhere | Credentials::Token(_) | Credentials::Variable(_) => None,
        }
    }

    fn token(&self, answer: &BasicTokenResponse) -> Token {
        let token = Token::new(answer.access_token().secret().clone());
        let lives = answer.expires_in().and_then(|lives| i64::try_from(lives.as_micros()).ok());
        let end = lives.map(|lives| Timestamp::from_micros((self.clock)().micros().saturating_add(lives)));
        let refresh = answer.refresh_token().map(|token| Password(token.secret().clone()));
        Token { expires: token.expires.or(end), refresh, ..token }
    }

    fn refused<T: oauth2::ErrorResponseType + AsRef<str> + Display + 'static>(
        &self,
        error: oauth2::RequestTokenError<Problem, oauth2::StandardErrorResponse<T>>,
        asking: Asking<'_>,
    ) -> Problem {
        let client = self.config.client_id.as_deref().unwrap_or_default();
        refused(self.name(), client, error, asking)
    }

    fn wrong_url(&self, error: &dyn Display) -> Problem {
        let message = format!("{} describes itself with an URL that is none: {error}", self.name());
        Problem::new(Kind::Unavailable, message, None)
    }
}

impl<'c> AsyncHttpClient<'c> for TokenProvider {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Problem>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let url = request.uri().to_string();
            let request = self.provider.form(&url, request.into_body()).header(ACCEPT, "application/json");
            let answer = self.provider.send(request).await?;
            let response = oauth2::http::Response::builder().status(answer.status.as_u16());
            let response = response.header(CONTENT_TYPE, answer.content_type).body(answer.body);
            response.map_err(|error| Problem::new(Kind::Unavailable, format!("{}: {error}", self.name()), None))
        })
    }
}
