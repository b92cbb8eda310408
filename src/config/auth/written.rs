//! The keys of `auth` as they are written.

use crate::{
    config::Password,
    yaml::{Spanned, record},
};

const DEFAULT_KEYS_LIFESPAN: f64 = 300.0;
const DEFAULT_TIMEOUT: f64 = 10.0;
const DEFAULT_MARGIN: f64 = 30.0;

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
        /// What servers of type `kubernetes` ask the API server, and how.
        kubernetes: RawKubernetes,
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

record! {
    /// How servers of type `kubernetes` find out who asks, and what that may.
    pub(crate) struct RawKubernetes, "the settings of auth with Kubernetes";
    required {}
    optional {
        /// Whom tokens have to be for, such as `features.kubeflow.org`; without it for the API server itself.
        audience: String,
        /// The namespace whose role bindings give roles; else that of the pod, or of the kubeconfig.
        namespace: String,
        /// The file that says where the API server is and who we are there, for a server outside of the cluster.
        kubeconfig: String,
    }
    defaulted {
        /// With `mode: subject_access_review`: the API group whose resources objects are.
        api_group: String = "features.kubeflow.org".to_owned(),
    }
    placed {
        /// Who decides what somebody may: `permissions` of the registry, or the API server (`subject_access_review`), for which
        /// objects of a project are resources in the namespace that is called like it.
        mode: String = "permissions",
        /// Which role bindings give roles: `own` are those of the server's namespace and of the cluster, `all` those of all
        /// namespaces, as in Feast: who may bind roles in one of them has any role and group then.
        bindings: String = "own",
        /// For how many seconds an answer of the API server counts, at most 60.
        cache_seconds: f64 = 60.0,
    }
}

impl RawAuth {
    /// Whether there is more than what would be so without it.
    pub(super) fn says_something(&self) -> bool {
        let secrets = [&self.client_secret, &self.password, &self.token, &self.user_token];
        let texts = [&self.ca_cert_path, &self.audience, &self.issuer, &self.token_env_var];
        let placed = [&self.client_id, &self.auth_discovery_url, &self.username];
        secrets.iter().any(|secret| secret.is_some())
            || texts.iter().any(|text| text.is_some())
            || placed.iter().any(|text| text.is_some())
    }
}
