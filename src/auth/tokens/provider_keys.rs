//! The keys of an identity provider, kept: they are looked at again when they are old, and when a token names another one.
//! While the provider is away, those that are known go on to count.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use tokio::time::timeout;

use super::{
    super::{Discovery, Provider},
    key_set::{Document, KeySet},
};
use crate::problem::{Kind, Problem};

/// How long a request waits for new keys while there are old ones.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a provider is left alone that could not be asked, while there are keys.
const AWAY: Duration = Duration::from_secs(30);
/// The same while there are none.
const AWAY_WITHOUT_KEYS: Duration = Duration::from_secs(1);
/// How long it is not asked again because of tokens of unknown keys, of which anybody can make many.
const UNKNOWN_KEYS: Duration = Duration::from_secs(1);

/// The keys of a provider, and who it says it is.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) issuer: String,
    pub(super) keys: KeySet,
    document: Document,
    /// Another number for other keys.
    pub(super) generation: u64,
}

/// The keys of a provider, kept.
#[derive(Debug)]
pub(super) struct ProviderKeys {
    provider: Provider,
    lifespan: Duration,
    kept: RwLock<Kept>,
    /// Held by the one who asks.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default, Clone)]
struct Kept {
    known: Option<Arc<Known>>,
    /// When they were read last.
    read: Option<Instant>,
    /// When somebody asked last, and why there was no answer.
    asked: Option<(Instant, Option<Problem>)>,
}

impl ProviderKeys {
    pub(super) fn new(provider: Provider, lifespan: Duration) -> Self {
        Self { provider, lifespan, kept: RwLock::default(), turn: tokio::sync::Mutex::default() }
    }

    /// The keys as far as is known.
    ///
    /// # Errors
    /// When they were never read and cannot be.
    pub(super) async fn known(self: &Arc<Self>) -> Result<Arc<Known>, Problem> {
        let kept = self.kept();
        match kept.known {
            Some(known) if kept.read.is_some_and(|read| read.elapsed() < self.lifespan) => Ok(known),
            Some(known) => {
                let is_away = kept.asked.is_some_and(|(at, problem)| problem.is_some() && at.elapsed() < AWAY);
                // One waits for the answer of the provider, and not everybody.
                let is_asked = self.turn.try_lock().is_err();
                Ok(if is_away || is_asked { known } else { self.newer(known).await })
            }
            None => {
                if let Some((at, Some(problem))) = kept.asked
                    && at.elapsed() < AWAY_WITHOUT_KEYS
                {
                    return Err(problem);
                }
                self.ask(Instant::now()).await;
                let kept = self.kept();
                let unknown =
                    || Problem::new(Kind::Unavailable, "the keys of the identity provider are not known", None);
                kept.known.ok_or_else(|| kept.asked.and_then(|(_, problem)| problem).unwrap_or_else(unknown))
            }
        }
    }

    /// The keys, for a token that is of none of these.
    pub(super) async fn beyond(self: &Arc<Self>, known: Arc<Known>) -> Arc<Known> {
        let kept = self.kept();
        match kept.known {
            Some(newer) if newer.generation != known.generation => newer,
            _ if kept.asked.is_some_and(|(at, _)| at.elapsed() < UNKNOWN_KEYS) => known,
            _ => self.newer(known).await,
        }
    }

    /// Has the provider asked, which goes on if it takes long.
    async fn newer(self: &Arc<Self>, known: Arc<Known>) -> Arc<Known> {
        let (keys, began) = (Arc::clone(self), Instant::now());
        let asking = tokio::spawn(async move { keys.ask(began).await });
        // What comes too late is for the next ones.
        let _ = timeout(PATIENCE, asking).await;
        self.kept().known.unwrap_or(known)
    }

    /// Asks the provider, unless somebody else has since.
    async fn ask(&self, since: Instant) {
        let _turn = self.turn.lock().await;
        if self.kept().asked.is_some_and(|(at, _)| at >= since) {
            return;
        }
        let read = self.read().await;
        let now = Instant::now();
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok((Discovery { issuer, .. }, document)) => {
                let is_same = |known: &Arc<Known>| known.issuer == issuer && known.document == document;
                if !kept.known.as_ref().is_some_and(is_same) {
                    let generation = kept.known.as_ref().map_or(0, |known| known.generation + 1);
                    let keys = KeySet::of(&document);
                    kept.known = Some(Arc::new(Known { issuer, keys, document, generation }));
                }
                (kept.read, kept.asked) = (Some(now), Some((now, None)));
            }
            Err(problem) => {
                if kept.known.is_some() {
                    tracing::warn!("{problem}; its keys that are known go on to count");
                }
                kept.asked = Some((now, Some(problem)));
            }
        }
    }

    async fn read(&self) -> Result<(Discovery, Document), Problem> {
        let discovery = self.provider.discover().await?;
        let Some(url) = &discovery.jwks_uri else {
            let message = format!("{} does not say where its keys are (`jwks_uri`)", self.provider.name());
            return Err(Problem::new(Kind::Unavailable, message, None));
        };
        let document: Document = self.provider.document(url, "its keys").await?;
        if KeySet::of(&document).is_empty() {
            let message = format!("{} has no key at {url} that tokens can be signed with", self.provider.name());
            return Err(Problem::new(Kind::Unavailable, message, None));
        }
        Ok((discovery, document))
    }

    fn kept(&self) -> Kept {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
