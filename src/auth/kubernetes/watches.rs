//! Role bindings, kept as they are: listed once, then the API server tells of each change. Where it breaks off, what is known
//! counts for a while, and it is asked again with growing pauses.

use std::{
    fmt,
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::Value as Json;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    api_server::ApiServer,
    role_bindings::{Collection, Object, RoleBindings},
};
use crate::{
    clients::{
        http::HttpStream,
        runtime::{Begun, begun},
    },
    config::Bindings,
    problem::{Kind, Problem},
};

/// How many objects are listed at a time.
const PAGE: usize = 500;
/// After how many seconds the API server ends a watch, so that one that nobody answers is noticed.
const WATCHED: u64 = 30;
/// How long nothing may come; beyond the end of the watch the connection is dead.
const SILENCE: Duration = Duration::from_secs(WATCHED + 10);
/// The pauses before the API server is asked again: the first, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];
/// How long a request waits for what is not known.
const PATIENCE: Duration = Duration::from_secs(2);

/// Role bindings of an API server, kept.
pub(super) struct Watches {
    api: Arc<ApiServer>,
    collections: &'static [Collection],
    /// How long what is known counts after the API server was heard last.
    lifespan: Duration,
    known: Arc<Known>,
    watching: OnceLock<Vec<Watching>>,
}

/// What is known, for whoever writes and whoever reads.
#[derive(Debug, Default)]
struct Known {
    bindings: RwLock<RoleBindings>,
    /// Another number after each change.
    generation: AtomicU64,
}

/// A collection that is being watched, until this is dropped.
struct Watching {
    heard: watch::Receiver<Heard>,
    _task: Begun<Result<(), Problem>>,
}

/// How right is what is known of a collection.
#[derive(Debug, Clone)]
enum Heard {
    /// The API server is telling of changes.
    Now,
    /// It was, until this moment.
    Until(Instant, Problem),
    /// It was never listed, for this reason.
    Never(Option<Problem>),
}

#[derive(Debug, Deserialize)]
struct List {
    metadata: ListMetadata,
    items: Option<Vec<Object>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListMetadata {
    #[serde(default)]
    resource_version: String,
    #[serde(default)]
    r#continue: String,
}

/// Something that the API server tells.
#[derive(Debug, Deserialize)]
struct Event {
    r#type: String,
    object: Json,
}

impl fmt::Debug for Watches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watches").field("collections", &self.collections).finish_non_exhaustive()
    }
}

impl Collection {
    const fn path(self) -> &'static str {
        match self {
            Self::RoleBindings => "/apis/rbac.authorization.k8s.io/v1/rolebindings",
            Self::ClusterRoleBindings => "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            Self::ClusterRoles => "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        }
    }
}

impl Watches {
    /// Watches of what is needed. They begin with the first one who asks.
    pub(super) fn new(api: Arc<ApiServer>, bindings: Bindings, lifespan: Duration) -> Self {
        let collections: &[Collection] = match bindings {
            Bindings::Own => &[Collection::RoleBindings, Collection::ClusterRoleBindings],
            Bindings::All => &[Collection::RoleBindings, Collection::ClusterRoleBindings, Collection::ClusterRoles],
        };
        Self { api, collections, lifespan, known: Arc::default(), watching: OnceLock::new() }
    }

    /// Waits until what is known is right.
    ///
    /// # Errors
    /// When the API server has told nothing for too long, or never.
    pub(super) async fn current(&self) -> Result<(), Problem> {
        let patience = Instant::now() + PATIENCE;
        for watching in self.watching()? {
            let mut heard = watching.heard.clone();
            loop {
                let now = heard.borrow_and_update().clone();
                let problem = match now {
                    Heard::Now => break,
                    Heard::Until(moment, _) if moment.elapsed() < self.lifespan => break,
                    Heard::Until(_, problem) => Some(problem),
                    Heard::Never(problem) => problem,
                };
                let is_told = tokio::time::timeout_at(patience.into(), heard.changed()).await;
                if !matches!(is_told, Ok(Ok(()))) {
                    let unknown = || {
                        let message = "the API server of Kubernetes has not told yet who has which role";
                        Problem::new(Kind::Unavailable, message, None)
                    };
                    return Err(problem.unwrap_or_else(unknown));
                }
            }
        }
        Ok(())
    }

    /// Another number after each change.
    pub(super) fn generation(&self) -> u64 {
        self.known.generation.load(Ordering::Acquire)
    }

