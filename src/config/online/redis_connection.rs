//! The `connection_string` of Redis in Feast's grammar. No message repeats it, because it may hold a password.

use std::{fmt, path::Path, time::Duration};

use crate::{
    config::{ClientCertificate, Password, TlsConfig, TlsMode, resolve},
    diagnostics::did_you_mean,
    problem::{Kind, Problem},
};

const DEFAULT_PORT: u16 = 6379;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RedisNode {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// How connections are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisTls {
    /// Whom to trust.
    pub server: TlsConfig,
    /// Who we are, for servers that ask for a certificate.
    pub client: Option<ClientCertificate>,
}

impl fmt::Display for RedisNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// How servers are reached, as Feast's `connection_string` says it: servers `host:port` and keywords
/// `name=value` of the client redis-py, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisConnection {
    /// The server; some servers of the cluster; or the sentinels. Never empty.
    pub nodes: Vec<RedisNode>,
    /// `None` for the account that every server has.
    pub username: Option<String>,
    /// `None` where the servers ask for none.
    pub password: Option<Password>,
    /// The number of the database, from 0.
    pub db: i64,
    /// Encryption, if connections are encrypted.
    pub tls: Option<RedisTls>,
    /// How long to wait for a connection, if the settings say so.
    pub connect_timeout: Option<Duration>,
    /// How long to wait for an answer, if the settings say so.
    pub response_timeout: Option<Duration>,
}

fn problem<T>(message: impl Into<String>, help: impl Into<Option<String>>) -> Result<T, Problem> {
    Err(Problem::new(Kind::Invalid, message.into(), help.into()))
}

/// Keywords of redis-py's clients that feastr follows.
const FOLLOWED: [&str; 11] = [
    "db",
    "username",
    "password",
    "ssl",
    "ssl_ca_certs",
    "ssl_cert_reqs",
    "ssl_check_hostname",
    "ssl_certfile",
    "ssl_keyfile",
    "socket_timeout",
    "socket_connect_timeout",
];

/// Keywords of redis-py's clients that say nothing to feastr.
const IGNORED: [&str; 41] = [
    "socket_keepalive",
    "socket_keepalive_options",
    "encoding",
    "encoding_errors",
    "decode_responses",
    "retry",
    "retry_on_timeout",
    "retry_on_error",
    "max_connections",
    "single_connection_client",
    "health_check_interval",
    "client_name",
    "lib_name",
    "lib_version",
    "driver_info",
    "protocol",
    "cache",
    "cache_config",
    "event_dispatcher",
    "policy_resolver",
    "maint_notifications_config",
    "require_full_coverage",
    "skip_full_coverage_check",
    "reinitialize_steps",
    "cluster_error_retry_attempts",
    "read_from_replicas",
    "load_balancing_strategy",
    "dynamic_startup_nodes",
    "address_remap",
    "min_other_sentinels",
    "force_master_ip",
    "ssl_include_verify_flags",
    "ssl_exclude_verify_flags",
    "ssl_validate_ocsp",
    "ssl_validate_ocsp_stapled",
    "ssl_ocsp_context",
    "ssl_ocsp_expected_cert",
    "ssl_min_version",
    "ssl_ciphers",
    "redis_connect_func",
    "connection_pool",
];

/// Keywords without which the connection would be another one.
const UNSUPPORTED: [&str; 8] =
    ["unix_socket_path", "url", "host", "port", "ssl_ca_path", "ssl_ca_data", "ssl_password", "credential_provider"];

/// The keywords about TLS as they are collected.
#[derive(Default)]
struct TlsWords {
    on: bool,
    authorities: Option<String>,
    requirement: Option<TlsMode>,
    ignores_name: bool,
    certificate: Option<String>,
    key: Option<String>,
}

impl RedisConnection {
    /// Plain connections without an account.
    pub fn to(nodes: Vec<RedisNode>) -> Self {
        Self { nodes, username: None, password: None, db: 0, tls: None, connect_timeout: None, response_timeout: None }
    }

    /// It in Feast's grammar, with `***` for the password.
    pub fn masked(&self) -> String {
        let mut items: Vec<String> = self.nodes.iter().map(ToString::to_string).collect();
        if self.db != 0 {
            items.push(format!("db={}", self.db));
        }
        if self.tls.is_some() {
            items.push("ssl=true".to_owned());
        }
        items.extend(self.username.iter().map(|name| format!("username={name}")));
        items.extend(self.password.iter().map(|_| "password=***".to_owned()));
        items.join(",")
    }

