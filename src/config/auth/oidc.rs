//! Tokens of an identity provider (`type: oidc`).

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};
use url::Url;

use super::{
    seconds::duration,
    written::{RawAuth, RawFeastrAuth},
};
use crate::{
    config::{Password, resolve},
    diagnostics::{Diagnostics, Span},
    yaml::Spanned,
};

/// An identity provider, what servers check of its tokens, and how clients get one.
#[derive(Debug, Clone, PartialEq)]
pub struct OidcConfig {
    /// Where the provider describes itself (`…/.well-known/openid-configuration`). Servers need it, and clients that ask the
    /// provider for tokens.
    pub discovery_url: Option<Url>,
    /// The client at the provider: its roles count, and it gets tokens.
    pub client_id: Option<String>,
    /// Whether the provider has to prove who it is, where its URL begins with `https://`.
    pub verify_ssl: bool,
    /// File with the certificates of the authorities that may vouch for the provider; those of the system if there is none.
    pub authorities: Option<PathBuf>,
    /// How long the provider may take to answer.
    pub request_timeout: Duration,
    /// What servers check of tokens.
    pub checks: TokenChecks,
    /// How clients get a token.
    pub credentials: Credentials,
    /// A file that holds a token, which is read again when a token is needed.
    pub token_file: Option<PathBuf>,
    /// How long before its end a token is not used any more.
    pub refresh_margin: Duration,
}

/// What servers check of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenChecks {
    /// Whom tokens have to be for (`aud`); if it is not said, the client has to be named in `aud` or `azp`.
    pub audience: Option<String>,
    /// Who has to have issued them (`iss`); if it is not said, whoever the provider says it is.
    pub issuer: Option<String>,
    /// Whether it matters whom tokens are for.
    pub check_audience: bool,
    /// Whether it matters who has issued them.
    pub check_issuer: bool,
    /// A claim that has roles, too: its name, or names with dots between them for one inside of others.
    pub roles_claim: Option<String>,
    /// A claim that has groups, too.
    pub groups_claim: Option<String>,
    /// After how long the provider's keys are looked at again.
    pub keys_lifespan: Duration,
}

/// How clients get a token, as far as the settings say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Not by the settings.
    Elsewhere,
    /// It is written in the settings.
    Token(Password),
    /// It is in this environment variable.
    Variable(String),
    /// From the provider, for a user. Public clients have no secret.
    User {
        /// The user.
        name: String,
        /// The user's password.
        password: Password,
        /// The secret of the client.
        client_secret: Option<Password>,
    },
    /// From the provider, for the client itself.
    Client {
        /// The secret of the client.
        client_secret: Password,
    },
}

impl OidcConfig {
    pub(super) fn of(raw: RawAuth, own: Option<RawFeastrAuth>, folder: &Path, diagnostics: &mut Diagnostics) -> Self {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let file = |path: Option<String>| given(path).map(|path| resolve(folder, &path));
        let discovery_url = raw.auth_discovery_url.as_ref().and_then(|text| url(text, diagnostics));
        let mut seconds = |number: &Spanned<f64>| duration(number, diagnostics);
        let keys_lifespan = seconds(&raw.jwks_cache_lifespan_seconds);
        let request_timeout = seconds(&raw.jwks_request_timeout_seconds);
        let refresh_margin = seconds(&raw.token_refresh_margin_seconds);
        let credentials = Credentials::of(&raw, diagnostics);
        let (check_audience, check_issuer) =
            own.as_ref().map_or((true, true), |own| (own.check_audience, own.check_issuer));
        let (roles_claim, groups_claim, token_file) =
            own.map_or((None, None, None), |own| (own.roles_claim, own.groups_claim, own.token_file));
        Self {
            discovery_url,
            client_id: raw.client_id.map(|client| client.value).filter(|client| !client.is_empty()),
            verify_ssl: raw.verify_ssl,
            authorities: file(raw.ca_cert_path),
            request_timeout,
            checks: TokenChecks {
                audience: given(raw.audience),
                issuer: given(raw.issuer),
                check_audience,
                check_issuer,
                roles_claim: given(roles_claim),
                groups_claim: given(groups_claim),
                keys_lifespan,
            },
            credentials,
            token_file: file(token_file),
            refresh_margin,
        }
    }

