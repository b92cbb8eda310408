//! Which server answers for which key.

use crc::{CRC_16_XMODEM, Crc};
use redis::Value;

use super::{
    connection::{Account, Link},
    explain::RedisFailure,
};
use crate::{
    config::{RedisConfig, RedisDeployment, RedisNode},
    problem::{Kind, Problem},
};

/// How many slots the keys of a cluster are spread over.
const SLOTS: u16 = 16_384;

/// The servers that can be written, and what each has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Topology {
    /// One server with everything.
    One(RedisNode),
    /// The masters of a cluster.
    Cluster {
        masters: Vec<RedisNode>,
        /// Their names in the cluster, empty where they were not told.
        ids: Vec<String>,
        /// For each slot the place in `masters`.
        owners: Vec<Option<u16>>,
    },
}

impl Topology {
    /// Finds out where everything is. `known` are servers that answered before.
    pub(crate) fn find(config: &RedisConfig, known: &[RedisNode]) -> Result<Self, RedisFailure> {
        match &config.deployment {
            // The settings have at least one server.
            RedisDeployment::Standalone => Ok(Self::One(config.connection.nodes[0].clone())),
            RedisDeployment::Sentinel { master } => master_of(config, master).map(Self::One),
            RedisDeployment::Cluster => {
                first_answer(config.connection.nodes.iter().chain(known), &mut |node| Self::as_seen_by(config, node))
            }
        }
    }

    /// A cluster as one of its servers sees it.
    pub(crate) fn as_seen_by(config: &RedisConfig, node: &RedisNode) -> Result<Self, RedisFailure> {
        let mut link = Link::connect(config, node, Account::OfSettings)?;
        of_slots(&link.ask(redis::cmd("CLUSTER").arg("SLOTS"))?, node)
    }

    /// Whether another sees the same server as a master, under whatever address.
    pub(crate) fn is_master_in(&self, node: &RedisNode, other: &Self) -> bool {
        match (self, other) {
            (Self::Cluster { masters, ids, .. }, Self::Cluster { ids: others, .. }) => {
                let id = masters.iter().zip(ids).find(|(master, _)| *master == node).map(|(_, id)| id);
                id.is_some_and(|id| others.contains(id))
            }
            _ => self == other,
        }
    }

    /// The servers that can be written.
    pub(crate) fn masters(&self) -> &[RedisNode] {
        match self {
            Self::One(node) => std::slice::from_ref(node),
            Self::Cluster { masters, .. } => masters,
        }
    }

    /// The server that has the keys of a slot.
    pub(crate) fn owner(&self, slot: u16) -> Option<&RedisNode> {
        match self {
            Self::One(node) => Some(node),
            Self::Cluster { masters, owners, .. } => {
                let place = owners.get(usize::from(slot)).copied().flatten()?;
                masters.get(usize::from(place))
            }
        }
    }

    /// Notes that a slot has moved to another server.
    pub(crate) fn moved(&mut self, slot: u16, to: RedisNode) {
        if let Self::Cluster { masters, ids, owners } = self {
            let place = masters.iter().position(|master| *master == to).unwrap_or_else(|| {
                masters.push(to);
                ids.push(String::new());
                masters.len() - 1
            });
            if let Some(owner) = owners.get_mut(usize::from(slot)) {
                // As many masters as slots at most.
                *owner = u16::try_from(place).ok();
            }
        }
    }
}

/// The slot of a key: that of its part in braces, if it has one, as in every cluster.
pub(crate) fn slot(key: &[u8]) -> u16 {
    let position = |bytes: &[u8], byte| bytes.iter().position(|other| *other == byte);
    let tag = position(key, b'{').and_then(|open| {
        let behind = &key[open + 1..];
        position(behind, b'}').filter(|end| *end > 0).map(|end| &behind[..end])
    });
    CHECKSUM.checksum(tag.unwrap_or(key)) % SLOTS
}

static CHECKSUM: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);

/// What the first server says that can be asked. If none can, a problem that will not pass tells most.
fn first_answer<'a, T>(
    nodes: impl Iterator<Item = &'a RedisNode>,
    ask: &mut dyn FnMut(&RedisNode) -> Result<T, RedisFailure>,
) -> Result<T, RedisFailure> {
    let mut problem = None;
    for node in nodes {
        match ask(node) {
            Ok(answer) => return Ok(answer),
            Err(failure) => problem = Some(more_telling(problem, failure)),
        }
    }
    Err(problem.unwrap_or_else(no_server))
}

/// Of two failures the one that tells more: a problem that will not pass.
pub(crate) fn more_telling(before: Option<RedisFailure>, failure: RedisFailure) -> RedisFailure {
    match before {
        Some(before) if failure.passing => before,
        _ => failure,
    }
}

/// That there is nobody to ask.
pub(crate) fn no_server() -> RedisFailure {
    RedisFailure::lasting(Problem::new(Kind::Unavailable, "the settings name no Redis server".to_owned(), None))
}

