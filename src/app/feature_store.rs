//! The stores of a repo, opened once: which of them a use case gets, and what a store that is held keeps between
//! requests.

use std::{sync::Arc, time::Duration};

use super::{Caller, Event, Observer, kept_permissions::KeptPermissions, remembered::Remembered, reviewed::Reviewed};
use crate::{
    auth::login::Tokens,
    config::{OfflineStoreConfig, StoreConfig, WithoutPermissions},
    model::{RegistryState, Timestamp, printable},
    offline::{self, OfflineStore},
    online::{self, FeatureServer, Online, OnlineStore},
    permissions::{Permissions, Unruled},
    problem::{Kind, Problem},
    registry::{self, Cached, Locking, Registry, Status, read_objects},
    sources::Whereabouts,
    transform::Engine,
};

/// A feature store: what `feature_store.yaml` names, opened once and shared by everybody who asks.
///
/// Opening connects to nothing; each store does so when it is used first.
pub struct FeatureStore {
    config: StoreConfig,
    stores: Arc<Stores>,
    /// What is registered, for those who ask again and again.
    kept: Option<Cached>,
    remembered: Remembered,
    permissions: KeptPermissions,
    /// Who decides instead of permissions, if somebody does.
    reviewed: Option<Reviewed>,
    expressions: Arc<Engine>,
    clock: fn() -> Timestamp,
    observer: Arc<Observer>,
    whereabouts: Whereabouts,
    feast_statuses: bool,
}

/// The stores that a feature store is made of.
pub(super) struct Stores {
    /// For what changes it or must not lag behind.
    pub(super) registry: Box<dyn Registry>,
    /// The same registry or a copy of it, for what only reads.
    pub(super) replica: Arc<dyn Registry>,
    /// `None` if nothing is served online.
    pub(super) online: Option<Online>,
    pub(super) offline: Box<dyn OfflineStore>,
    /// What reads sources for materializations, if that is something else.
    pub(super) batch_engine: Option<Box<dyn OfflineStore>>,
    /// The registry as somebody else locks it.
    pub(super) locked_by: Box<LockedBy>,
}

/// Gives a registry whose locks are taken in some way.
pub(super) type LockedBy = dyn Fn(Locking) -> Box<dyn Registry> + Send + Sync;

/// How a feature store is opened.
pub struct Opening {
    /// How locks of the registry name who holds them.
    pub caller: Caller,
    /// How long to wait for a lock that somebody else has.
    pub lock_timeout: Duration,
    /// The time of day.
    pub clock: fn() -> Timestamp,
    /// Looks up environment variables that sources name.
    pub environment: fn(&str) -> Option<String>,
    /// Hears what happens.
    pub observer: Arc<Observer>,
}

