//! Where a Spark Connect server is, as Spark writes it: `sc://host:port/;key=value;key=value`.

use std::fmt;

use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::super::Password;
use crate::{
    diagnostics::closest,
    problem::{Kind, Problem},
};

/// The port of Spark Connect.
const DEFAULT_PORT: u16 = 15002;

/// Parameters that are not sent as headers; those after the first five are about pings, which feastr decides itself.
const KNOWN: [&str; 9] = [
    "token",
    "use_ssl",
    "user_id",
    "user_agent",
    "session_id",
    "grpc_keepalive_enabled",
    "grpc_keepalive_time_ms",
    "grpc_keepalive_timeout_ms",
    "grpc_keepalive_without_calls",
];

/// Where a Spark Connect server is, and what it is told of who asks.
///
/// Shown without parameters, of which some are secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SparkAddress {
    /// A name or an address.
    host: String,
    /// Its port.
    port: u16,
    /// Whether what goes to and fro is encrypted.
    pub is_encrypted: bool,
    /// What says who asks, as a bearer token.
    pub token: Option<Password>,
    /// The user whose session it is, where no token says it.
    pub user: Option<String>,
    /// What the server notes as the program that asks, after the name of feastr.
    pub agent: Option<String>,
    /// The session to take part in; else each command has one of its own.
    pub session: Option<Uuid>,
    /// What else is sent as headers, such as the cluster that a service asks for.
    pub headers: Vec<(String, Password)>,
}

/// Says why a text is no address, and what to write. Nothing of the text is repeated, which may hold a token.
fn no_address(message: impl Into<String>) -> Problem {
    let help = "write sc://host:15002, with parameters sc://host:443/;use_ssl=true".to_owned();
    Problem::new(Kind::Invalid, message, help)
}

impl SparkAddress {
    /// The address that a text names.
    ///
    /// # Errors
    /// When it names none.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let rest = text
            .trim()
            .strip_prefix("sc://")
            .ok_or_else(|| no_address("the address of a Spark Connect server begins with `sc://`"))?;
        let (place, parameters) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = split_port(place)?;
        let mut address = Self {
            host: host.to_owned(),
            port,
            is_encrypted: false,
            token: None,
            user: None,
            agent: None,
            session: None,
            headers: Vec::new(),
        };
        let Some(parameters) = parameters.strip_prefix(';').or_else(|| parameters.is_empty().then_some("")) else {
            return Err(no_address("after the `/` of a Spark Connect server's address only `;key=value` may stand"));
        };
        let mut is_encrypted = None;
        for parameter in parameters.split(';').filter(|parameter| !parameter.is_empty()) {
            let (key, value) = parameter
                .split_once('=')
                .ok_or_else(|| no_address("a parameter of the Spark Connect server's address has no `=`"))?;
            let value = percent_decode_str(value)
                .decode_utf8()
                .map_err(|_| no_address(format!("`{key}` in the Spark Connect server's address is no text")))?;
            match key {
                "use_ssl" => is_encrypted = Some(is_true(&value)?),
                _ => address.take(key, value.into_owned())?,
            }
        }
        // As PySpark has it, who sends a token means encryption.
        address.is_encrypted = is_encrypted.unwrap_or(address.token.is_some());
        Ok(address)
    }

    fn take(&mut self, key: &str, value: String) -> Result<(), Problem> {
        match key {
            "token" => self.token = Some(Password(value)).filter(|token| !token.0.is_empty()),
            "user_id" => self.user = Some(value),
            "user_agent" => self.agent = Some(value),
            "session_id" => {
                let session = value.parse();
                self.session = Some(
                    session.map_err(|_| no_address("`session_id` in the Spark Connect server's address is no UUID"))?,
                );
            }
            _ if KNOWN.contains(&key) => {}
            _ => self.headers.push(header(key, value)?),
        }
        Ok(())
    }

    /// The URL of the server: `http://…`, or `https://…` for one that encrypts.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.is_encrypted { "https" } else { "http" }, self.place())
    }

    /// The address as it is understood, with `***` for secrets.
    pub(super) fn masked(&self) -> String {
        let token = self.token.iter().map(|_| "token=***".to_owned());
        let user = self.user.iter().map(|user| format!("user_id={user}"));
        let headers = self.headers.iter().map(|(name, _)| format!("{name}=***"));
        let parameters: Vec<String> =
            std::iter::once(format!("use_ssl={}", self.is_encrypted)).chain(token).chain(user).chain(headers).collect();
        format!("{self}/;{}", parameters.join(";"))
    }

    fn place(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for SparkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sc://{}", self.place())
    }
}