    /// Takes a connection string apart; relative paths of certificates start in `folder`.
    ///
    /// # Errors
    /// When there is no server in it, or a keyword or value that cannot be followed.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Problem> {
        if text.contains("://") {
            return problem(
                "the connection_string is a URL",
                "write it as Feast does: host:6379,db=0,username=…,password=…,ssl=true".to_owned(),
            );
        }
        let mut read = Self::to(Vec::new());
        let mut tls = TlsWords::default();
        for item in text.split(',') {
            match item.split_once('=') {
                Some((name, value)) => read.set(name.trim(), unquoted(value), &mut tls)?,
                None => read.nodes.push(node(item)?),
            }
        }
        if read.nodes.is_empty() {
            return problem("the connection_string names no server", "begin it with one: localhost:6379".to_owned());
        }
        read.tls = tls.settings(folder)?;
        Ok(read)
    }

    fn set(&mut self, name: &str, value: String, tls: &mut TlsWords) -> Result<(), Problem> {
        match name {
            "db" => {
                let number = value.parse().ok().filter(|number| *number >= 0);
                let help = "databases have numbers from 0: db=0".to_owned();
                self.db =
                    number.map_or_else(|| problem("the db in the connection_string is not a number", help), Ok)?;
            }
            "username" => self.username = given(value),
            "password" => self.password = given(value).map(Password),
            "ssl" => tls.on = flag(name, &value)?,
            "ssl_ca_certs" => tls.authorities = given(value),
            "ssl_cert_reqs" => tls.requirement = Some(requirement(&value)?),
            "ssl_check_hostname" => tls.ignores_name = !flag(name, &value)?,
            "ssl_certfile" => tls.certificate = given(value),
            "ssl_keyfile" => tls.key = given(value),
            "socket_timeout" => self.response_timeout = seconds(name, &value)?,
            "socket_connect_timeout" => self.connect_timeout = seconds(name, &value)?,
            _ if IGNORED.contains(&name) => {}
            _ if UNSUPPORTED.contains(&name) => {
                return problem(format!("`{name}` in the connection_string is not supported"), replacement(name));
            }
            _ => {
                // What looks like a keyword may be the end of a password with a comma in it.
                let known = FOLLOWED.iter().chain(&IGNORED).copied();
                let word = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                let close = word.then(|| crate::diagnostics::closest(name, known.clone())).flatten();
                return match close {
                    Some(_) => problem(
                        format!("there is no keyword `{name}` for a connection to Redis"),
                        did_you_mean(name, known),
                    ),
                    None => problem(
                        "the connection_string has a keyword that redis-py does not know",
                        "write keywords such as db=0, username=…, password=…, ssl=true; a password cannot hold a comma"
                            .to_owned(),
                    ),
                };
            }
        }
        Ok(())
    }
}

impl TlsWords {
    /// What redis-py would do, with the rule that naming certificates without `ssl=true` does nothing.
    fn settings(self, folder: &Path) -> Result<Option<RedisTls>, Problem> {
        if !self.on {
            return Ok(None);
        }
        let mode = match self.requirement.unwrap_or(TlsMode::VerifyFull) {
            TlsMode::VerifyFull if self.ignores_name => TlsMode::VerifyCa,
            mode => mode,
        };
        let path = |text: &String| resolve(folder, text);
        let client = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                Some(ClientCertificate { certificate: path(certificate), key: path(key) })
            }
            // One file can hold both.
            (Some(both), None) => Some(ClientCertificate { certificate: path(both), key: path(both) }),
            (None, Some(_)) => {
                return problem("ssl_keyfile needs a certificate", "name it with ssl_certfile=…".to_owned());
            }
            (None, None) => None,
        };
        let server = TlsConfig { mode, root_certificates: self.authorities.as_ref().map(path) };
        Ok(Some(RedisTls { server, client }))
    }
}

/// As in Feast a value may be a text in JSON.
fn unquoted(value: &str) -> String {
    serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned())
}

/// The text, unless it is Python's or JSON's word for nothing.
fn given(value: String) -> Option<String> {
    Some(value).filter(|value| !value.is_empty() && value != "null")
}

fn node(item: &str) -> Result<RedisNode, Problem> {
    let item = item.trim();
    let (host, port) = match item.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match item.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (item, None),
        },
    };
    let port = port.map_or(Some(DEFAULT_PORT), |port| port.parse().ok());
    match port.filter(|_| !host.is_empty()) {
        Some(port) => Ok(RedisNode { host: host.to_owned(), port }),
        // It may be the end of a password with a comma in it.
        None => problem(
            "the connection_string has an item that is neither host:port nor name=value",
            "separate items by commas: host:6379,db=0,password=…; a password cannot hold a comma".to_owned(),
        ),
    }
}

