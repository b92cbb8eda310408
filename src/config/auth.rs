//! The `auth` setting: who may ask servers, and what clients say who they are. One mapping serves both, so that a server and
//! those who ask it can share a settings file.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};
use url::Url;

use super::{Password, resolve};
use crate::{
    diagnostics::{Diagnostics, Span},
    yaml::{Spanned, record},
};

const KINDS: [&str; 3] = ["no_auth", "oidc", "kubernetes"];
const DEFAULTS: [&str; 2] = ["allow", "deny"];
const DEFAULT_KEYS_LIFESPAN: f64 = 300.0;
const DEFAULT_TIMEOUT: f64 = 10.0;
const DEFAULT_MARGIN: f64 = 30.0;

/// Who may ask servers, and what clients say who they are.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AuthConfig {
    /// How somebody proves who they are.
    pub method: AuthMethod,
    /// What holds in a project without any permission.
    pub without_permissions: WithoutPermissions,
}

/// How somebody proves who they are.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum AuthMethod {
    /// Nobody is asked, and clients send nothing.
    #[default]
    None,
    /// With tokens of an identity provider.
    Oidc(Box<OidcConfig>),
    /// With tokens of Kubernetes.
    Kubernetes {
        /// The token that clients send, if it is written in the settings.
        user_token: Option<Password>,
    },
}

/// What holds in a project without any permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WithoutPermissions {
    /// Everybody who has a name may do everything, as in Feast.
    #[default]
    Allow,
    /// Nobody may do anything.
    Deny,
}

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

record! {
    /// How servers know who asks, and how clients prove who they are.
    pub(crate) struct RawAuth, "the settings of auth";
    required {}
    optional {
        /// `no_auth`, `oidc` or `kubernetes`.
        r#type: Spanned<String>,
        /// The client at the identity provider. Its roles count (`resource_access.CLIENT.roles` of a token).
        client_id: Spanned<String>,
        /// Where the identity provider describes itself: `https://…/.well-known/openid-configuration`.
        auth_discovery_url: Spanned<String>,
        /// File with the certificates of the authorities that may vouch for the provider; without one those of the system may.
        ca_cert_path: String,
        /// Of servers: whom tokens have to be for. Without it a token has to name `client_id` in `aud` or `azp`.
        audience: String,
        /// Of servers: who has to have issued tokens. Without it that is who the provider says it is.
        issuer: String,
        /// Of clients: the secret of the client at the provider.
        client_secret: Password,
        /// Of clients: the user for whom the provider gives tokens.
        username: Spanned<String>,
        /// Of clients: the user's password.
        password: Password,
        /// Of clients: a token.
        token: Password,
        /// Of clients: the environment variable that holds a token.
        token_env_var: String,
        /// Of clients of type `kubernetes`: a token.
        user_token: Password,
        /// The client of Feast's web pages. Without effect.
        ui_client_id: String,
    }
    defaulted {
        /// Whether the provider has to prove who it is.
        verify_ssl: bool = true,
    }
    placed {
        /// Of servers: after how many seconds the provider's keys are looked at again.
        jwks_cache_lifespan_seconds: f64 = DEFAULT_KEYS_LIFESPAN,
        /// How many seconds the provider may take to answer.
        jwks_request_timeout_seconds: f64 = DEFAULT_TIMEOUT,
        /// Of clients: how many seconds before its end a token is not used any more.
        token_refresh_margin_seconds: f64 = DEFAULT_MARGIN,
    }
}

record! {
    /// What only feastr knows of `auth`.
    pub(crate) struct RawFeastrAuth, "the feastr settings of auth";
    required {}
    optional {
        /// Of servers: a claim of tokens that has roles, too, such as `realm_access.roles`: its name, or names with dots between
        /// them for one inside of others.
        roles_claim: String,
        /// Of servers: a claim that has groups, too.
        groups_claim: String,
        /// Of clients: a file that holds a token, which is read again when a token is needed.
        token_file: String,
    }
    defaulted {
        /// Of servers: whether it matters whom tokens are for; with `false` only where `audience` is set, as in Feast.
        check_audience: bool = true,
        /// Of servers: whether it matters who has issued tokens; with `false` only where `issuer` is set, as in Feast.
        check_issuer: bool = true,
    }
    placed {
        /// What holds in a project without any permission: `allow` lets everybody who has a name do everything, as in Feast;
        /// `deny` nobody anything.
        default: String = "allow",
    }
}