/// A host and its port, which may be left out.
fn split_port(place: &str) -> Result<(&str, u16), Problem> {
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, port.strip_prefix(':').or(Some("?"))),
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() || place.contains(['@', ';', '?', ' ']) {
        return Err(no_address("the address of the Spark Connect server has no host, or more than a host and a port"));
    }
    let port = match port {
        None => Some(DEFAULT_PORT),
        Some(port) => port.parse().ok().filter(|port| *port > 0),
    };
    let port = port.ok_or_else(|| no_address("the port of a Spark Connect server is a number from 1 to 65535"))?;
    Ok((host, port))
}

fn is_true(word: &str) -> Result<bool, Problem> {
    match word.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(no_address("`use_ssl` in the Spark Connect server's address is `true` or `false`")),
    }
}

/// What is sent as a header.
fn header(key: &str, value: String) -> Result<(String, Password), Problem> {
    let name = key.to_ascii_lowercase();
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name.is_empty() || !name.chars().all(allowed) || name.ends_with("-bin") {
        return Err(no_address("a parameter of the Spark Connect server's address has a name that no header may have"));
    }
    // What looks like a parameter and is sent as a header would be overlooked.
    if let Some(known) = closest(&name, KNOWN).filter(|_| !name.starts_with("x-")) {
        let message = format!("the Spark Connect server's address has a parameter `{name}`, which Spark does not know");
        return Err(Problem::new(Kind::Invalid, message, format!("did you mean `{known}`?")));
    }
    if !value.chars().all(|letter| letter == ' ' || letter.is_ascii_graphic()) {
        return Err(no_address(format!(
            "`{name}` in the Spark Connect server's address is nothing that headers can hold"
        )));
    }
    Ok((name, Password(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> SparkAddress {
        SparkAddress::parse(text).unwrap()
    }

    #[test]
    fn an_address_is_a_host_with_parameters() {
        let plain = parsed("sc://spark.example");
        assert_eq!(
            (plain.url().as_str(), plain.to_string().as_str()),
            ("http://spark.example:15002", "sc://spark.example:15002")
        );
        assert_eq!(parsed("sc://[::1]:443/;use_ssl=true").url(), "https://[::1]:443");
        assert_eq!(parsed("sc://[::1]").to_string(), "sc://[::1]:15002");
        let full = parsed(
            "sc://dbc.example:443/;token=s3c%3Dret;user_id=ann;x-databricks-cluster-id=0301-a;user_agent=batch;\
             session_id=00112233-4455-6677-8899-aabbccddeeff;grpc_keepalive_time_ms=1",
        );
        assert!(full.is_encrypted);
        assert_eq!(full.token, Some(Password("s3c=ret".to_owned())));
        assert_eq!((full.user.as_deref(), full.agent.as_deref()), (Some("ann"), Some("batch")));
        assert_eq!(full.headers, [("x-databricks-cluster-id".to_owned(), Password("0301-a".to_owned()))]);
        assert!(full.session.is_some());
        assert!(!parsed("sc://h/;token=t;use_ssl=False").is_encrypted);
    }

    #[test]
    fn secrets_are_shown_nowhere() {
        let address = parsed("sc://h/;token=s3cret;x-key=s3cret");
        let shown = format!("{address} {address:?} {}", address.masked());
        assert!(!shown.contains("s3cret"), "{shown}");
        assert_eq!(address.masked(), "sc://h:15002/;use_ssl=true;token=***;x-key=***");
    }

    #[test]
    fn what_is_no_address_is_told_without_repeating_it() {
        for (wrong, part) in [
            ("spark.example:15002", "begins with `sc://`"),
            ("local[*]", "begins with `sc://`"),
            ("sc://", "no host"),
            ("sc://u:s3cret@h", "no host"),
            ("sc://h:70000", "is a number"),
            ("sc://[::1]x", "is a number"),
            ("sc://h/path", "only `;key=value`"),
            ("sc://h/;token", "has no `=`"),
            ("sc://h/;use_ssl=yes", "`true` or `false`"),
            ("sc://h/;session_id=s3cret", "no UUID"),
            ("sc://h/;a b=1", "no header may have"),
            ("sc://h/;x-note=s3cret%0A", "nothing that headers can hold"),
        ] {
            let error = SparkAddress::parse(wrong).unwrap_err();
            assert!(error.message.contains(part) && !error.message.contains("s3cret"), "{wrong}: {error:?}");
        }
        assert_eq!(SparkAddress::parse("sc://h/;use_tls=true").unwrap_err().help().unwrap(), "did you mean `use_ssl`?");
        assert_eq!(SparkAddress::parse("sc://h/;tokn=s3cret").unwrap_err().help().unwrap(), "did you mean `token`?");
    }
}