/// A cluster by what one of its servers answers to `CLUSTER SLOTS`.
pub(crate) fn of_slots(answer: &Value, node: &RedisNode) -> Result<Topology, RedisFailure> {
    let (mut masters, mut ids) = (Vec::<RedisNode>::new(), Vec::new());
    let mut owners = vec![None; usize::from(SLOTS)];
    for (first, last, master, id) in items(answer).iter().filter_map(|range| slot_range(range, node)) {
        let place = masters.iter().position(|known| *known == master).unwrap_or_else(|| {
            masters.push(master);
            ids.push(id);
            masters.len() - 1
        });
        if let Some(owners) = owners.get_mut(first..=last) {
            owners.fill(u16::try_from(place).ok());
        }
    }
    if masters.is_empty() {
        return Err(RedisFailure::passing(Problem::new(
            Kind::Unavailable,
            format!("the cluster of Redis at {node} has no slots yet"),
            "create it with `redis-cli --cluster create`".to_owned(),
        )));
    }
    Ok(Topology::Cluster { masters, ids, owners })
}

/// First slot, last slot, master and its name of a range of `CLUSTER SLOTS`.
fn slot_range(range: &Value, asked: &RedisNode) -> Option<(usize, usize, RedisNode, String)> {
    let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = items(range) else { return None };
    let port =
        master.get(1).and_then(|port| if let Value::Int(port) = port { u16::try_from(*port).ok() } else { None });
    let host = match master.first().and_then(text) {
        // An empty host means the host that was asked.
        None => asked.host.clone(),
        Some(host) if host.is_empty() => asked.host.clone(),
        Some(host) if host == "?" => return None,
        Some(host) => host,
    };
    let (node, id) = (RedisNode { host, port: port? }, master.get(2).and_then(text).unwrap_or_default());
    Some((usize::try_from(*first).ok()?, usize::try_from(*last).ok()?, node, id))
}

fn master_of(config: &RedisConfig, name: &str) -> Result<RedisNode, RedisFailure> {
    first_answer(config.connection.nodes.iter(), &mut |sentinel| {
        let mut link = Link::connect(config, sentinel, Account::OfSentinel)?;
        let answer = link.ask(&ask_for_master(name)).map_err(|failure| no_sentinel(failure, sentinel))?;
        told_master(&answer)
            .ok_or_else(|| unknown_master(name, link.ask(redis::cmd("SENTINEL").arg("MASTERS")).ok().as_ref()))
    })
}

/// Asks a sentinel where the master of this name is.
pub(crate) fn ask_for_master(name: &str) -> redis::Cmd {
    let mut ask = redis::cmd("SENTINEL");
    ask.arg("get-master-addr-by-name").arg(name);
    ask
}

/// What a sentinel has answered to that.
pub(crate) fn told_master(answer: &Value) -> Option<RedisNode> {
    let [host, port] = items(answer) else { return None };
    Some(RedisNode { host: text(host)?, port: text(port)?.parse().ok()? })
}

/// The same failure, or that who was asked is not a sentinel.
pub(crate) fn no_sentinel(failure: RedisFailure, asked: &RedisNode) -> RedisFailure {
    if !failure.error.message.contains("unknown command") {
        return failure;
    }
    RedisFailure::lasting(Problem::new(
        Kind::Unavailable,
        format!("{asked} is not a sentinel"),
        "name the sentinels in `connection_string` (their port is 26379 by default), or write `redis_type: redis`"
            .to_owned(),
    ))
}

/// That sentinels do not know a master, with what one answers to `SENTINEL MASTERS`.
pub(crate) fn unknown_master(name: &str, masters: Option<&Value>) -> RedisFailure {
    let name_of = |master: &Value| items(master).get(1).and_then(text);
    let known: Vec<String> = masters.map_or(&[][..], items).iter().filter_map(name_of).collect();
    let help = match known.as_slice() {
        [] => "check `sentinel_master` in feature_store.yaml".to_owned(),
        known => format!("write `sentinel_master: {}` in feature_store.yaml", known.join("` or `")),
    };
    RedisFailure::lasting(Problem::new(Kind::Unavailable, format!("the sentinels know no master `{name}`"), help))
}

fn items(value: &Value) -> &[Value] {
    if let Value::Array(items) = value { items } else { &[] }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
        Value::SimpleString(text) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        // As CLUSTER KEYSLOT answers.
        assert_eq!(slot(b"foo"), 12182);
        assert_eq!(slot(b"{user1000}.following"), slot(b"user1000"));
        assert_eq!(slot(b"foo{}{bar}"), CHECKSUM.checksum(b"foo{}{bar}") % SLOTS);
        assert_eq!(slot(b"foo{{bar}}zap"), slot(b"{bar"));
    }

    #[test]
    fn moved_slots_have_another_owner() {
        let node = |port| RedisNode { host: "h".to_owned(), port };
        let owners = vec![Some(0); usize::from(SLOTS)];
        let mut topology = Topology::Cluster { masters: vec![node(1)], ids: vec!["a".to_owned()], owners };
        topology.moved(5, node(2));
        assert_eq!((topology.owner(5), topology.owner(6)), (Some(&node(2)), Some(&node(1))));
        assert_eq!(topology.masters(), [node(1), node(2)]);
    }
}
