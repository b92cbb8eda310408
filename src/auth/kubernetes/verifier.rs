//! Who asks, by a token that the API server knows.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{api_server::ApiServer, kept::Kept, role_bindings::Here, token_review::Account, watches::Watches};
use crate::{
    auth::{
        login::Claims,
        tokens::{Identity, SharedSecret, TokenDigest, bearer, digest},
    },
    config::{Bindings, Decisions, KubernetesConfig, Password},
    model::{Timestamp, printable},
    permissions::User,
    problem::{Kind, Problem},
};

/// How long it counts that a token is none: somebody may have been too early.
const REFUSED: Duration = Duration::from_secs(5);

/// Finds out who asks. Threads can share it.
pub struct KubernetesVerifier {
    api: Arc<ApiServer>,
    audience: Option<String>,
    lifespan: Duration,
    bindings: Bindings,
    /// `None` where roles decide nothing.
    watches: Option<Watches>,
    secret: Option<SharedSecret>,
    tokens: Kept<TokenDigest, Option<Arc<Known>>>,
    clock: fn() -> Timestamp,
}

/// An account, and who it is for policies.
#[derive(Debug)]
struct Known {
    account: Account,
    /// By which state of the role bindings.
    user: Mutex<Option<(u64, Arc<User>)>>,
}

impl fmt::Debug for KubernetesVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KubernetesVerifier").field("audience", &self.audience).finish_non_exhaustive()
    }
}

impl KubernetesVerifier {
    /// What asks the API server of the settings. `secret` is what servers of the store share, if they do. The API server is
    /// asked when the first token comes, or by [`Self::prepare`].
    ///
    /// # Errors
    /// When the settings do not say where it is, files about it cannot be read, or encryption cannot be set up.
    pub fn new(
        config: &KubernetesConfig,
        secret: Option<&Password>,
        clock: fn() -> Timestamp,
    ) -> Result<Self, Problem> {
        let api = Arc::new(ApiServer::open(config)?);
        let watches = match config.decisions {
            Decisions::Permissions => Some(Watches::new(Arc::clone(&api), config.bindings, config.lifespan)),
            Decisions::AccessReviews { .. } => None,
        };
        Ok(Self {
            api,
            audience: config.audience.clone(),
            lifespan: config.lifespan,
            bindings: config.bindings,
            watches,
            secret: secret.and_then(SharedSecret::of),
            tokens: Kept::default(),
            clock,
        })
    }

    /// Where the API server is.
    pub fn api_server(&self) -> &str {
        self.api.url()
    }

    /// Learns who has which role, so that the first token need not wait.
    ///
    /// # Errors
    /// When the API server does not tell.
    pub async fn prepare(&self) -> Result<(), Problem> {
        match &self.watches {
            Some(watches) => watches.current().await,
            // A token that is none: all that matters is that it is looked at.
            None => Account::of(&self.api, "none", self.audience.as_deref()).await.map(drop),
        }
    }

    /// Who asks with these `authorization` headers.
    ///
    /// # Errors
    /// [`Kind::Unauthenticated`] when there is no token or the API server does not accept it; [`Kind::Unavailable`] or
    /// [`Kind::Deadline`] when it cannot be asked.
    pub async fn identify<'a>(&self, headers: impl IntoIterator<Item = &'a [u8]>) -> Result<Identity, Problem> {
        let token = bearer(headers)?;
        if self.secret.as_ref().is_some_and(|secret| secret.is_sent(token)) {
            return Ok(Identity::Internal);
        }
        let known = self.tokens.get(digest(token), self.review(token)).await?;
        let known = known.ok_or_else(|| self.not_accepted())?;
        Ok(Identity::User(self.user(&known).await?))
    }

    async fn review(&self, token: &str) -> Result<(Option<Arc<Known>>, Duration), Problem> {
        match Account::of(&self.api, token, self.audience.as_deref()).await? {
            None => Ok((None, self.lifespan.min(REFUSED))),
            Some(account) => {
                let known = Known { account, user: Mutex::default() };
                Ok((Some(Arc::new(known)), self.lifespan.min(self.lasts(token))))
            }
        }
    }

    /// How long a token that was found right says that it counts.
    fn lasts(&self, token: &str) -> Duration {
        let end = Claims::read(token).and_then(|claims| claims.expires());
        let left = |end: Timestamp| end.micros().saturating_sub((self.clock)().micros());
        end.map_or(Duration::MAX, |end| Duration::from_micros(u64::try_from(left(end)).unwrap_or(0)))
    }

    async fn user(&self, known: &Known) -> Result<Arc<User>, Problem> {
        let generation = match &self.watches {
            None => 0,
            Some(watches) => {
                watches.current().await?;
                watches.generation()
            }
        };
        let mut user = known.user.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, user)) = &*user
            && *of == generation
        {
            return Ok(Arc::clone(user));
        }
        let account = &known.account;
        let here = Here { namespace: &self.api.namespace, bindings: self.bindings };
        let found = Arc::new(match &self.watches {
            Some(watches) => watches.look(|bindings| bindings.user(account, here)),
            None => account.as_reviewed(),
        });
        *user = Some((generation, Arc::clone(&found)));
        Ok(found)
    }

    fn not_accepted(&self) -> Problem {
        let message = match self.audience.as_deref().map(printable) {
            Some(audience) => format!("Kubernetes does not accept the access token for `{audience}`"),
            None => "Kubernetes does not accept the access token".to_owned(),
        };
        let help = "send one of an account of this cluster, for this server, that has not ended".to_owned();
        Problem::new(Kind::Unauthenticated, message, help)
    }
}