    /// Something of what is known.
    pub(super) fn look<T>(&self, at: impl FnOnce(&RoleBindings) -> T) -> T {
        at(&self.known.bindings.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn watching(&self) -> Result<&[Watching], Problem> {
        if let Some(watching) = self.watching.get() {
            return Ok(watching);
        }
        let begin = |collection: &Collection| {
            let (tell, heard) = watch::channel(Heard::Never(None));
            let (api, known) = (Arc::clone(&self.api), Arc::clone(&self.known));
            let keeper = Keeper { api, known, collection: *collection, tell };
            Ok(Watching { heard, _task: begun(async move { Err(keeper.keep().await) })? })
        };
        let begun = self.collections.iter().map(begin).collect::<Result<Vec<_>, Problem>>()?;
        Ok(self.watching.get_or_init(|| begun))
    }
}

/// Who keeps a collection as it is.
struct Keeper {
    api: Arc<ApiServer>,
    known: Arc<Known>,
    collection: Collection,
    tell: watch::Sender<Heard>,
}

/// How a watch has ended.
enum End {
    /// It goes on from here.
    Here(String),
    /// The API server has forgotten what it was to begin with.
    Forgotten,
}

impl Keeper {
    /// Goes on for ever.
    async fn keep(self) -> Problem {
        let mut pause = PAUSES[0];
        loop {
            // A watch that has told something, however it ends, was worth asking for.
            let problem = self.listed_and_watched(&mut pause).await;
            tracing::warn!("{problem}; roles that are known go on to count for a while");
            sleep(pause).await;
            pause = (pause * 2).min(PAUSES[1]);
        }
    }

    async fn listed_and_watched(&self, pause: &mut Duration) -> Problem {
        let mut version = match self.list().await {
            Ok(version) => version,
            Err(problem) => return self.unheard(problem, None),
        };
        loop {
            let mut last = Instant::now();
            match self.watch(version, &mut last).await {
                Ok(End::Here(next)) => version = next,
                Ok(End::Forgotten) => match self.list().await {
                    Ok(next) => version = next,
                    Err(problem) => return self.unheard(problem, Some(last)),
                },
                Err(problem) => return self.unheard(problem, Some(last)),
            }
            *pause = PAUSES[0];
        }
    }

    /// Notes why nothing is heard any more; `last` is when there was something.
    fn unheard(&self, problem: Problem, last: Option<Instant>) -> Problem {
        self.tell.send_modify(|heard| {
            *heard = match (&*heard, last) {
                (Heard::Now, last) => Heard::Until(last.unwrap_or_else(Instant::now), problem.clone()),
                (Heard::Until(moment, _), _) => Heard::Until(*moment, problem.clone()),
                (Heard::Never(_), _) => Heard::Never(Some(problem.clone())),
            };
        });
        problem
    }

    /// Reads all objects, and gives the version from which changes are told.
    async fn list(&self) -> Result<String, Problem> {
        let (mut objects, mut next) = (Vec::new(), String::new());
        loop {
            let mut path = format!("{}?limit={PAGE}", self.collection.path());
            if !next.is_empty() {
                let token: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
                path = format!("{path}&continue={token}");
            }
            let List { metadata, items } = self.api.get(&path).await?;
            objects.extend(items.into_iter().flatten());
            if metadata.r#continue.is_empty() {
                self.change(|bindings| bindings.replace(self.collection, objects));
                self.tell.send_replace(Heard::Now);
                return Ok(metadata.resource_version);
            }
            next = metadata.r#continue;
        }
    }

    /// Follows changes from a version on; `last` becomes when the API server was heard.
    async fn watch(&self, version: String, last: &mut Instant) -> Result<End, Problem> {
        let path = format!(
            "{}?watch=1&allowWatchBookmarks=true&timeoutSeconds={WATCHED}&resourceVersion={version}",
            self.collection.path()
        );
        let Some(mut stream) = self.api.watch(&path).await? else { return Ok(End::Forgotten) };
        *last = Instant::now();
        self.tell.send_replace(Heard::Now);
        let mut version = version;
        while let Some(line) = self.line(&mut stream).await? {
            *last = Instant::now();
            if line.is_empty() {
                continue;
            }
            let event: Event = serde_json::from_slice(&line).map_err(|error| self.api.nonsense(&error))?;
            match event.r#type.as_str() {
                "ERROR" if event.object["code"] == 410 => return Ok(End::Forgotten),
                "ERROR" => {
                    let said = event.object["message"].as_str().unwrap_or("it does not say why");
                    return Err(self.api.nonsense(&format_args!("a watch fails: {said}")));
                }
                kind => version = self.take(kind, event.object)?.unwrap_or(version),
            }
        }
        Ok(End::Here(version))
    }

    async fn line(&self, stream: &mut HttpStream) -> Result<Option<Vec<u8>>, Problem> {
        let silent = || Problem::new(Kind::Deadline, format!("the API server at {} is silent", self.api.url()), None);
        timeout(SILENCE, stream.line()).await.map_err(|_| silent())?
    }

    /// Takes a change over, and gives its version.
    fn take(&self, kind: &str, object: Json) -> Result<Option<String>, Problem> {
        let object: Object = serde_json::from_value(object).map_err(|error| self.api.nonsense(&error))?;
        let version = Some(object.metadata.resource_version.clone()).filter(|version| !version.is_empty());
        match kind {
            "ADDED" | "MODIFIED" => self.change(|bindings| bindings.put(self.collection, object)),
            "DELETED" => self.change(|bindings| bindings.remove(self.collection, &object)),
            // A bookmark tells how far it is.
            _ => {}
        }
        Ok(version)
    }

    fn change(&self, change: impl FnOnce(&mut RoleBindings)) {
        let mut bindings = self.known.bindings.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut bindings);
        self.known.generation.fetch_add(1, Ordering::Release);
    }
}
