//! The servers of a store while it is read: one connection to each that is asked, open as long as the store.
//!
//! The crate's own clients of clusters and sentinels are not used, because they retry in their own time, and their
//! errors do not say which server is meant.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use redis::{Cmd, Pipeline, ServerError, Value};
use tokio::time::timeout;

use super::{
    connection::Account,
    explain::{Peer, RedisFailure, Verdict, moving, verdict, without_owner},
    link::SharedLink,
    topology::{
        Topology, ask_for_master, more_telling, no_sentinel, no_server, of_slots, slot, told_master, unknown_master,
    },
};
use crate::{
    config::{RedisConfig, RedisDeployment, RedisNode},
    online::patience::Patience,
    problem::Problem,
};

/// How long to wait for servers that are away, or do not know who is the master: someone waits for the values.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long one of several servers may take to tell who has which keys, until the next one is asked.
const ONE_OF_SEVERAL: Duration = Duration::from_millis(500);

/// For how long who has which keys is not found out again, however many reads fail.
const REST: Duration = Duration::from_millis(100);

/// So many commands are sent at once: others who share the connection have their turn in between.
const AT_ONCE: usize = 1_000;

/// The servers of a store, for reads at any time.
pub(crate) struct Nodes {
    config: RedisConfig,
    state: Mutex<State>,
    /// Held by the task that finds out who has which keys.
    finding: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    topology: Option<Known>,
    links: BTreeMap<RedisNode, Arc<SharedLink>>,
    /// For each server, held by the task that connects, so that the others find its connection instead of making another one.
    connecting: BTreeMap<RedisNode, Arc<tokio::sync::Mutex<()>>>,
}

/// Who has which keys, as it was found out.
struct Known {
    topology: Arc<Topology>,
    found: Instant,
    /// Whether something does not go together with it, so that it is to be found out anew.
    is_doubted: bool,
}

impl State {
    fn doubt(&mut self) {
        if let Some(known) = &mut self.topology {
            known.is_doubted = true;
        }
    }
}

/// A command about one key.
pub(crate) struct Question {
    pub key: Vec<u8>,
    pub command: Cmd,
}

/// What a read is waiting for, to be told when it takes too long.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<Option<Peer>>);

impl Waiting {
    /// The server that does not answer.
    pub(crate) fn place(&self) -> Option<Peer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_for(&self, place: Peer) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }
}

/// While there is one, a server is being connected to. If that does not come to its end, others may have its keys by now: who
/// has which is found out anew.
struct Doubt<'a>(&'a Nodes);

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        self.0.state().doubt();
    }
}

/// Why a command is to be sent again.
enum Again {
    Later(RedisFailure),
    Asking(RedisNode),
}

impl Nodes {
    /// Nothing is connected yet.
    pub(crate) fn new(config: RedisConfig) -> Self {
        Self { config, state: Mutex::default(), finding: tokio::sync::Mutex::default() }
    }

