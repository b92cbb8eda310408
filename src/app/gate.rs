//! Who asks a server: what faces that live hand the headers of requests to.

use super::{Caller, FeatureStore};
use crate::{
    auth::tokens::{Identity, Verifier},
    config::{AuthConfig, AuthMethod, Password, WithoutPermissions},
    model::Timestamp,
    permissions::Permissions,
    problem::{Kind, Problem},
};

/// Finds out who asks. Threads can share it.
#[derive(Debug)]
pub struct Gate {
    /// The server itself, in histories and for what it does by itself.
    own: Caller,
    /// What checks tokens; `None` where nobody is asked.
    verifier: Option<Verifier>,
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
        let verifier = match &config.method {
            AuthMethod::None => None,
            AuthMethod::Oidc(oidc) => Some(Verifier::new(oidc, secret, clock)?),
            AuthMethod::Kubernetes { .. } => {
                let message = "tokens of Kubernetes are not checked yet, and without that nothing is served";
                let help = "set `auth` to `type: oidc`, with the identity provider that people have".to_owned();
                return Err(Problem::new(Kind::Unsupported, message, help));
            }
        };
        Ok(Self { own, verifier })
    }

    /// A gate that everybody passes, as the server itself.
    pub const fn open(own: Caller) -> Self {
        Self { own, verifier: None }
    }

    /// The server itself.
    pub const fn own(&self) -> &Caller {
        &self.own
    }

    /// Whether people are asked who they are.
    pub const fn is_guarded(&self) -> bool {
        self.verifier.is_some()
    }

    /// Who asks with these `authorization` headers.
    ///
    /// # Errors
    /// [`Kind::Unauthenticated`] when nobody knows, [`Kind::Unavailable`] or [`Kind::Deadline`] when nobody can know now.
    pub async fn caller<'a>(&self, headers: impl IntoIterator<Item = &'a [u8]>) -> Result<Caller, Problem> {
        match &self.verifier {
            None => Ok(self.own.clone()),
            Some(verifier) => Ok(match verifier.identify(headers).await? {
                Identity::User(user) => Caller::User(user),
                Identity::Internal => Caller::Internal,
            }),
        }
    }

    /// Gets ready for those who ask: whoever proves who they are can be let in from then on.
    ///
    /// # Errors
    /// When the identity provider was never asked for its keys and cannot be.
    pub async fn prepare(&self) -> Result<(), Problem> {
        match &self.verifier {
            None => Ok(()),
            Some(verifier) => verifier.prepare().await,
        }
    }

    /// What whoever runs the server should know of who may what.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn notices(&self, store: &FeatureStore) -> Result<Vec<Notice>, Problem> {
        let (config, permissions) = (&store.config().auth, store.permissions(&store.registered()?));
        let AuthMethod::Oidc(oidc) = &config.method else { return Ok(unguarded(&permissions)) };
        let provider = oidc.discovery_url.as_ref().map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        let mut notices = vec![Notice::Fine(format!("Who asks proves it with a token of {provider}"))];
        let mut warn = |is_so: bool, text: &str| {
            if is_so {
                notices.push(Notice::Warning(text.to_owned()));
            }
        };
        let checks = &oidc.checks;
        warn(
            permissions.is_empty() && config.without_permissions == WithoutPermissions::Allow,
            "There are no permissions: everybody who has a token may do everything; `feastr: {auth: {default: deny}}` \
             forbids it",
        );
        warn(
            permissions.is_empty() && config.without_permissions == WithoutPermissions::Deny,
            "There are no permissions, and `default: deny`: nobody may do anything",
        );
        warn(
            !checks.check_audience && checks.audience.is_none(),
            "Tokens count for whomever they are (`check_audience: false`): also those for other programs",
        );
        warn(
            !checks.check_issuer && checks.issuer.is_none(),
            "Tokens count whoever they say has issued them (`check_issuer: false`)",
        );
        warn(!oidc.verify_ssl, "The identity provider does not have to prove who it is (`verify_ssl: false`)");
        Ok(notices)
    }
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