impl FeatureStore {
    /// The stores of the settings.
    pub fn open(config: StoreConfig, opening: Opening) -> Self {
        let Opening { caller, lock_timeout, clock, environment, observer } = opening;
        let tell = Arc::clone(&observer);
        let on_wait = Box::new(move |waiting: &registry::Waiting<'_>| tell(&Event::Waiting(waiting)));
        let locking = Locking { who: caller.to_string(), timeout: lock_timeout, on_wait };
        let tokens = Arc::new(Tokens::new(&config.auth, environment, clock));
        let stores = Stores {
            registry: registry::open_for(&config.registry, locking, &tokens),
            replica: registry::open_to_read(&config.registry, &tokens).into(),
            online: config.online_store.as_ref().map(|store| online::open(store, &tokens)),
            offline: offline::open(&config, environment, &tokens),
            batch_engine: offline::open_batch_engine(&config, environment),
            locked_by: Box::new({
                let (registry, tokens) = (config.registry.clone(), Arc::clone(&tokens));
                move |locking| registry::open_for(&registry, locking, &tokens)
            }),
        };
        let whereabouts = Whereabouts::of(&config, environment);
        Self { whereabouts, ..Self::over(stores, config, clock, observer) }
    }

    /// The same with stores that are there already.
    pub(super) fn over(stores: Stores, config: StoreConfig, clock: fn() -> Timestamp, observer: Arc<Observer>) -> Self {
        let whereabouts = Whereabouts::of(&config, |_| None);
        Self {
            stores: Arc::new(stores),
            reviewed: Reviewed::of(&config.auth.method, &config.project),
            config,
            kept: None,
            remembered: Remembered::default(),
            permissions: KeptPermissions::default(),
            expressions: Arc::default(),
            clock,
            observer,
            whereabouts,
            feast_statuses: false,
        }
    }

    /// The same stores for another project of the registry. Nothing is kept of it.
    ///
    /// # Errors
    /// When sources are read by an offline server, which is asked about one project.
    pub(super) fn of_project(&self, project: &str) -> Result<Self, Problem> {
        if project != self.project() && matches!(self.config.offline_store, OfflineStoreConfig::Remote(_)) {
            let message = format!("the offline server is asked about project `{}` only", self.project());
            let help = format!("serve project `{}` from a repo of its own", printable(project));
            return Err(Problem::new(Kind::Unsupported, message, help));
        }
        Ok(Self {
            config: StoreConfig { project: project.to_owned(), ..self.config.clone() },
            stores: Arc::clone(&self.stores),
            kept: None,
            remembered: Remembered::default(),
            permissions: KeptPermissions::default(),
            reviewed: self.reviewed_in(project),
            expressions: Arc::clone(&self.expressions),
            clock: self.clock,
            observer: Arc::clone(&self.observer),
            whereabouts: self.whereabouts.clone(),
            feast_statuses: self.feast_statuses,
        })
    }

    /// The same for a program that lives: what is registered is kept, as fresh as the settings want it (`cache_ttl_seconds`
    /// and `cache_mode` of the registry), and given while the registry is away.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn held(self) -> Result<Self, Problem> {
        let (clock, replica) = (self.clock, Arc::clone(&self.stores.replica));
        let kept = Cached::new(replica, &self.config.project, self.config.registry_cache, Arc::new(clock))?;
        Ok(Self { kept: Some(kept), ..self })
    }

    /// The same, whose answers have the statuses of Feast's server of features, if they are wanted: everything is present,
    /// however old, and if it is not there.
    #[must_use]
    pub fn with_feast_statuses(self, feast_statuses: bool) -> Self {
        Self { feast_statuses, ..self }
    }

    /// Whether answers have the statuses of Feast.
    pub(super) const fn has_feast_statuses(&self) -> bool {
        self.feast_statuses
    }