impl AuthConfig {
    /// The settings as they are understood, with `***` for what is secret.
    pub(super) fn settings(&self) -> Value {
        match &self.method {
            AuthMethod::None => json!({ "type": "no_auth" }),
            AuthMethod::Kubernetes { user_token } => {
                json!({ "type": "kubernetes", "user_token": user_token.as_ref().map(|_| "***") })
            }
            AuthMethod::Oidc(oidc) => oidc.settings(),
        }
    }

    /// What only feastr knows of them, likewise.
    pub(super) fn own_settings(&self) -> Value {
        let default = match self.without_permissions {
            WithoutPermissions::Allow => "allow",
            WithoutPermissions::Deny => "deny",
        };
        let mut settings = json!({ "default": default });
        if let AuthMethod::Oidc(oidc) = &self.method {
            settings["check_audience"] = json!(oidc.checks.check_audience);
            settings["check_issuer"] = json!(oidc.checks.check_issuer);
            settings["roles_claim"] = json!(oidc.checks.roles_claim);
            settings["groups_claim"] = json!(oidc.checks.groups_claim);
            settings["token_file"] = json!(oidc.token_file);
        }
        settings
    }

    /// The settings that were written, with findings about those that make no sense.
    pub(super) fn of(
        raw: Option<RawAuth>,
        own: Option<RawFeastrAuth>,
        folder: &Path,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let without_permissions = match own.as_ref().map(|own| &own.default) {
            Some(word) => default(word, diagnostics),
            None => WithoutPermissions::default(),
        };
        let method = raw.map_or_else(AuthMethod::default, |raw| AuthMethod::of(raw, own, folder, diagnostics));
        Self { method, without_permissions }
    }
}

impl AuthMethod {
    fn of(raw: RawAuth, own: Option<RawFeastrAuth>, folder: &Path, diagnostics: &mut Diagnostics) -> Self {
        let help = || format!("write one of {}", KINDS.join(", "));
        let Some(kind) = &raw.r#type else {
            // Who has written how to prove who one is does not want to ask nobody.
            if raw.says_something() {
                diagnostics.error_with_help(&raw.span, "`type` is missing in the settings of auth".to_owned(), help());
            }
            return Self::None;
        };
        match kind.value.as_str() {
            "no_auth" => Self::None,
            "kubernetes" => Self::Kubernetes { user_token: raw.user_token },
            "oidc" => Self::Oidc(Box::new(OidcConfig::of(raw, own, folder, diagnostics))),
            other => {
                let message = format!("`{}` is no way of proving who one is", other.escape_debug());
                diagnostics.error_with_help(&kind.span, message, help());
                Self::None
            }
        }
    }
}

impl RawAuth {
    /// Whether there is more than what would be so without it.
    fn says_something(&self) -> bool {
        let secrets = [&self.client_secret, &self.password, &self.token, &self.user_token];
        let texts = [&self.ca_cert_path, &self.audience, &self.issuer, &self.token_env_var];
        let placed = [&self.client_id, &self.auth_discovery_url, &self.username];
        secrets.iter().any(|secret| secret.is_some())
            || texts.iter().any(|text| text.is_some())
            || placed.iter().any(|text| text.is_some())
    }
}

