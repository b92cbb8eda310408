//! The servers of a store while it is written: connections to them, and whether they still know what they have confirmed.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use redis::Value;

use super::{
    connection::{Account, Link},
    explain::RedisFailure,
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
    pub(super) config: RedisConfig,
    /// For messages about keys.
    pub(super) project: String,
    /// Set when nobody waits for an answer any more.
    pub(super) abandoned: Arc<AtomicBool>,
    pub(super) topology: Option<Topology>,
    pub(super) links: BTreeMap<RedisNode, Link>,
    /// The servers that have confirmed commands, with the names of their runs.
    pub(super) confirmed: BTreeMap<RedisNode, Option<String>>,
    /// A server that has confirmed commands and may have forgotten them.
    forgetful: Option<RedisNode>,
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

    /// The servers that can be written, with the names of their runs, as far as they tell them.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub(crate) fn runs(&mut self) -> Result<BTreeMap<String, String>, Problem> {
        let mut runs = BTreeMap::new();
        for master in self.masters()? {
            let link = self.link(&master).map_err(|failure| failure.error)?;
            runs.extend(link.run_id.clone().map(|run| (master.to_string(), run)));
        }
        Ok(runs)
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

    /// Drops a connection that broke, unless nothing helps.
    pub(super) fn broken(&mut self, node: &RedisNode, failure: RedisFailure) -> Result<RedisFailure, RedisFailure> {
        self.links.remove(node);
        self.topology = None;
        if failure.passing { Ok(failure) } else { Err(failure) }
    }

    pub(super) fn find(&mut self) -> Result<&Topology, RedisFailure> {
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

    pub(super) fn link(&mut self, node: &RedisNode) -> Result<&mut Link, RedisFailure> {
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
