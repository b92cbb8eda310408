//! Where tokens come from: one of several ways, in Feast's order.

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use crate::config::{AuthMethod, Credentials, KubernetesConfig, OidcConfig, Password, variables};

/// Where tokens come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// Servers are told nothing.
    Nobody,
    /// The secret that servers share, said in an unsigned token, which they take for nothing else.
    Server(Password),
    /// The settings have one, under this key of `auth`.
    Settings(Password, &'static str),
    /// This environment variable.
    Variable(String),
    /// This file.
    File(PathBuf),
    /// The identity provider, for a user or for the client itself.
    Provider(Grant),
    /// Somebody has logged in, or not yet.
    Login,
}

/// What the identity provider gives a token for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Grant {
    /// A password.
    User { name: String, password: Password },
    /// The secret of the client.
    Client,
}

impl Way {
    /// The way that settings and environment name.
    pub(super) fn of(method: &AuthMethod, environment: fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| environment(name).filter(|value| !value.is_empty());
        match method {
            AuthMethod::None => Self::Nobody,
            AuthMethod::Oidc(oidc) => match set(variables::INTRA_COMMUNICATION) {
                Some(secret) => Self::Server(Password(unsigned(&json!({ "preferred_username": secret })))),
                None => Self::of_oidc(oidc, set(variables::OIDC_TOKEN).is_some()),
            },
            AuthMethod::Kubernetes(kubernetes) => match set(variables::INTRA_COMMUNICATION) {
                Some(secret) => Self::Server(Password(unsigned(&json!({ "sub": format!(":::{secret}") })))),
                None => Self::of_kubernetes(kubernetes, set(variables::KUBERNETES_TOKEN).is_some()),
            },
        }
    }

    fn of_oidc(oidc: &OidcConfig, is_in_environment: bool) -> Self {
        match &oidc.credentials {
            Credentials::Token(token) => Self::Settings(token.clone(), "token"),
            Credentials::Variable(name) => Self::Variable(name.clone()),
            Credentials::User { name, password, .. } => {
                Self::Provider(Grant::User { name: name.clone(), password: password.clone() })
            }
            Credentials::Client { .. } => Self::Provider(Grant::Client),
            Credentials::Elsewhere if is_in_environment => Self::Variable(variables::OIDC_TOKEN.to_owned()),
            Credentials::Elsewhere => match &oidc.token_file {
                Some(file) => Self::File(file.clone()),
                None => Self::Login,
            },
        }
    }

    fn of_kubernetes(kubernetes: &KubernetesConfig, is_in_environment: bool) -> Self {
        let of_pod = || kubernetes.account.join("token");
        match (&kubernetes.user_token, &kubernetes.token_file) {
            (Some(token), _) => Self::Settings(token.clone(), "user_token"),
            (None, Some(file)) => Self::File(file.clone()),
            (None, None) if is_in_environment && !of_pod().exists() => {
                Self::Variable(variables::KUBERNETES_TOKEN.to_owned())
            }
            (None, None) => Self::File(of_pod()),
        }
    }

    /// How it reads after "a token of": where somebody looks who wants to change it.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Nobody => "nobody".to_owned(),
            Self::Server(_) => format!("the environment variable {}", variables::INTRA_COMMUNICATION),
            Self::Settings(_, key) => format!("`{key}` under `auth` in feature_store.yaml"),
            Self::Variable(name) => format!("the environment variable {name}"),
            Self::File(path) => path.display().to_string(),
            Self::Provider(Grant::User { name, .. }) => format!("user `{name}` under `auth` in feature_store.yaml"),
            Self::Provider(Grant::Client) => "the client under `auth` in feature_store.yaml".to_owned(),
            Self::Login => "who is logged in".to_owned(),
        }
    }
}

