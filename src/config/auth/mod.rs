//! The `auth` setting: who may ask servers, and what clients say who they are. One mapping serves both, so that a server and
//! those who ask it can share a settings file.

mod kubernetes;
mod oidc;
mod seconds;
mod written;

use std::path::Path;

use serde_json::{Value, json};

pub use kubernetes::{ApiServerPlace, Bindings, Decisions, KubernetesConfig};
pub use oidc::{Credentials, OidcConfig, TokenChecks};
pub(super) use written::{RawAuth, RawFeastrAuth};

use super::Environment;
use crate::{diagnostics::Diagnostics, yaml::Spanned};

const KINDS: [&str; 3] = ["no_auth", "oidc", "kubernetes"];
const DEFAULTS: [&str; 2] = ["allow", "deny"];

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
    Kubernetes(Box<KubernetesConfig>),
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

impl AuthConfig {
    /// The settings as they are understood, with `***` for what is secret.
    pub(super) fn settings(&self) -> Value {
        match &self.method {
            AuthMethod::None => json!({ "type": "no_auth" }),
            AuthMethod::Kubernetes(kubernetes) => kubernetes.settings(),
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
        if let AuthMethod::Kubernetes(kubernetes) = &self.method {
            settings["token_file"] = json!(kubernetes.token_file);
            settings["kubernetes"] = kubernetes.own_settings();
        }
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
        environment: Environment<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let without_permissions = match own.as_ref().map(|own| &own.default) {
            Some(word) => default(word, diagnostics),
            None => WithoutPermissions::default(),
        };
        let method =
            raw.map_or_else(AuthMethod::default, |raw| AuthMethod::of(raw, own, (folder, environment), diagnostics));
        Self { method, without_permissions }
    }
}

impl AuthMethod {
    fn of(
        raw: RawAuth,
        own: Option<RawFeastrAuth>,
        (folder, environment): (&Path, Environment<'_>),
        diagnostics: &mut Diagnostics,
    ) -> Self {
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
            "kubernetes" => {
                Self::Kubernetes(Box::new(KubernetesConfig::of(raw, own, folder, environment, diagnostics)))
            }
            "oidc" => Self::Oidc(Box::new(OidcConfig::of(raw, own, folder, diagnostics))),
            other => {
                let message = format!("`{}` is no way of proving who one is", other.escape_debug());
                diagnostics.error_with_help(&kind.span, message, help());
                Self::None
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

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, sync::Arc, time::Duration};

    use super::*;
    use crate::{
        config::{Password, load, variables},
        diagnostics::SourceText,
    };

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

    fn kubernetes(own: &str) -> KubernetesConfig {
        match read("{type: kubernetes}", own).unwrap().method {
            AuthMethod::Kubernetes(kubernetes) => *kubernetes,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_api_server_is_named_or_that_of_the_cluster() {
        assert_eq!(kubernetes("{}"), KubernetesConfig::default());
        let config = kubernetes(
            "{token_file: t, kubernetes: {kubeconfig: k.yaml, mode: subject_access_review, audience: a, bindings: all, \
             cache_seconds: 0.5}}",
        );
        assert_eq!(config.api_server, Some(ApiServerPlace::Kubeconfig("/repo/k.yaml".into())));
        let group = Decisions::AccessReviews { api_group: "features.kubeflow.org".to_owned() };
        assert_eq!((config.decisions, config.bindings), (group, Bindings::All));
        assert_eq!((config.audience.as_deref(), config.token_file), (Some("a"), Some(PathBuf::from("/repo/t"))));
        assert_eq!(config.lifespan, Duration::from_millis(500));
        let wrong = |own: &str| read("{type: kubernetes}", &format!("{{kubernetes: {own}}}")).unwrap_err();
        assert_eq!(wrong("{mode: rbac}"), ["`rbac` is not one of permissions, subject_access_review"]);
        assert_eq!(wrong("{cache_seconds: 61}"), ["answers of the API server count for at most 60 seconds"]);
    }

    #[test]
    fn a_pod_knows_its_cluster() {
        let environment = |name: &str| match name {
            variables::KUBERNETES_HOST => Some("fd00::1".to_owned()),
            variables::KUBERNETES_PORT => Some("6443".to_owned()),
            variables::KUBERNETES_ACCOUNT => Some("/account".to_owned()),
            _ => None,
        };
        let text = "project: p\nregistry: r.db\nauth: {type: kubernetes}\n";
        let file = Arc::new(SourceText::settings("/repo/feature_store.yaml", text.to_owned()));
        let paths = ["/repo", "/repo/feature_store.yaml"].map(Path::new);
        let config = load(&file, paths, &environment, &mut Diagnostics::default()).unwrap();
        let AuthMethod::Kubernetes(config) = config.auth.method else { panic!("another method") };
        assert_eq!(config.api_server, Some(ApiServerPlace::Cluster("https://[fd00::1]:6443".to_owned())));
        assert_eq!(config.account, PathBuf::from("/account"));
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