    pub(super) fn settings(&self) -> Value {
        let mut settings = json!({
            "type": "oidc",
            "auth_discovery_url": self.discovery_url.as_ref().map(Url::as_str),
            "client_id": self.client_id,
            "verify_ssl": self.verify_ssl,
            "ca_cert_path": self.authorities,
            "audience": self.checks.audience,
            "issuer": self.checks.issuer,
            "jwks_cache_lifespan_seconds": self.checks.keys_lifespan.as_secs_f64(),
            "jwks_request_timeout_seconds": self.request_timeout.as_secs_f64(),
            "token_refresh_margin_seconds": self.refresh_margin.as_secs_f64(),
        });
        match &self.credentials {
            Credentials::Elsewhere => {}
            Credentials::Token(_) => settings["token"] = json!("***"),
            Credentials::Variable(name) => settings["token_env_var"] = json!(name),
            Credentials::User { name, client_secret, .. } => {
                settings["username"] = json!(name);
                settings["password"] = json!("***");
                settings["client_secret"] = json!(client_secret.as_ref().map(|_| "***"));
            }
            Credentials::Client { .. } => settings["client_secret"] = json!("***"),
        }
        settings
    }
}

impl Credentials {
    /// One way of getting a token, whole.
    fn of(raw: &RawAuth, diagnostics: &mut Diagnostics) -> Self {
        let secret = |password: &Option<Password>| password.clone().filter(|password| !password.0.is_empty());
        let (token, client_secret) = (secret(&raw.token), secret(&raw.client_secret));
        let variable = raw.token_env_var.clone().filter(|name| !name.is_empty());
        let asks = client_secret.is_some() || raw.username.is_some() || raw.password.is_some();
        let ways =
            [(token.is_some(), "token"), (variable.is_some(), "token_env_var"), (asks, "client_secret or username")];
        let given: Vec<&str> = ways.iter().filter(|(is_given, _)| *is_given).map(|(_, name)| *name).collect();
        if given.len() > 1 {
            let message = format!("there are several ways of getting a token: {}", given.join(", "));
            diagnostics.error_with_help(&raw.span, message, "leave one of them".to_owned());
        }
        if asks && (raw.auth_discovery_url.is_none() || raw.client_id.is_none()) {
            let message = "`auth_discovery_url` or `client_id` is missing, which clients need to ask for tokens";
            diagnostics.error_with_help(&raw.span, message, "give both".to_owned());
        }
        match (token, variable, &raw.username, secret(&raw.password), client_secret) {
            (Some(token), ..) => Self::Token(token),
            (None, Some(name), ..) => Self::Variable(name),
            (None, None, Some(name), Some(password), client_secret) => {
                Self::User { name: name.value.clone(), password, client_secret }
            }
            (None, None, None, None, Some(client_secret)) => Self::Client { client_secret },
            (None, None, None, None, None) => Self::Elsewhere,
            (None, None, name, _, _) => {
                let place = name.as_ref().map_or(&raw.span, |name| &name.span);
                let message = "`username` and `password` belong together";
                diagnostics.error_with_help(place, message, "give both, or none of them".to_owned());
                Self::Elsewhere
            }
        }
    }
}

fn url(text: &Spanned<String>, diagnostics: &mut Diagnostics) -> Option<Url> {
    let mut wrong = |span: &Span, message: &str| {
        let help =
            "write it like https://keycloak.example.com/realms/REALM/.well-known/openid-configuration".to_owned();
        diagnostics.error_with_help(span, message, help);
        None
    };
    match Url::parse(text.value.trim()) {
        Err(error) => wrong(&text.span, &format!("this is no URL: {error}")),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            wrong(&text.span, "identity providers have URLs that begin with https:// or http://")
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            wrong(&text.span, "the URL of an identity provider has no user and no password")
        }
        Ok(url) => Some(url),
    }
}