    /// Sends commands and gives their answers in the same order. They are about hashes and change nothing, so they are
    /// sent again where that may help.
    ///
    /// # Errors
    /// When a server refuses, or stays away.
    pub(crate) async fn exchange(
        &self,
        project: &str,
        questions: &[Question],
        waiting: &Waiting,
    ) -> Result<Vec<Value>, Problem> {
        // What is wrong from the start is said at once.
        let topology = self.topology(waiting).await.map_err(|failure| failure.error)?;
        let knows_nobody = self.state().links.is_empty();
        if let Some(master) = topology.masters().first().filter(|_| knows_nobody) {
            self.link(master, waiting).await.map_err(|failure| failure.error)?;
        }
        let mut answers: Vec<Option<Value>> = vec![None; questions.len()];
        let mut unanswered = answers.len();
        let mut patience = Patience::limited_to(PATIENCE);
        while unanswered > 0 {
            let again = match self.attempt(project, questions, &mut answers, waiting).await {
                Ok(again) => again,
                Err(failure) if failure.passing => Some(failure),
                Err(failure) => return Err(failure.error),
            };
            let left = answers.iter().filter(|answer| answer.is_none()).count();
            if left < unanswered {
                patience = Patience::limited_to(PATIENCE);
            }
            unanswered = left;
            if let Some(failure) = again {
                match patience.pause() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(patience.exhausted(failure.error)),
                }
            }
        }
        Ok(answers.into_iter().flatten().collect())
    }

    /// Sends what has no answer yet. Gives a reason to try again if something is left.
    async fn attempt(
        &self,
        project: &str,
        questions: &[Question],
        answers: &mut [Option<Value>],
        waiting: &Waiting,
    ) -> Result<Option<RedisFailure>, RedisFailure> {
        let topology = self.topology(waiting).await?;
        let mut groups: BTreeMap<&RedisNode, Vec<usize>> = BTreeMap::new();
        for index in (0..questions.len()).filter(|index| answers[*index].is_none()) {
            let slot = self.slot(&questions[index].key);
            groups.entry(topology.owner(slot).ok_or_else(|| without_owner(slot))?).or_default().push(index);
        }
        let asked = groups.into_iter().map(async |(node, indexes)| {
            let link = self.link(node, waiting).await?;
            let told = self.unless_broken(&link, ask_all(&link, questions, &indexes).await)?;
            Ok::<_, RedisFailure>((indexes, link, told))
        });
        let mut again = None;
        for told in join_all(asked).await {
            let (indexes, link, told) = match told {
                Ok(told) => told,
                Err(failure) if failure.passing => {
                    again = Some(failure);
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            for (index, answer) in indexes.into_iter().zip(told) {
                let question = &questions[index];
                let answer = match answer {
                    Value::ServerError(error) => match self.judge(&link, project, question, &error).await? {
                        Again::Later(failure) => Err(failure),
                        Again::Asking(other) => self.ask_migrating(&other, question, waiting).await,
                    },
                    value => Ok(value),
                };
                match answer {
                    Ok(value) => answers[index] = Some(value),
                    Err(failure) if failure.passing => again = Some(failure),
                    Err(failure) => return Err(failure),
                }
            }
        }
        Ok(again)
    }

    /// Sends a command to the server that is taking over the key's slot.
    async fn ask_migrating(
        &self,
        node: &RedisNode,
        question: &Question,
        waiting: &Waiting,
    ) -> Result<Value, RedisFailure> {
        let link = self.link(node, waiting).await?;
        let mut both = Pipeline::new();
        both.add_command(redis::cmd("ASKING")).add_command(question.command.clone());
        match self.unless_broken(&link, link.answers(&both, 2).await)?.pop() {
            Some(Value::ServerError(_)) | None => Err(RedisFailure::passing(moving(node))),
            Some(value) => Ok(value),
        }
    }

    /// What to do about an error that a server answered.
    async fn judge(
        &self,
        link: &SharedLink,
        project: &str,
        question: &Question,
        error: &ServerError,
    ) -> Result<Again, RedisFailure> {
        let node = &link.place.node;
        let refused = link.place.refused(error);
        let is_cluster = self.config.deployment == RedisDeployment::Cluster;
        match verdict(error, &node.host) {
            Verdict::Moved(to) if is_cluster => {
                if let Some(known) = &mut self.state().topology {
                    Arc::make_mut(&mut known.topology).moved(self.slot(&question.key), to);
                }
                Ok(Again::Later(RedisFailure::passing(moving(node))))
            }
            Verdict::Ask(to) if is_cluster => Ok(Again::Asking(to)),
            Verdict::ReadOnly if self.config.deployment == RedisDeployment::Standalone => Err(refused),
            Verdict::ReadOnly | Verdict::Passing => {
                self.state().doubt();
                Ok(Again::Later(RedisFailure::passing(refused.error)))
            }
            Verdict::WrongType => {
                let kind = link.ask(redis::cmd("TYPE").arg(&question.key)).await;
                let found = if let Ok(Value::SimpleString(kind)) = &kind { Some(kind.as_str()) } else { None };
                Err(RedisFailure::lasting(link.place.holds(found.map(|kind| (question.key.as_slice(), kind)), project)))
            }
            _ => Err(refused),
        }
    }

    /// The same; a connection that broke is forgotten, unless there is another one by now, and so is who has which keys.
    fn unless_broken<T>(&self, link: &Arc<SharedLink>, told: Result<T, RedisFailure>) -> Result<T, RedisFailure> {
        if told.is_err() {
            let mut state = self.state();
            let node = &link.place.node;
            if state.links.get(node).is_some_and(|known| Arc::ptr_eq(known, link)) {
                state.links.remove(node);
            }
            state.doubt();
        }
        told
    }

    /// The slot of a key: all keys have the same one where there are no slots.
    fn slot(&self, key: &[u8]) -> u16 {
        if self.config.deployment == RedisDeployment::Cluster { slot(key) } else { 0 }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_link(&self, node: &RedisNode) -> Option<Arc<SharedLink>> {
        let mut state = self.state();
        let known = state.links.get(node).cloned();
        if known.as_ref().is_some_and(|link| link.is_stuck()) {
            state.links.remove(node);
            state.doubt();
            return None;
        }
        known
    }

    /// The connection to a server, which is made if there is none.
    async fn link(&self, node: &RedisNode, waiting: &Waiting) -> Result<Arc<SharedLink>, RedisFailure> {
        waiting.is_for(self.peer(node));
        if let Some(link) = self.known_link(node) {
            return Ok(link);
        }
        let connecting = Arc::clone(self.state().connecting.entry(node.clone()).or_default());
        let _turn = connecting.lock().await;
        if let Some(link) = self.known_link(node) {
            return Ok(link);
        }
        let doubt = Doubt(self);
        let link = Arc::new(SharedLink::connect(&self.config, node, Account::OfSettings).await?);
        std::mem::forget(doubt);
        self.state().links.insert(node.clone(), Arc::clone(&link));
        Ok(link)
    }

    /// Who has which keys, which is found out if it is not known or in doubt, by one task at a time and not all the time.
    async fn topology(&self, waiting: &Waiting) -> Result<Arc<Topology>, RedisFailure> {
        if let Some(topology) = self.known_topology(|known| !known.is_doubted || known.found.elapsed() < REST) {
            return Ok(topology);
        }
        let turn = match (self.finding.try_lock(), self.known_topology(|_| true)) {
            (Ok(turn), _) => turn,
            // Most keys may be where they were.
            (Err(_), Some(topology)) => return Ok(topology),
            (Err(_), None) => self.finding.lock().await,
        };
        if let Some(topology) = self.known_topology(|known| !known.is_doubted) {
            return Ok(topology);
        }
        let topology = Arc::new(self.find(waiting).await?);
        self.state().topology =
            Some(Known { topology: Arc::clone(&topology), found: Instant::now(), is_doubted: false });
        drop(turn);
        Ok(topology)
    }

    fn known_topology(&self, counts: impl Fn(&Known) -> bool) -> Option<Arc<Topology>> {
        self.state().topology.as_ref().filter(|known| counts(known)).map(|known| Arc::clone(&known.topology))
    }

    async fn find(&self, waiting: &Waiting) -> Result<Topology, RedisFailure> {
        let nodes = &self.config.connection.nodes;
        let master = match &self.config.deployment {
            // The settings have at least one server.
            RedisDeployment::Standalone => return nodes.first().cloned().map(Topology::One).ok_or_else(no_server),
            RedisDeployment::Sentinel { master } => Some(master),
            RedisDeployment::Cluster => None,
        };
        let mut candidates = if master.is_none() { self.answering() } else { Vec::new() };
        let others: Vec<RedisNode> = nodes.iter().filter(|node| !candidates.contains(node)).cloned().collect();
        candidates.extend(others);
        let mut problem = None;
        for (number, node) in (1..).zip(&candidates) {
            let finding = async {
                match master {
                    Some(master) => self.master_of(node, master, waiting).await.map(Topology::One),
                    None => self.cluster_as_seen_by(node, waiting).await,
                }
            };
            let found = match number < candidates.len() {
                true => timeout(ONE_OF_SEVERAL, finding).await.unwrap_or_else(|_| Err(self.peer(node).silent())),
                false => finding.await,
            };
            match found {
                Ok(found) => return Ok(found),
                Err(failure) => problem = Some(more_telling(problem, failure)),
            }
        }
        Err(problem.unwrap_or_else(no_server))
    }

    /// The servers that answer, as far as is known.
    fn answering(&self) -> Vec<RedisNode> {
        let state = self.state();
        state.links.iter().filter(|(_, link)| !link.is_stuck()).map(|(node, _)| node.clone()).collect()
    }

    fn peer(&self, node: &RedisNode) -> Peer {
        Peer { node: node.clone(), encrypted: self.config.connection.tls.is_some() }
    }

    async fn cluster_as_seen_by(&self, node: &RedisNode, waiting: &Waiting) -> Result<Topology, RedisFailure> {
        let link = self.link(node, waiting).await?;
        let answer = self.unless_broken(&link, link.ask(redis::cmd("CLUSTER").arg("SLOTS")).await)?;
        of_slots(&answer, node)
    }

    async fn master_of(&self, sentinel: &RedisNode, name: &str, waiting: &Waiting) -> Result<RedisNode, RedisFailure> {
        waiting.is_for(self.peer(sentinel));
        let link = SharedLink::connect(&self.config, sentinel, Account::OfSentinel).await?;
        let answer = link.ask(&ask_for_master(name)).await.map_err(|failure| no_sentinel(failure, sentinel))?;
        match told_master(&answer) {
            Some(master) => Ok(master),
            None => {
                let masters = link.ask(redis::cmd("SENTINEL").arg("MASTERS")).await.ok();
                Err(unknown_master(name, masters.as_ref()))
            }
        }
    }
}

async fn ask_all(link: &SharedLink, questions: &[Question], indexes: &[usize]) -> Result<Vec<Value>, RedisFailure> {
    if let [index] = indexes {
        return Ok(vec![link.answer(&questions[*index].command).await?]);
    }
    let mut told = Vec::with_capacity(indexes.len());
    for indexes in indexes.chunks(AT_ONCE) {
        let mut pipeline = Pipeline::with_capacity(indexes.len());
        indexes.iter().for_each(|index| {
            pipeline.add_command(questions[*index].command.clone());
        });
        told.append(&mut link.answers(&pipeline, indexes.len()).await?);
    }
    Ok(told)
}
