//! What went wrong, in words that help; never with a password.

use std::io;

use redis::{RedisError, ServerError};

use super::layout::describe;
use crate::{
    clients::runtime::NoRuntime,
    config::{RedisConfig, RedisNode},
    problem::{Kind, Problem},
};

/// Why something cannot be done, and whether it may work in a moment.
#[derive(Debug)]
pub(crate) struct RedisFailure {
    pub error: Problem,
    pub passing: bool,
}

impl RedisFailure {
    pub(crate) fn passing(error: Problem) -> Self {
        Self { error, passing: true }
    }

    pub(crate) fn lasting(error: Problem) -> Self {
        Self { error, passing: false }
    }

    /// The same without the password: servers that do not know a command repeat its arguments.
    pub(crate) fn without(mut self, config: &RedisConfig) -> Self {
        let password = config.connection.password.as_ref().map_or("", |password| &password.0);
        if !password.is_empty() && self.error.message.contains(password) {
            self.error.message = self.error.message.replace(password, "***");
        }
        self
    }
}

impl From<NoRuntime> for RedisFailure {
    fn from(error: NoRuntime) -> Self {
        Self::lasting(error.into())
    }
}

/// Keys whose slots are going to another server.
pub(crate) fn moving(node: &RedisNode) -> Problem {
    Problem::new(
        Kind::Unavailable,
        format!("slots of Redis at {node} are moving"),
        "wait until they have moved, then try again".to_owned(),
    )
}

/// A slot that no server of a cluster has.
pub(crate) fn without_owner(slot: u16) -> RedisFailure {
    RedisFailure::passing(Problem::new(
        Kind::Unavailable,
        format!("no server of the Redis cluster has slot {slot}"),
        "look at the cluster with `redis-cli --cluster check`".to_owned(),
    ))
}

/// What an answer that is an error asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The slot belongs to another server now.
    Moved(RedisNode),
    /// This key is at another server already, which must be told that we know.
    Ask(RedisNode),
    /// The server has forgotten the scripts.
    NoScript,
    /// A replica: perhaps there is another master by now.
    ReadOnly,
    /// It works in a moment.
    Passing,
    /// A key holds something else than a hash.
    WrongType,
    Lasting,
}

/// What to do about an error of a server that listens at `host`.
pub(crate) fn verdict(error: &ServerError, host: &str) -> Verdict {
    let target = || {
        let (address, port) = error.details()?.split_ascii_whitespace().nth(1)?.rsplit_once(':')?;
        // A server that does not know how it is called is at the address that answered.
        let host = if address.is_empty() { host } else { address };
        Some(RedisNode { host: host.to_owned(), port: port.parse().ok()? })
    };
    match code(error) {
        "MOVED" => target().map_or(Verdict::Passing, Verdict::Moved),
        "ASK" => target().map_or(Verdict::Passing, Verdict::Ask),
        "NOSCRIPT" => Verdict::NoScript,
        "READONLY" => Verdict::ReadOnly,
        "TRYAGAIN" | "CLUSTERDOWN" | "LOADING" | "MASTERDOWN" | "BUSY" => Verdict::Passing,
        "WRONGTYPE" => Verdict::WrongType,
        _ => Verdict::Lasting,
    }
}

/// The code of an error. Before Redis 7 those of a script's commands were inside the text of another.
fn code(error: &ServerError) -> &str {
    const INNER: [&str; 4] = ["OOM", "WRONGTYPE", "READONLY", "NOPERM"];
    let inner = |text: &str| INNER.into_iter().find(|code| text.contains(&format!("-{code} ")));
    match error.code() {
        // What a longer command without a password gets.
        "ERR" if error.details().is_some_and(|text| text.contains("unauthenticated")) => "NOAUTH",
        "ERR" => error.details().and_then(inner).unwrap_or("ERR"),
        code => code,
    }
}

/// The server a message is about.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub node: RedisNode,
    pub encrypted: bool,
}

impl Peer {
    /// A connection that cannot be made or has broken.
    pub(crate) fn unreachable(&self, error: &RedisError) -> RedisFailure {
        let node = &self.node;
        let text = error.to_string();
        if let Some(failure) = self.not_encrypted_alike(error, &text) {
            return failure;
        }
        let what = if error.is_connection_refusal() {
            "refuses connections".to_owned()
        } else if error.is_timeout() {
            "does not answer in time".to_owned()
        } else if error.is_connection_dropped() {
            "has closed the connection".to_owned()
        } else {
            format!("cannot be reached: {text}")
        };
        let mut help = "check that it runs, and `connection_string` in feature_store.yaml".to_owned();
        if self.encrypted && error.is_timeout() {
            help.push_str("; without `ssl=true` in it connections are not encrypted");
        }
        if !self.encrypted && error.is_connection_dropped() && !error.is_connection_refusal() {
            help.push_str("; with `ssl=true` in it connections are encrypted");
        }
        let kind = if error.is_timeout() { Kind::Deadline } else { Kind::Unavailable };
        RedisFailure::passing(Problem::new(kind, format!("Redis at {node} {what}"), help))
    }

    fn not_encrypted_alike(&self, error: &RedisError, text: &str) -> Option<RedisFailure> {
        if !self.encrypted || error.is_connection_refusal() || error.is_timeout() {
            return None;
        }
        let node = &self.node;
        let (message, help) = if text.contains("not valid for") || text.contains("NotValidForName") {
            (
                format!("the certificate of Redis at {node} is for another name"),
                "name the host as the certificate does, or write `ssl_check_hostname=false` in `connection_string`",
            )
        } else if text.contains("CaUsedAsEndEntity") {
            (
                format!("Redis at {node} shows the certificate of an authority, which is not accepted"),
                "give Redis a certificate that the authority has signed (basicConstraints CA:FALSE)",
            )
        } else if text.contains("certificate") || text.contains("UnknownIssuer") {
            (
                format!("the certificate of Redis at {node} is not accepted: {text}"),
                "name the authority behind it with `ssl_ca_certs=/path/ca.pem` in `connection_string`",
            )
        } else {
            return None;
        };
        Some(RedisFailure::lasting(Problem::new(Kind::Unavailable, message, help.to_owned())))
    }