impl OidcConfig {
    fn of(raw: RawAuth, own: Option<RawFeastrAuth>, folder: &Path, diagnostics: &mut Diagnostics) -> Self {
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

    fn settings(&self) -> Value {
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

fn default(word: &Spanned<String>, diagnostics: &mut Diagnostics) -> WithoutPermissions {
    match word.value.as_str() {
        "allow" => WithoutPermissions::Allow,
        "deny" => WithoutPermissions::Deny,
        other => {
            diagnostics.error_with_help(
                &word.span,
                format!("`{}` says nothing about who may what", other.escape_debug()),
                format!("write one of {}", DEFAULTS.join(", ")),
            );
            WithoutPermissions::Deny
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

fn duration(seconds: &Spanned<f64>, diagnostics: &mut Diagnostics) -> Duration {
    let duration = Duration::try_from_secs_f64(seconds.value).ok().filter(|duration| !duration.is_zero());
    duration.unwrap_or_else(|| {
        let message = format!("{} is no number of seconds", seconds.value);
        diagnostics.error_with_help(&seconds.span, message, "write a number above 0".to_owned());
        Duration::from_secs(1)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{config::load, diagnostics::SourceText};

    const URL: &str = "auth_discovery_url: http://idp/.well-known/openid-configuration";

    fn read(auth: &str, own: &str) -> Result<AuthConfig, Vec<String>> {
        let text = format!("project: p\nregistry: r.db\nauth: {auth}\nfeastr: {{auth: {own}}}\n");
        let file = Arc::new(SourceText::settings("/repo/feature_store.yaml", text));
        let mut diagnostics = Diagnostics::default();
        let secret = |name: &str| (name == "SECRET").then(|| "007".to_owned());
        let config = load(&file, ["/repo", "/repo/feature_store.yaml"].map(Path::new), &secret, &mut diagnostics);
        let messages = || diagnostics.into_sorted().into_iter().map(|found| found.message).collect();
        config.map(|config| config.auth).ok_or_else(messages)
    }

    fn oidc(auth: &str, own: &str) -> OidcConfig {
        match read(&format!("{{type: oidc, {auth}}}"), own).unwrap().method {
            AuthMethod::Oidc(oidc) => *oidc,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_mapping_is_for_servers_and_clients() {
        let config = oidc(
            &format!(
                "{URL}, client_id: store, client_secret: '${{SECRET}}', username: ann, password: $SECRET, audience: a, \
                 ca_cert_path: ca.pem, jwks_cache_lifespan_seconds: 0.5"
            ),
            "{default: deny, roles_claim: realm_access.roles, check_issuer: false}",
        );
        let user = Credentials::User {
            name: "ann".to_owned(),
            password: Password("007".to_owned()),
            client_secret: Some(Password("007".to_owned())),
        };
        assert_eq!((config.credentials, config.authorities), (user, Some(PathBuf::from("/repo/ca.pem"))));
        let TokenChecks { audience, check_audience, check_issuer, roles_claim, keys_lifespan, .. } = config.checks;
        assert_eq!((audience.as_deref(), check_audience, check_issuer), (Some("a"), true, false));
        assert_eq!((roles_claim.as_deref(), keys_lifespan), (Some("realm_access.roles"), Duration::from_millis(500)));
        assert_eq!(read("{}", "{default: deny}").unwrap().without_permissions, WithoutPermissions::Deny);
    }

    #[test]
    fn clients_get_tokens_in_one_way() {
        assert_eq!(oidc("token: abc", "{}").credentials, Credentials::Token(Password("abc".to_owned())));
        assert_eq!(oidc("token_env_var: TOKEN", "{}").credentials, Credentials::Variable("TOKEN".to_owned()));
        assert_eq!(oidc(URL, "{}").credentials, Credentials::Elsewhere);
        let secret = oidc(&format!("{URL}, client_id: c, client_secret: $SECRET"), "{}").credentials;
        assert_eq!(secret, Credentials::Client { client_secret: Password("007".to_owned()) });
        let wrong = |auth: &str| read(&format!("{{type: oidc, {auth}}}"), "{}").unwrap_err();
        let several = "there are several ways of getting a token: token, token_env_var";
        assert_eq!(wrong("token: a, token_env_var: B"), [several]);
        assert_eq!(
            wrong("client_secret: s, client_id: c"),
            ["`auth_discovery_url` or `client_id` is missing, which clients need to ask for tokens"]
        );
        let half = format!("{URL}, client_id: c, username: ann");
        assert_eq!(wrong(&half), ["`username` and `password` belong together"]);
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        assert_eq!(read("{type: oauth}", "{}").unwrap_err(), ["`oauth` is no way of proving who one is"]);
        assert_eq!(read("{client_id: store}", "{}").unwrap_err(), ["`type` is missing in the settings of auth"]);
        assert_eq!(read("{}", "{}").unwrap().method, AuthMethod::None);
        assert_eq!(read("{}", "{default: maybe}").unwrap_err(), ["`maybe` says nothing about who may what"]);
        for (wrong, message) in [
            ("auth_discovery_url: idp", "this is no URL: relative URL without a base"),
            ("auth_discovery_url: ftp://idp", "identity providers have URLs that begin with https:// or http://"),
            (
                "auth_discovery_url: 'http://ann:secret@idp'",
                "the URL of an identity provider has no user and no password",
            ),
            ("jwks_cache_lifespan_seconds: 0", "0 is no number of seconds"),
            ("token_refresh_margin_seconds: -1", "-1 is no number of seconds"),
        ] {
            assert_eq!(read(&format!("{{type: oidc, {wrong}}}"), "{}").unwrap_err(), [message], "{wrong}");
        }
        assert!(read("{type: oidc, audiense: x}", "{}").is_err());
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = read(
            &format!("{{type: oidc, {URL}, client_id: c, client_secret: hush1, username: ann, password: hush2}}"),
            "{}",
        );
        let config = config.unwrap();
        assert!(!format!("{config:?} {} {}", config.settings(), config.own_settings()).contains("hush"));
        assert_eq!(config.settings()["client_secret"], "***");
        let config = read("{type: kubernetes, user_token: hush}", "{}").unwrap();
        assert!(!format!("{config:?} {}", config.settings()).contains("hush"));
    }
}
