//! The servers of a store while it is written: sends commands where their keys are, and waits for servers that are away.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use redis::Value;

use super::{
    calls::Calls,
    connection::{Account, Link},
    explain::{Peer, RedisFailure, Verdict, moving, verdict, without_owner},
    topology::{Topology, slot},
    transactions::{self, Transactions},
};
use crate::{
    config::{RedisConfig, RedisDeployment, RedisNode},
    online::patience::Patience,
    problem::{Kind, Problem},
};

/// Connections to the servers of a store.
pub(crate) struct Servers {
    config: RedisConfig,
    /// For messages about keys.
    project: String,
    /// Set when nobody waits for an answer any more.
    abandoned: Arc<AtomicBool>,
    topology: Option<Topology>,
    links: BTreeMap<RedisNode, Link>,
    /// The servers that have confirmed commands, with the names of their runs.
    confirmed: BTreeMap<RedisNode, Option<String>>,
    /// A server that has confirmed commands and may have forgotten them.
    forgetful: Option<RedisNode>,
}

/// What to do about a command that a server refuses for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// All of it fails.
    Fails,
    /// That is its answer.
    IsAnswer,
}

/// An answer that says the command is to be sent again, to another server perhaps.
enum Again {
    Later(RedisFailure),
    WithScripts(RedisFailure),
    Asking(RedisNode),
}

impl Refusal {
    /// Whether this error is the answer.
    fn accepts(self, error: &redis::ServerError, node: &RedisNode) -> bool {
        self == Self::IsAnswer && verdict(error, &node.host) == Verdict::Lasting
    }
}

impl Servers {
    pub(crate) fn new(config: RedisConfig, project: &str) -> Self {
        Self {
            config,
            project: project.to_owned(),
            abandoned: Arc::default(),
            topology: None,
            links: BTreeMap::new(),
            confirmed: BTreeMap::new(),
            forgetful: None,
        }
    }

    /// Begins something new, over the same connections: what was confirmed before is forgotten.
    pub(crate) fn begin(&mut self, project: &str) {
        project.clone_into(&mut self.project);
        self.confirmed.clear();
        self.forgetful = None;
    }

