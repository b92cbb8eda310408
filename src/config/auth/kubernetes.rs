//! Tokens of Kubernetes (`type: kubernetes`): how clients get theirs, and how servers find out whose one is and what that
//! may.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    seconds::duration,
    written::{RawAuth, RawFeastrAuth, RawKubernetes},
};
use crate::{
    config::{Environment, Password, resolve, variables},
    diagnostics::Diagnostics,
    yaml::Spanned,
};

/// Where Kubernetes puts the account of a pod.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// How long an answer of the API server may count.
const LONGEST: Duration = Duration::from_secs(60);

/// How clients prove who they are with tokens of Kubernetes, and how servers check them.
#[derive(Debug, Clone, PartialEq)]
pub struct KubernetesConfig {
    /// The token that clients send, if it is written in the settings.
    pub user_token: Option<Password>,
    /// The file with the token that clients send, if it is named.
    pub token_file: Option<PathBuf>,
    /// The folder with the account of the pod: `token`, `ca.crt`, `namespace`.
    pub account: PathBuf,
    /// Where servers find the API server; `None` outside of a cluster, where nothing is named.
    pub api_server: Option<ApiServerPlace>,
    /// Whom tokens have to be for; without it for the API server itself.
    pub audience: Option<String>,
    /// Who decides what somebody may.
    pub decisions: Decisions,
    /// The namespace whose role bindings give roles, if it is named.
    pub namespace: Option<String>,
    /// Whose role bindings count.
    pub bindings: Bindings,
    /// How long an answer of the API server counts.
    pub lifespan: Duration,
}

/// Where the API server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiServerPlace {
    /// That of the cluster that the pod is in, at this URL.
    Cluster(String),
    /// The one that a kubeconfig names.
    Kubeconfig(PathBuf),
}

/// Who decides what somebody may.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Decisions {
    /// The permissions of the registry.
    #[default]
    Permissions,
    /// The API server (SubjectAccessReview), for which objects of a project are resources of this group in a namespace.
    AccessReviews {
        /// The API group, such as `features.kubeflow.org`.
        api_group: String,
    },
}

/// Whose role bindings give roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bindings {
    /// Those of the server's own namespace and of the cluster.
    #[default]
    Own,
    /// Those of all namespaces, as in Feast.
    All,
}

impl Default for KubernetesConfig {
    fn default() -> Self {
        Self {
            user_token: None,
            token_file: None,
            account: ACCOUNT.into(),
            api_server: None,
            audience: None,
            decisions: Decisions::default(),
            namespace: None,
            bindings: Bindings::default(),
            lifespan: LONGEST,
        }
    }
}

impl KubernetesConfig {
    pub(super) fn of(
        raw: RawAuth,
        own: Option<RawFeastrAuth>,
        folder: &Path,
        environment: Environment<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let file = |path: Option<String>| given(path).map(|path| resolve(folder, &path));
        let set = |name: &str| given(environment(name));
        let cluster = set(variables::KUBERNETES_HOST).map(|host| {
            let host = if host.contains(':') { format!("[{host}]") } else { host };
            let port = set(variables::KUBERNETES_PORT).unwrap_or_else(|| "443".to_owned());
            ApiServerPlace::Cluster(format!("https://{host}:{port}"))
        });
        let (token_file, kubernetes) = own.map_or((None, None), |own| (own.token_file, own.kubernetes));
        let config = Self {
            user_token: raw.user_token.filter(|token| !token.0.is_empty()),
            token_file: file(token_file),
            account: set(variables::KUBERNETES_ACCOUNT).map_or_else(|| ACCOUNT.into(), PathBuf::from),
            api_server: cluster,
            ..Self::default()
        };
        let Some(RawKubernetes { kubeconfig, audience, namespace, api_group, mode, bindings, cache_seconds, .. }) =
            kubernetes
        else {
            return config;
        };
        let mut word = |word: &Spanned<String>, known: [&str; 2]| {
            let place = known.iter().position(|known| *known == word.value);
            place.unwrap_or_else(|| {
                let message = format!("`{}` is not one of {}", word.value.escape_debug(), known.join(", "));
                diagnostics.error_with_help(&word.span, message, format!("write one of {}", known.join(", ")));
                0
            })
        };
        let decisions = match word(&mode, ["permissions", "subject_access_review"]) {
            0 => Decisions::Permissions,
            _ => Decisions::AccessReviews { api_group },
        };
        let bindings = match word(&bindings, ["own", "all"]) {
            0 => Bindings::Own,
            _ => Bindings::All,
        };
        let mut lifespan = duration(&cache_seconds, diagnostics);
        if lifespan > LONGEST {
            let message = format!("answers of the API server count for at most {} seconds", LONGEST.as_secs());
            diagnostics.error(&cache_seconds.span, message);
            lifespan = LONGEST;
        }
        Self {
            api_server: file(kubeconfig).map(ApiServerPlace::Kubeconfig).or(config.api_server),
            audience: given(audience),
            decisions,
            namespace: given(namespace),
            bindings,
            lifespan,
            ..config
        }
    }

    pub(super) fn settings(&self) -> Value {
        json!({ "type": "kubernetes", "user_token": self.user_token.as_ref().map(|_| "***") })
    }

    /// What only feastr knows of them.
    pub(super) fn own_settings(&self) -> Value {
        let (mode, api_group) = match &self.decisions {
            Decisions::Permissions => ("permissions", None),
            Decisions::AccessReviews { api_group } => ("subject_access_review", Some(api_group)),
        };
        let kubeconfig = match &self.api_server {
            Some(ApiServerPlace::Kubeconfig(path)) => Some(path),
            Some(ApiServerPlace::Cluster(_)) | None => None,
        };
        json!({
            "mode": mode,
            "api_group": api_group,
            "audience": self.audience,
            "namespace": self.namespace,
            "kubeconfig": kubeconfig,
            "bindings": if self.bindings == Bindings::Own { "own" } else { "all" },
            "cache_seconds": self.lifespan.as_secs_f64(),
        })
    }
}
