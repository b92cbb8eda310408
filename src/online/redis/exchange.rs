//! Sends commands where their keys are, and again where that may help.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
};

use redis::Value;

use super::{
    calls::Calls,
    connection::Link,
    explain::{Peer, RedisFailure, Verdict, moving, verdict, without_owner},
    servers::Servers,
};
use crate::{
    config::{RedisDeployment, RedisNode},
    online::patience::Patience,
    problem::{Kind, Problem},
};

/// What to do about a command that a server refuses for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// All of it fails.
    Fails,
    /// That is its answer.
    IsAnswer,
}

/// The result of sending commands once.
struct Attempt {
    refusal: Refusal,
    /// A reason to try again, if something is left.
    again: Option<RedisFailure>,
    /// Commands that go to the server that is taking over the key's slot.
    redirected: Vec<(RedisNode, usize)>,
    /// Servers that do not know the scripts.
    without_scripts: BTreeSet<RedisNode>,
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

    /// Sends what has no answer yet. Gives a reason to try again if something is left.
    fn attempt(
        &mut self,
        calls: &Calls,
        answers: &mut [Option<Value>],
        refusal: Refusal,
    ) -> Result<Option<RedisFailure>, RedisFailure> {
        let mut attempt = Attempt { refusal, again: None, redirected: Vec::new(), without_scripts: BTreeSet::new() };
        let mut asked: Vec<(RedisNode, Vec<usize>)> = Vec::new();
        for (node, indexes) in self.by_server(calls, answers)? {
            match self.send(&node, calls, &indexes) {
                Ok(()) => asked.push((node, indexes)),
                Err(failure) => attempt.again = Some(self.broken(&node, failure)?),
            }
        }
        for (node, indexes) in asked {
            for index in indexes {
                let Some(link) = self.links.get_mut(&node) else { break };
                let answer = link.receive();
                if answer.is_ok() {
                    self.confirmed.entry(node.clone()).or_insert_with(|| link.run_id.clone());
                }
                answers[index] = self.accepted(&node, calls, index, answer, &mut attempt)?;
            }
        }
        for (node, index) in std::mem::take(&mut attempt.redirected) {
            let answer = self.ask_migrating(&node, calls, index);
            answers[index] = self.accepted(&node, calls, index, answer, &mut attempt)?;
            if attempt.redirected.pop().is_some() {
                attempt.again = Some(RedisFailure::passing(moving(&node)));
            }
        }
        for node in attempt.without_scripts {
            if let Err(failure) = self.link(&node).and_then(Link::load_scripts) {
                attempt.again = Some(self.broken(&node, failure)?);
            }
        }
        Ok(attempt.again)
    }

    /// What a server has answered to a command; `None` if the command is to be sent again, which `attempt` takes note of.
    fn accepted(
        &mut self,
        node: &RedisNode,
        calls: &Calls,
        index: usize,
        answer: Result<Value, RedisFailure>,
        attempt: &mut Attempt,
    ) -> Result<Option<Value>, RedisFailure> {
        let error = match answer {
            Ok(Value::ServerError(error)) if !attempt.refusal.accepts(&error, node) => error,
            Ok(value) => return Ok(Some(value)),
            Err(failure) => {
                attempt.again = Some(self.broken(node, failure)?);
                return Ok(None);
            }
        };
        match self.judge(node, calls, index, &error)? {
            Again::Later(failure) => attempt.again = Some(failure),
            Again::WithScripts(failure) => {
                attempt.again = Some(failure);
                attempt.without_scripts.insert(node.clone());
            }
            Again::Asking(other) => attempt.redirected.push((other, index)),
        }
        Ok(None)
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
}
