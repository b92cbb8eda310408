//! The settings of an online store behind a feature server.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use url::Url;

use crate::{
    config::{Password, resolve},
    diagnostics::{Diagnostics, Span},
    problem::{Kind, Problem},
    yaml::{Node, Read, Spanned, record},
};

const DEFAULT_URL: &str = "http://localhost:6566";
const DEFAULT_POOL_SIZE: i64 = 50;
const DEFAULT_IDLE_TIMEOUT: i64 = 300;
const DEFAULT_RETRIES: i64 = 3;

/// A feature server of Feast or of feastr, which has the online store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteConfig {
    /// Where it is.
    pub server: ServerAddress,
    /// File with the certificates of the authorities to trust; those of the system if there is none.
    pub authorities: Option<PathBuf>,
    /// Most connections that are kept while nobody uses them.
    pub pool_size: usize,
    /// How long they are kept; `None` is as long as the server does.
    pub idle_timeout: Option<Duration>,
    /// How often connecting is tried again.
    pub retries: u32,
}

/// The URL of an HTTP server, in front of the paths of what is asked there.
///
/// Shown without user and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress {
    /// Without a slash at the end, user, and password.
    url: String,
    /// Who asks, if the server wants to know (Basic authentication).
    pub login: Option<(String, Password)>,
}

impl ServerAddress {
    /// Reads an URL. No message repeats it, because it may hold a password.
    ///
    /// # Errors
    /// When it is none of an HTTP server.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let wrong = |message: String| {
            Problem::new(Kind::Invalid, message, format!("write it like {DEFAULT_URL} or https://features.example.com"))
        };
        let mut url = Url::parse(text).map_err(|error| wrong(format!("this is no URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("a feature server has an URL that begins with http:// or https://".to_owned()));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("the URL of a feature server has no `?` and no `#`".to_owned()));
        }
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let has_login = !url.username().is_empty() || url.password().is_some();
        let login = has_login.then(|| (decoded(url.username()), Password(decoded(url.password().unwrap_or_default()))));
        // Both work for every URL with a host, and those of HTTP have one.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Ok(Self { url: url.as_str().trim_end_matches('/').to_owned(), login })
    }

    /// The URL of a path of the server, which begins with a slash.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Whether what goes to and fro is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.url.starts_with("https:")
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl RemoteConfig {
    /// A server with Feast's defaults.
    pub fn new(server: ServerAddress) -> Self {
        Self {
            server,
            authorities: None,
            pool_size: DEFAULT_POOL_SIZE.unsigned_abs() as usize,
            idle_timeout: Some(Duration::from_secs(DEFAULT_IDLE_TIMEOUT.unsigned_abs())),
            retries: 3,
        }
    }

    /// The settings of the store as they are understood, with `***` for user and password.
    pub(super) fn settings(&self) -> Value {
        let path = match (&self.server.login, self.server.url.split_once("://")) {
            (Some(_), Some((scheme, rest))) => format!("{scheme}://***@{rest}"),
            _ => self.server.url.clone(),
        };
        json!({
            "type": "remote",
            "path": path,
            "cert": self.authorities,
            "connection_pool_size": self.pool_size,
            "connection_idle_timeout": self.idle_timeout.map_or(0, |timeout| timeout.as_secs()),
            "connection_retries": self.retries,
        })
    }
}

record! {
    /// An online store behind a feature server, Feast's or that of feastr, which reads and writes it.
    pub(crate) struct RawRemote, "the settings of the remote online store";
    required {
        /// `remote`.
        r#type: String,
    }
    optional {
        /// File with the certificates of the authorities that are trusted; without one those of the system are.
        cert: Spanned<String>,
    }
    placed {
        /// The URL of the server, `http://…` or `https://…`; with `user:password@` for Basic authentication.
        path: String = DEFAULT_URL,
        /// Most connections that are kept while nobody uses them.
        connection_pool_size: i64 = DEFAULT_POOL_SIZE,
        /// For how many seconds they are kept; with 0 as long as the server keeps them.
        connection_idle_timeout: i64 = DEFAULT_IDLE_TIMEOUT,
        /// How often connecting is tried again. What has reached the server is not sent twice.
        connection_retries: i64 = DEFAULT_RETRIES,
    }
}

/// The store of a mapping with `type: remote`.
pub(crate) fn read(node: &Node, folder: &Path, diagnostics: &mut Diagnostics) -> Option<RemoteConfig> {
    let raw = RawRemote::read(node, diagnostics)?;
    let server = match ServerAddress::parse(&raw.path.value) {
        Ok(server) => Some(server),
        Err(problem) => {
            diagnostics.problem(&raw.path.span, problem);
            None
        }
    };
    let pool_size = count(&raw.connection_pool_size, "connection_pool_size", diagnostics);
    let idle_timeout = count(&raw.connection_idle_timeout, "connection_idle_timeout", diagnostics);
    let retries = count(&raw.connection_retries, "connection_retries", diagnostics);
    let server = server?;
    // Feast's default is an empty text.
    let authorities = raw.cert.filter(|file| !file.value.is_empty());
    if let (Some(file), false) = (&authorities, server.is_encrypted()) {
        useless_certificate(&file.span, diagnostics);
    }
    Some(RemoteConfig {
        server,
        authorities: authorities.map(|file| resolve(folder, &file.value)),
        pool_size: usize::try_from(pool_size?).unwrap_or(usize::MAX),
        idle_timeout: Some(idle_timeout?)
            .filter(|seconds| *seconds > 0)
            .map(|seconds| Duration::from_secs(seconds.into())),
        retries: retries?,
    })
}

/// The store when only its kind is named.
pub(crate) fn default() -> Option<RemoteConfig> {
    ServerAddress::parse(DEFAULT_URL).ok().map(RemoteConfig::new)
}

fn count(number: &Spanned<i64>, name: &str, diagnostics: &mut Diagnostics) -> Option<u32> {
    let count = u32::try_from(number.value).ok();
    if count.is_none() {
        diagnostics.error(&number.span, format!("`{name}` is a number from 0 to {}", u32::MAX));
    }
    count
}

fn useless_certificate(span: &Span, diagnostics: &mut Diagnostics) {
    diagnostics.warning(
        span,
        "`cert` has no effect: nothing is encrypted on the way to a server whose URL begins with http://",
        "write `path: https://…`, or leave it out".to_owned(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_logins() {
        let address = ServerAddress::parse("https://joe:a%40b@features.example.com:8443/feast/").unwrap();
        assert_eq!(address.to_string(), "https://features.example.com:8443/feast");
        assert_eq!(address.at("/push"), "https://features.example.com:8443/feast/push");
        assert_eq!(address.login, Some(("joe".to_owned(), Password("a@b".to_owned()))));
        assert!(address.is_encrypted());
        let config = RemoteConfig::new(address);
        assert_eq!(config.settings()["path"], "https://***@features.example.com:8443/feast");
        assert!(!format!("{config:?}").contains("a@b"));
        assert_eq!(default().unwrap().server.at("/health"), "http://localhost:6566/health");
    }

    #[test]
    fn what_is_no_address_is_not_repeated() {
        for wrong in ["", "joe:secret@host", "redis://joe:secret@host", "http://joe:secret@host:x", "http://h/?secret"]
        {
            let problem = ServerAddress::parse(wrong).unwrap_err();
            assert!(!problem.message.contains("secret"), "{problem}");
            assert_eq!(problem.kind, Kind::Invalid);
        }
    }
}