    /// A server that takes what it is sent and does not answer.
    pub(crate) fn silent(&self) -> RedisFailure {
        self.unreachable(&RedisError::from(io::Error::from(io::ErrorKind::TimedOut)))
    }

    /// A key that holds something else than a hash, and what that is, if it was found.
    pub(crate) fn holds(&self, found: Option<(&[u8], &str)>, project: &str) -> Problem {
        let what = match found {
            Some((key, kind)) => format!("a {kind} where the values of {} belong", describe(key, project)),
            None => "something else than a hash where values belong".to_owned(),
        };
        Problem::new(
            Kind::Conflict,
            format!("Redis at {} holds {what}", self.node),
            "another program uses the same keys: delete this key, or use another `db`".to_owned(),
        )
    }

    /// An answer that is an error.
    pub(crate) fn refused(&self, error: &ServerError) -> RedisFailure {
        let node = &self.node;
        let detail = error.details().unwrap_or_default();
        let say = |message: String, help: &str| Problem::new(Kind::Unavailable, message, help.to_owned());
        match code(error) {
            "NOAUTH" => RedisFailure::lasting(say(
                format!("Redis at {node} asks for a password"),
                "add `password=…` to `connection_string`, and `username=…` for an ACL account",
            )),
            "WRONGPASS" => RedisFailure::lasting(say(
                format!("Redis at {node} does not accept this account or password"),
                "check `username` and `password` in `connection_string`",
            )),
            "ERR" if detail.contains("without any password configured") => RedisFailure::lasting(say(
                format!("Redis at {node} has no password, but the settings give one"),
                "take `password` out of `connection_string`, or set one in Redis",
            )),
            "ERR" if detail.contains("DB index") => RedisFailure::lasting(say(
                format!("Redis at {node} has no database of this number"),
                "change `db` in `connection_string`; Redis has 16 databases (0 to 15) unless it is told otherwise",
            )),
            "ERR" if detail.contains("cluster support disabled") => RedisFailure::lasting(say(
                format!("Redis at {node} is not part of a cluster"),
                "write `redis_type: redis` in feature_store.yaml",
            )),
            "MOVED" | "ASK" | "CROSSSLOT" => RedisFailure::lasting(say(
                format!("Redis at {node} is part of a cluster"),
                "write `redis_type: redis_cluster` in feature_store.yaml",
            )),
            "NOPERM" => RedisFailure::lasting(say(
                format!("the account may not do this in Redis at {node}: {detail}"),
                "let it use the commands and keys it needs, for instance: \
                 ACL SETUSER name ~* +@read +@write +@scripting +@connection +info +cluster",
            )),
            "ERR" if detail.contains("can't run this command") => RedisFailure::lasting(say(
                format!("the account may not do this in Redis at {node}: {detail}"),
                "let it write hashes: ACL SETUSER name ~* +@read +@write +@scripting",
            )),
            "READONLY" => RedisFailure::lasting(say(
                format!("Redis at {node} is a replica, which only its master may write"),
                "name the master in `connection_string`, or write `redis_type: redis_sentinel` and name the sentinels",
            )),
            "OOM" => RedisFailure::lasting(say(
                format!("Redis at {node} has no memory left (maxmemory) for more values"),
                "give it more memory, or make room with `key_ttl_seconds`; what was written stays, and the next run \
                 goes on",
            )),
            "MISCONF" => RedisFailure::lasting(say(
                format!("Redis at {node} takes no writes, because it cannot save its data: {detail}"),
                "look into its log, and make room on its disk",
            )),
            "NOREPLICAS" => RedisFailure::lasting(say(
                format!("Redis at {node} takes no writes, because too few replicas follow it"),
                "start its replicas, or change `min-replicas-to-write` in Redis",
            )),
            "LOADING" => RedisFailure::passing(say(
                format!("Redis at {node} is still reading its data from disk"),
                "wait until it is done, then try again",
            )),
            "BUSY" => RedisFailure::passing(say(
                format!("Redis at {node} is busy with a script that does not end"),
                "end it with SCRIPT KILL",
            )),
            "CLUSTERDOWN" | "TRYAGAIN" | "MASTERDOWN" => RedisFailure::passing(say(
                format!("Redis at {node} cannot answer for these keys now: {detail}"),
                "look at its cluster with `redis-cli --cluster check`",
            )),
            code => {
                RedisFailure::lasting(say(format!("Redis at {node} refuses: {code} {detail}"), "look into its log"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Password, RedisConnection, RedisDeployment};

    #[test]
    fn a_password_that_a_server_repeats_is_hidden() {
        let password = Some(Password("Geheim123".to_owned()));
        let connection = RedisConnection { password, ..RedisConnection::to(Vec::new()) };
        let config = RedisConfig::new(RedisDeployment::Standalone, connection);
        let said = "unknown command 'AUTH', with args beginning with: 'joe' 'Geheim123'";
        let failure = RedisFailure::lasting(Problem::new(Kind::Unavailable, said.to_owned(), None)).without(&config);
        assert_eq!(failure.error.message, "unknown command 'AUTH', with args beginning with: 'joe' '***'");
    }
}