    /// What is registered: as it is now, or as a store that is held knows it.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn registered(&self) -> Result<Arc<RegistryState>, Problem> {
        match &self.kept {
            Some(kept) => kept.state(),
            None => Ok(Arc::new(read_objects(&self.stores.replica.snapshot(self.project())?))),
        }
    }

    /// What is registered now, which a store that is held looks for; while the registry is away, what it knows.
    ///
    /// # Errors
    /// As [`Self::registered`].
    pub(super) fn registered_now(&self) -> Result<Arc<RegistryState>, Problem> {
        match &self.kept {
            Some(kept) => kept.fresh(),
            None => self.registered(),
        }
    }

    /// How right a store that is held is about what is registered; `None` before it was asked first.
    pub fn registry_status(&self) -> Option<Status> {
        self.kept.as_ref().and_then(Cached::status)
    }

    /// What is registered, if it is known without waiting for anything.
    pub(super) fn registered_at_hand(&self) -> Option<Arc<RegistryState>> {
        self.kept.as_ref()?.at_hand()
    }

    /// What a store that is held remembers of requests.
    pub(super) fn remembered(&self) -> Option<&Remembered> {
        self.kept.as_ref().map(|_| &self.remembered)
    }

    /// The permissions of a state, where the settings say what holds without any.
    pub(super) fn permissions(&self, state: &Arc<RegistryState>) -> Arc<Permissions> {
        self.permissions.of(state, self.unruled())
    }

    /// The permissions of what is registered.
    ///
    /// # Errors
    /// As [`Self::registered`].
    pub fn registered_permissions(&self) -> Result<Arc<Permissions>, Problem> {
        Ok(self.permissions(&self.registered()?))
    }

    /// What holds in projects without permissions.
    pub(super) const fn unruled(&self) -> Unruled {
        match self.config.auth.without_permissions {
            WithoutPermissions::Allow => Unruled::Allow,
            WithoutPermissions::Deny => Unruled::Deny,
        }
    }

    /// Who decides about another project of the registry, likewise.
    pub(super) fn reviewed_in(&self, project: &str) -> Option<Reviewed> {
        self.reviewed.as_ref().map(|reviewed| reviewed.about(project))
    }

    /// Who decides instead of permissions what users may, if somebody does.
    pub(super) const fn reviewed(&self) -> Option<&Reviewed> {
        self.reviewed.as_ref()
    }

    /// Where expressions of on-demand views are computed.
    pub const fn expressions(&self) -> &Arc<Engine> {
        &self.expressions
    }

    /// The settings.
    pub const fn config(&self) -> &StoreConfig {
        &self.config
    }

    /// The name of the project.
    pub fn project(&self) -> &str {
        &self.config.project
    }

    /// The registry, for what changes it or must not lag behind.
    pub fn registry(&self) -> &dyn Registry {
        self.stores.registry.as_ref()
    }

    /// The same, whose locks somebody else takes, for whom this program does something.
    pub(super) fn registry_locked_by(&self, locking: Locking) -> Box<dyn Registry> {
        (self.stores.locked_by)(locking)
    }

    /// The registry, or the replica that the settings name, for what only reads.
    pub fn registry_to_read(&self) -> &dyn Registry {
        self.stores.replica.as_ref()
    }

    /// The same for those that keep it.
    pub(super) fn replica(&self) -> &Arc<dyn Registry> {
        &self.stores.replica
    }

    /// The online store, if there is one and it is not behind a feature server.
    pub fn online(&self) -> Option<&dyn OnlineStore> {
        match &self.stores.online {
            Some(Online::Store(store)) => Some(store.as_ref()),
            Some(Online::Server(_)) | None => None,
        }
    }

    /// The feature server that has the online store, if one has it.
    pub fn feature_server(&self) -> Option<&Arc<dyn FeatureServer>> {
        match &self.stores.online {
            Some(Online::Server(server)) => Some(server),
            Some(Online::Store(_)) | None => None,
        }
    }

    /// Where online values are, for what cannot do without.
    ///
    /// # Errors
    /// When the settings name no online store.
    pub fn online_values(&self) -> Result<&Online, Problem> {
        self.stores.online.as_ref().ok_or_else(|| {
            Problem::new(
                Kind::Unsupported,
                "this repo has no online store",
                "set `online_store` in feature_store.yaml, for example to `type: sqlite`".to_owned(),
            )
        })
    }

    /// The online store itself, for what cannot do without.
    ///
    /// # Errors
    /// When the settings name none, or a server that has it.
    pub fn required_online(&self) -> Result<&dyn OnlineStore, Problem> {
        match self.online_values()? {
            Online::Store(store) => Ok(store.as_ref()),
            Online::Server(server) => Err(Problem::new(
                Kind::Unsupported,
                format!("the online store is that of {}, which does not do this for others", server.name()),
                "do it where `online_store` is the store itself".to_owned(),
            )),
        }
    }

    /// The offline store.
    pub fn offline(&self) -> &dyn OfflineStore {
        self.stores.offline.as_ref()
    }

    /// What reads sources for materializations: the engine that the settings name for them, else the offline store.
    pub fn batch_engine(&self) -> &dyn OfflineStore {
        self.stores.batch_engine.as_deref().unwrap_or_else(|| self.offline())
    }

    /// What decides where sources are.
    pub(super) const fn whereabouts(&self) -> &Whereabouts {
        &self.whereabouts
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The same, as others ask for it.
    pub(super) const fn clock(&self) -> fn() -> Timestamp {
        self.clock
    }

    /// Tells the observer what happens.
    pub(super) fn tell(&self, event: &Event<'_>) {
        (self.observer)(event);
    }
}