    /// What is set to make a waiting command give up.
    pub(crate) fn abandoned(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.abandoned)
    }

    /// Connects to a server, to say at once what is wrong.
    ///
    /// # Errors
    /// When the servers cannot be reached or used.
    pub(crate) fn connect(&mut self) -> Result<(), Problem> {
        self.masters()?.first().map_or(Ok(()), |master| self.link(master).map(|_| ())).map_err(|failure| failure.error)
    }

    /// The servers that can be written.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub(crate) fn masters(&mut self) -> Result<Vec<RedisNode>, Problem> {
        self.find().map(|topology| topology.masters().to_vec()).map_err(|failure| failure.error)
    }

    /// The slot of a key: all keys have the same one where there are no slots.
    pub(crate) fn slot(&self, key: &[u8]) -> u16 {
        if self.config.deployment == RedisDeployment::Cluster { slot(key) } else { 0 }
    }

    /// Asks one server.
    ///
    /// # Errors
    /// When it cannot be reached or refuses.
    pub(crate) fn ask(&mut self, node: &RedisNode, command: &redis::Cmd) -> Result<Value, Problem> {
        let answer = self.link(node).and_then(|link| link.ask(command));
        answer.map_err(|failure| {
            self.links.remove(node);
            failure.error
        })
    }

    /// Sends commands, all at once, and gives their answers in the same order. Commands whose answers do
    /// not come are sent again, so they must be such that this changes nothing.
    ///
    /// # Errors
    /// When a server refuses, or stays away in spite of waiting for it. Commands before and behind the
    /// one in question may be carried out.
    pub(crate) fn exchange(&mut self, calls: &Calls, refusal: Refusal) -> Result<Vec<Value>, Problem> {
        let mut answers: Vec<Option<Value>> = vec![None; calls.len()];
        let mut unanswered = calls.len();
        let mut patience = Patience::default();
        while unanswered > 0 {
            let again = match self.attempt(calls, &mut answers, refusal) {
                Ok(again) => again,
                Err(failure) if failure.passing => Some(failure),
                Err(failure) => {
                    // Answers may be under way that nobody will read.
                    self.links.clear();
                    return Err(failure.error);
                }
            };
            let left = answers.iter().filter(|answer| answer.is_none()).count();
            if left < unanswered {
                patience = Patience::default();
            }
            unanswered = left;
            if let Some(failure) = again
                && (self.abandoned.load(Ordering::Relaxed) || !patience.wait())
            {
                return Err(patience.exhausted(failure.error));
            }
        }
        Ok(answers.into_iter().flatten().collect())
    }

    /// Connections for transactions with the only master; `None` where something is in the way, which
    /// [`Self::exchange`] will tell of.
    pub(crate) fn transactions(&mut self) -> Option<Transactions> {
        let [node] = self.masters().ok()?.try_into().ok()?;
        let run_id = self.link(&node).ok()?.run_id.clone();
        let connect = || -> Option<Link> {
            let mut link = Link::connect(&self.config, &node, Account::OfSettings).ok()?;
            link.note_run().ok()?;
            (link.run_id == run_id).then_some(link)
        };
        let links: Option<Vec<Link>> = (0..transactions::CONNECTIONS).map(|_| connect()).collect();
        links.and_then(Transactions::new)
    }

    /// Takes note of a server that has confirmed something, and of its run.
    pub(crate) fn note_confirmed(&mut self, (node, run_id): (&RedisNode, Option<&String>)) {
        if !self.confirmed.contains_key(node) {
            self.confirmed.insert(node.clone(), run_id.cloned());
        }
    }

    /// Asserts that servers still know what they have confirmed: a server that was started again, or
    /// replaced by its replica, may not. One that was replaced goes on confirming until it hears of it, so
    /// this asks afresh.
    ///
    /// # Errors
    /// When one may have forgotten it, or cannot be asked.
    pub(crate) fn check_memory(&mut self) -> Result<(), Problem> {
        let mut patience = Patience::default();
        while let Err(failure) = self.look_again() {
            if !failure.passing {
                return Err(failure.error);
            }
            if self.abandoned.load(Ordering::Relaxed) || !patience.wait() {
                return Err(patience.exhausted(failure.error));
            }
        }
        let Some(node) = &self.forgetful else { return Ok(()) };
        Err(Problem::new(
            Kind::Unavailable,
            format!(
                "Redis at {node} was started again or replaced while values were written; what it had confirmed before \
                 may be lost"
            ),
            "run the same again: values that are there are left as they are, so it is quick".to_owned(),
        ))
    }

    /// Asks who is in charge, and whether those who have confirmed something are still running.
    fn look_again(&mut self) -> Result<(), RedisFailure> {
        if self.confirmed.is_empty() {
            return Ok(());
        }
        self.topology = None;
        let found = self.find()?.clone();
        if self.config.deployment == RedisDeployment::Cluster {
            // Who was replaced and has not heard of it still counts itself in, but the others do not.
            for master in found.masters() {
                let seen = Topology::as_seen_by(&self.config, master)?;
                self.forget_replaced(|node| found.is_master_in(node, &seen));
            }
        }
        let confirmed: Vec<RedisNode> = self.confirmed.keys().cloned().collect();
        for node in confirmed {
            // A connection that works was made to the same run of the server; a new one looks at that.
            if let Err(failure) = self.link(&node).and_then(Link::note_run) {
                return Err(self.broken(&node, failure)?);
            }
        }
        Ok(())
    }

    /// Takes note of servers that have confirmed something and are not masters any more.
    fn forget_replaced(&mut self, is_master: impl Fn(&RedisNode) -> bool) {
        if let Some(gone) = self.confirmed.keys().find(|node| !is_master(node)).cloned() {
            self.confirmed.remove(&gone);
            self.links.remove(&gone);
            self.forgetful = Some(gone);
        }
    }

    /// Sends what has no answer yet. Gives a reason to try again if something is left.
    fn attempt(
        &mut self,
        calls: &Calls,
        answers: &mut [Option<Value>],
        refusal: Refusal,
    ) -> Result<Option<RedisFailure>, RedisFailure> {
        let mut again = None;
        let mut asked: Vec<(RedisNode, Vec<usize>)> = Vec::new();
        for (node, indexes) in self.by_server(calls, answers)? {
            match self.send(&node, calls, &indexes) {
                Ok(()) => asked.push((node, indexes)),
                Err(failure) => again = Some(self.broken(&node, failure)?),
            }
        }
        let (mut redirected, mut without_scripts) = (Vec::new(), BTreeSet::new());
        for (node, indexes) in asked {
            for index in indexes {
                let Some(link) = self.links.get_mut(&node) else { break };
                let answer = link.receive();
                if answer.is_ok() {
                    self.confirmed.entry(node.clone()).or_insert_with(|| link.run_id.clone());
                }
                match answer {
                    Err(failure) => again = Some(self.broken(&node, failure)?),
                    Ok(Value::ServerError(error)) if refusal.accepts(&error, &node) => {
                        answers[index] = Some(Value::ServerError(error));
                    }
                    Ok(Value::ServerError(error)) => match self.judge(&node, calls, index, &error)? {
                        Again::Later(failure) => again = Some(failure),
                        Again::WithScripts(failure) => {
                            again = Some(failure);
                            without_scripts.insert(node.clone());
                        }
                        Again::Asking(other) => redirected.push((other, index)),
                    },
                    Ok(value) => answers[index] = Some(value),
                }
            }
        }
        for (node, index) in redirected {
            match self.ask_migrating(&node, calls, index) {
                Ok(Value::ServerError(error)) if refusal.accepts(&error, &node) => {
                    answers[index] = Some(Value::ServerError(error));
                }
                Ok(Value::ServerError(error)) => match self.judge(&node, calls, index, &error)? {
                    Again::Later(failure) => again = Some(failure),
                    Again::WithScripts(failure) => {
                        again = Some(failure);
                        without_scripts.insert(node);
                    }
                    Again::Asking(_) => again = Some(RedisFailure::passing(moving(&node))),
                },
                Ok(value) => answers[index] = Some(value),
                Err(failure) => again = Some(self.broken(&node, failure)?),
            }
        }
        for node in without_scripts {
            if let Err(failure) = self.link(&node).and_then(Link::load_scripts) {
                again = Some(self.broken(&node, failure)?);
            }
        }
        Ok(again)
    }

    /// The commands without an answer, by the server that has their keys.
    fn by_server(
        &mut self,
        calls: &Calls,
        answers: &[Option<Value>],
    ) -> Result<BTreeMap<RedisNode, Vec<usize>>, RedisFailure> {
        let topology = self.find()?;
        let mut servers: BTreeMap<RedisNode, Vec<usize>> = BTreeMap::new();
        for index in (0..answers.len()).filter(|index| answers[*index].is_none()) {
            let slot = calls.slot(index);
            let owner = topology.owner(slot).ok_or_else(|| without_owner(slot))?;
            match servers.get_mut(owner) {
                Some(indexes) => indexes.push(index),
                None => {
                    servers.insert(owner.clone(), vec![index]);
                }
            }
        }
        Ok(servers)
    }

    fn send(&mut self, node: &RedisNode, calls: &Calls, indexes: &[usize]) -> Result<(), RedisFailure> {
        let link = self.link(node)?;
        match indexes {
            [first, .., last] if last - first + 1 == indexes.len() => link.send(calls.bytes(*first..last + 1)),
            _ => {
                let parts: Vec<&[u8]> = indexes.iter().map(|index| calls.bytes(*index..index + 1)).collect();
                link.send(&parts.concat())
            }
        }
    }

    /// Sends a command to the server that is taking over the key's slot.
    fn ask_migrating(&mut self, node: &RedisNode, calls: &Calls, index: usize) -> Result<Value, RedisFailure> {
        let link = self.link(node)?;
        link.ask(&redis::cmd("ASKING"))?;
        link.send(calls.bytes(index..index + 1))?;
        link.receive()
    }

    /// What to do about an error that a server answered.
    fn judge(
        &mut self,
        node: &RedisNode,
        calls: &Calls,
        index: usize,
        error: &redis::ServerError,
    ) -> Result<Again, RedisFailure> {
        let Some(place) = self.links.get(node).map(|link| link.place.clone()) else {
            return Err(RedisFailure::lasting(Problem::new(
                Kind::Unavailable,
                format!("Redis at {node} has refused"),
                None,
            )));
        };
        let refused = place.refused(error);
        let is_cluster = self.config.deployment == RedisDeployment::Cluster;
        let reason = || RedisFailure::passing(refused.error.clone());
        match verdict(error, &node.host) {
            Verdict::Moved(to) if is_cluster => {
                if let Some(topology) = &mut self.topology {
                    topology.moved(calls.slot(index), to);
                }
                Ok(Again::Later(RedisFailure::passing(moving(node))))
            }
            Verdict::Ask(to) if is_cluster => Ok(Again::Asking(to)),
            Verdict::NoScript => Ok(Again::WithScripts(reason())),
            Verdict::ReadOnly if self.config.deployment == RedisDeployment::Standalone => Err(refused),
            Verdict::ReadOnly | Verdict::Passing => {
                self.topology = None;
                Ok(Again::Later(reason()))
            }
            Verdict::WrongType => Err(RedisFailure::lasting(self.wrong_type(&place, &calls.keys(index)))),
            _ => Err(refused),
        }
    }

    /// Says which of the keys holds something else than a hash.
    fn wrong_type(&mut self, place: &Peer, keys: &[&[u8]]) -> Problem {
        let node = &place.node;
        self.links.remove(node);
        let mut found = None;
        for key in keys {
            let kind = self.ask(node, redis::cmd("TYPE").arg(*key));
            if let Ok(Value::SimpleString(kind)) = kind
                && kind != "hash"
                && kind != "none"
            {
                found = Some((*key, kind));
                break;
            }
        }
        place.holds(found.as_ref().map(|(key, kind)| (*key, kind.as_str())), &self.project)
    }

    /// Drops a connection that broke, unless nothing helps.
    fn broken(&mut self, node: &RedisNode, failure: RedisFailure) -> Result<RedisFailure, RedisFailure> {
        self.links.remove(node);
        self.topology = None;
        if failure.passing { Ok(failure) } else { Err(failure) }
    }

    fn find(&mut self) -> Result<&Topology, RedisFailure> {
        let topology = match self.topology.take() {
            Some(topology) => topology,
            None => {
                let known: Vec<RedisNode> = self.confirmed.keys().cloned().collect();
                let found = Topology::find(&self.config, &known)?;
                self.forget_replaced(|node| found.masters().contains(node));
                found
            }
        };
        Ok(self.topology.insert(topology))
    }

    fn link(&mut self, node: &RedisNode) -> Result<&mut Link, RedisFailure> {
        match self.links.entry(node.clone()) {
            Entry::Occupied(link) => Ok(link.into_mut()),
            Entry::Vacant(place) => {
                let mut link = Link::connect(&self.config, node, Account::OfSettings)?;
                link.note_run()?;
                let before = self.confirmed.get(node);
                if before.is_some_and(|before| before.is_none() || *before != link.run_id) {
                    self.confirmed.remove(node);
                    self.forgetful = Some(node.clone());
                }
                Ok(place.insert(link))
            }
        }
    }
}