fn flag(name: &str, value: &str) -> Result<bool, Problem> {
    match value {
        "true" | "True" | "1" => Ok(true),
        "false" | "0" | "null" => Ok(false),
        _ => problem(
            format!("`{name}` in the connection_string is neither true nor false"),
            format!("write {name}=true or {name}=false, in small letters"),
        ),
    }
}

fn requirement(value: &str) -> Result<TlsMode, Problem> {
    match value {
        "required" => Ok(TlsMode::VerifyFull),
        // To a client both mean the same: any certificate.
        "none" | "null" | "optional" => Ok(TlsMode::Require),
        _ => problem(
            "ssl_cert_reqs in the connection_string is none of Python's words",
            "write ssl_cert_reqs=required or ssl_cert_reqs=none".to_owned(),
        ),
    }
}

fn seconds(name: &str, value: &str) -> Result<Option<Duration>, Problem> {
    if value == "null" {
        return Ok(None);
    }
    match value.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
        Some(duration) if !duration.is_zero() => Ok(Some(duration)),
        _ => problem(
            format!("`{name}` in the connection_string is not a number of seconds"),
            format!("write {name}=5, or leave it out"),
        ),
    }
}

fn replacement(name: &str) -> String {
    match name {
        "ssl_ca_path" | "ssl_ca_data" => "name a file with the certificates: ssl_ca_certs=ca.pem",
        "ssl_password" => "give a key that is not encrypted with ssl_keyfile",
        "credential_provider" => "write username=… and password=…",
        _ => "begin the connection_string with the server: host:6379",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> RedisConnection {
        RedisConnection::parse(text, Path::new("/repo")).unwrap()
    }

    fn refused(text: &str) -> Problem {
        RedisConnection::parse(text, Path::new("/repo")).unwrap_err()
    }

    #[test]
    fn servers_and_keywords_are_told_apart() {
        let read =
            parse("a:7000,b,[::1]:7002,db=3,username=feast,password=p=w,socket_timeout=1.5,decode_responses=true");
        let nodes: Vec<String> = read.nodes.iter().map(ToString::to_string).collect();
        assert_eq!(nodes, ["a:7000", "b:6379", "[::1]:7002"]);
        assert_eq!((read.db, read.username.as_deref()), (3, Some("feast")));
        assert_eq!(read.password, Some(Password("p=w".to_owned())));
        assert_eq!(read.response_timeout, Some(Duration::from_millis(1500)));
        assert_eq!((read.tls, read.connect_timeout), (None, None));
        assert_eq!(parse("h:1,password=007").password, Some(Password("007".to_owned())));
        assert_eq!(parse("h:1,password=\"a b\"").password, Some(Password("a b".to_owned())));
    }

    #[test]
    fn encryption_is_that_of_redis_py() {
        let tls = |text: &str| parse(text).tls.unwrap();
        assert_eq!(tls("h:1,ssl=true").server, TlsConfig { mode: TlsMode::VerifyFull, root_certificates: None });
        assert_eq!(tls("h:1,ssl=True,ssl_check_hostname=false").server.mode, TlsMode::VerifyCa);
        assert_eq!(tls("h:1,ssl=true,ssl_cert_reqs=none").server.mode, TlsMode::Require);
        let tls = tls("h:1,ssl=true,ssl_ca_certs=ca.pem,ssl_certfile=/c.pem,ssl_keyfile=k.pem");
        assert_eq!(tls.server.root_certificates.as_deref(), Some(Path::new("/repo/ca.pem")));
        assert_eq!(tls.client, Some(ClientCertificate { certificate: "/c.pem".into(), key: "/repo/k.pem".into() }));
        assert_eq!(parse("h:1,ssl=false,ssl_ca_certs=ca.pem").tls, None);
    }

    #[test]
    fn what_cannot_be_read_is_said_without_the_string() {
        for (text, message) in [
            ("redis://u:secret@h:1", "is a URL"),
            ("password=secret", "names no server"),
            ("h:1,password=a,secret:b", "neither host:port nor name=value"),
            ("h:1,password=a,secret!=b", "redis-py does not know"),
            ("h:1,pasword=secret", "there is no keyword `pasword`"),
            ("h:1,db=x,password=secret", "the db in the connection_string is not a number"),
            ("h:1,ssl=False,password=secret", "`ssl` in the connection_string is neither true nor false"),
            ("h:1,unix_socket_path=/secret", "`unix_socket_path` in the connection_string is not supported"),
            ("h:1,socket_timeout=0,password=secret", "is not a number of seconds"),
            ("h:1,ssl=true,ssl_keyfile=secret", "needs a certificate"),
        ] {
            let problem = refused(text);
            assert!(problem.message.contains(message), "{text}: {problem:?}");
            assert!(problem.help().is_some() && !format!("{problem:?}").contains("secret"), "{text}: {problem:?}");
        }
    }
}
