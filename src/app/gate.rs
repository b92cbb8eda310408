//! Who asks a server: what faces that live hand the headers of requests to.

use super::{Caller, FeatureStore};
use crate::{
    auth::{
        kubernetes::KubernetesVerifier,
        tokens::{Identity, Verifier},
    },
    config::{AuthConfig, AuthMethod, Bindings, Decisions, KubernetesConfig, OidcConfig, Password, WithoutPermissions},
    model::Timestamp,
    permissions::Permissions,
    problem::Problem,
};

/// Finds out who asks. Threads can share it.
#[derive(Debug)]
pub struct Gate {
    /// The server itself, in histories and for what it does by itself.
    own: Caller,
    proof: Proof,
}

/// How those who ask prove who they are.
#[derive(Debug)]
enum Proof {
    /// Nobody is asked.
    None,
    /// With tokens of an identity provider.
    Provider(Verifier),
    /// With tokens of Kubernetes.
    Kubernetes(KubernetesVerifier),
}

/// Something that whoever runs the server should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// It is as it should be.
    Fine(String),
    /// It lets more people do more than one may think, or is not ready.
    Warning(String),
}

impl Gate {
    /// The gate of the settings. `secret` is what servers of the store share, if they do.
    ///
    /// # Errors
    /// When the settings ask for what is not supported, or do not say enough.
    pub fn of(
        config: &AuthConfig,
        own: Caller,
        secret: Option<&Password>,
        clock: fn() -> Timestamp,
    ) -> Result<Self, Problem> {
        let proof = match &config.method {
            AuthMethod::None => Proof::None,
            AuthMethod::Oidc(oidc) => Proof::Provider(Verifier::new(oidc, secret, clock)?),
            AuthMethod::Kubernetes(kubernetes) => {
                Proof::Kubernetes(KubernetesVerifier::new(kubernetes, secret, clock)?)
            }
        };
        Ok(Self { own, proof })
    }

    /// A gate that everybody passes, as the server itself.
    pub const fn open(own: Caller) -> Self {
        Self { own, proof: Proof::None }
    }

    /// The server itself.
    pub const fn own(&self) -> &Caller {
        &self.own
    }

    /// Whether people are asked who they are.
    pub const fn is_guarded(&self) -> bool {
        !matches!(self.proof, Proof::None)
    }

    /// Who asks with these `authorization` headers.
    ///
    /// # Errors
    /// [`Kind::Unauthenticated`] when nobody knows, [`Kind::Unavailable`] or [`Kind::Deadline`] when nobody can know now.
    pub async fn caller<'a>(&self, headers: impl IntoIterator<Item = &'a [u8]>) -> Result<Caller, Problem> {
        let identity = match &self.proof {
            Proof::None => return Ok(self.own.clone()),
            Proof::Provider(verifier) => verifier.identify(headers).await?,
            Proof::Kubernetes(verifier) => verifier.identify(headers).await?,
        };
        Ok(match identity {
            Identity::User(user) => Caller::User(user),
            Identity::Internal => Caller::Internal,
        })
    }

    /// Gets ready for those who ask: whoever proves who they are can be let in from then on.
    ///
    /// # Errors
    /// When the identity provider was never asked for its keys and cannot be, or the API server does not tell who has which
    /// role.
    pub async fn prepare(&self) -> Result<(), Problem> {
        match &self.proof {
            Proof::None => Ok(()),
            Proof::Provider(verifier) => verifier.prepare().await,
            Proof::Kubernetes(verifier) => verifier.prepare().await,
        }
    }

    /// What whoever runs the server should know of who may what, by the permissions of the project.
    ///
    /// # Errors
    /// When roles cannot be told.
    pub fn notices(&self, store: &FeatureStore, permissions: &Permissions) -> Result<Vec<Notice>, Problem> {
        let config = &store.config().auth;
        let mut notices = match (&config.method, &self.proof) {
            (AuthMethod::Oidc(oidc), _) => of_provider(oidc),
            (AuthMethod::Kubernetes(kubernetes), Proof::Kubernetes(verifier)) => of_kubernetes(kubernetes, verifier),
            _ => return Ok(unguarded(permissions)),
        };
        if permissions.is_empty() && store.reviewed().is_none() {
            let text = match config.without_permissions {
                WithoutPermissions::Allow => {
                    "There are no permissions: everybody who has a token may do everything; `feastr: {auth: {default: \
                     deny}}` forbids it"
                }
                WithoutPermissions::Deny => "There are no permissions, and `default: deny`: nobody may do anything",
            };
            notices.push(Notice::Warning(text.to_owned()));
        }
        Ok(notices)
    }
}

/// What of the settings makes tokens of an identity provider count.
fn of_provider(oidc: &OidcConfig) -> Vec<Notice> {
    let provider = oidc.discovery_url.as_ref().map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let mut notices = vec![Notice::Fine(format!("Who asks proves it with a token of {provider}"))];
    let mut warn = |is_so: bool, text: &str| {
        if is_so {
            notices.push(Notice::Warning(text.to_owned()));
        }
    };
    let checks = &oidc.checks;
    warn(
        !checks.check_audience && checks.audience.is_none(),
        "Tokens count for whomever they are (`check_audience: false`): also those for other programs",
    );
    warn(
        !checks.check_issuer && checks.issuer.is_none(),
        "Tokens count whoever they say has issued them (`check_issuer: false`)",
    );
    warn(!oidc.verify_ssl, "The identity provider does not have to prove who it is (`verify_ssl: false`)");
    notices
}

/// The same of those of Kubernetes.
fn of_kubernetes(config: &KubernetesConfig, verifier: &KubernetesVerifier) -> Vec<Notice> {
    let decides = match &config.decisions {
        Decisions::Permissions => String::new(),
        Decisions::AccessReviews { api_group } => {
            format!(", which decides what that may with resources of {api_group}")
        }
    };
    let mut notices =
        vec![Notice::Fine(format!("Who asks proves it with a token that {} knows{decides}", verifier.api_server()))];
    if config.audience.is_none() {
        let text = "Tokens are those for the API server itself: who is sent one can do there what its account may; \
                    `feastr: {auth: {kubernetes: {audience: …}}}` has them be for this server alone";
        notices.push(Notice::Warning(text.to_owned()));
    }
    if config.decisions == Decisions::Permissions && config.bindings == Bindings::All {
        let text = "Role bindings of all namespaces count (`bindings: all`): who may bind roles in one of them has any \
                    role and group here";
        notices.push(Notice::Warning(text.to_owned()));
    }
    notices
}

/// Nobody is asked, so permissions are of no use.
fn unguarded(permissions: &Permissions) -> Vec<Notice> {
    if permissions.is_empty() {
        return Vec::new();
    }
    let text =
        "Permissions are registered and have no effect: nobody is asked who they are; set `auth` to `type: oidc`";
    vec![Notice::Warning(text.to_owned())]
}