/// A token that nobody has signed.
fn unsigned(claims: &serde_json::Value) -> String {
    let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(claims))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::login::samples::oidc;

    fn nothing(_: &str) -> Option<String> {
        None
    }

    fn token(name: &str) -> Option<String> {
        (name == variables::OIDC_TOKEN).then(|| "from-feast".to_owned())
    }

    fn secret(name: &str) -> Option<String> {
        (name == variables::INTRA_COMMUNICATION).then(|| "c2VjcmV0".to_owned())
    }

    #[test]
    fn the_order_is_feasts() {
        let of = |credentials, environment| Way::of(&AuthMethod::Oidc(Box::new(oidc(credentials))), environment);
        let password = |text: &str| Password(text.to_owned());
        let given = || Credentials::Token(password("abc"));
        assert_eq!(of(given(), token), Way::Settings(password("abc"), "token"));
        assert_eq!(of(Credentials::Variable("MINE".to_owned()), token), Way::Variable("MINE".to_owned()));
        assert_eq!(of(Credentials::Client { client_secret: password("s") }, token), Way::Provider(Grant::Client));
        let name = "ann".to_owned();
        let user = Credentials::User { name: name.clone(), password: password("p"), client_secret: None };
        assert_eq!(of(user, token), Way::Provider(Grant::User { name, password: password("p") }));
        assert_eq!(of(Credentials::Elsewhere, token), Way::Variable(variables::OIDC_TOKEN.to_owned()));
        assert_eq!(of(Credentials::Elsewhere, nothing), Way::Login);
        let file = OidcConfig { token_file: Some("token".into()), ..oidc(Credentials::Elsewhere) };
        let file = AuthMethod::Oidc(Box::new(file));
        assert_eq!(Way::of(&file, nothing), Way::File("token".into()));
        assert_eq!(Way::of(&file, token), Way::Variable(variables::OIDC_TOKEN.to_owned()));
        assert!(matches!(of(given(), secret), Way::Server(_)));
        assert_eq!(Way::of(&AuthMethod::None, secret), Way::Nobody);
    }

    #[test]
    fn a_pod_has_a_token() {
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        let of = |user_token: Option<&str>, token_file: Option<&str>, environment| {
            let user_token = user_token.map(|token| Password(token.to_owned()));
            let account = folder.path().to_owned();
            let config =
                KubernetesConfig { user_token, token_file: token_file.map(Into::into), account, ..Default::default() };
            Way::of(&AuthMethod::Kubernetes(Box::new(config)), environment)
        };
        let local = |name: &str| (name == variables::KUBERNETES_TOKEN).then(|| "local".to_owned());
        assert_eq!(of(None, None, local), Way::Variable(variables::KUBERNETES_TOKEN.to_owned()));
        assert_eq!(of(None, None, nothing), Way::File(token.clone()));
        std::fs::write(&token, "of-pod").unwrap();
        assert_eq!(of(None, None, local), Way::File(token));
        assert_eq!(of(None, Some("mine"), local), Way::File("mine".into()));
        assert_eq!(of(Some("abc"), Some("mine"), local), Way::Settings(Password("abc".to_owned()), "user_token"));
        let Way::Server(unsigned) = of(Some("abc"), None, secret) else { panic!("another way") };
        let claims = URL_SAFE_NO_PAD.decode(unsigned.0.split('.').nth(1).unwrap()).unwrap();
        assert_eq!(claims, br#"{"sub":":::c2VjcmV0"}"#);
    }

    #[test]
    fn the_secret_of_servers_is_said_as_feast_does() {
        let Way::Server(token) = Way::of(&AuthMethod::Oidc(Box::new(oidc(Credentials::Elsewhere))), secret) else {
            panic!("another way")
        };
        let parts: Vec<_> = token.0.split('.').collect();
        let part = |index: usize| String::from_utf8(URL_SAFE_NO_PAD.decode(parts[index]).unwrap()).unwrap();
        assert_eq!((parts.len(), parts[2]), (3, ""));
        assert_eq!(part(0), r#"{"alg":"none","typ":"JWT"}"#);
        assert_eq!(part(1), r#"{"preferred_username":"c2VjcmV0"}"#);
    }
}
