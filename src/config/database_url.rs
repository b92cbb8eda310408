//! URLs of databases as SQLAlchemy takes them. No message repeats one, because it may hold a password.

use std::{fmt, path::PathBuf};

use percent_encoding::percent_decode_str;

use crate::{
    diagnostics::did_you_mean,
    problem::{Kind, Problem},
};

/// A database on a server, from a URL such as `postgresql://feast:secret@db:5432/feast`.
///
/// Shown without the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    /// `postgresql` or `mysql`, for messages.
    pub scheme: &'static str,
    /// Who connects; `None` leaves it to the server.
    pub user: Option<String>,
    /// `None` where the server asks for none.
    pub password: Option<Password>,
    /// A name, an address, or for PostgreSQL the folder of a socket.
    pub host: String,
    /// `None` for the server's usual one.
    pub port: Option<u16>,
    /// The name of the database.
    pub database: String,
    /// How the connection is encrypted.
    pub tls: TlsConfig,
}

/// A password, which never reaches a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Whether and how a connection is encrypted; the words are those of `sslmode` in libpq.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsConfig {
    /// Whether, and whom to trust.
    pub mode: TlsMode,
    /// File with the certificates of the authorities to trust; those of the system if there is none.
    pub root_certificates: Option<PathBuf>,
}

impl TlsConfig {
    /// As libpq takes it: naming authorities means that one must have signed the certificate.
    pub fn new(mode: TlsMode, root_certificates: Option<PathBuf>) -> Self {
        let verifies = mode == TlsMode::Require && root_certificates.is_some();
        Self { mode: if verifies { TlsMode::VerifyCa } else { mode }, root_certificates }
    }
}

/// Files in PEM format with which a client proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The file with the certificate.
    pub certificate: PathBuf,
    /// The file with its key.
    pub key: PathBuf,
}

/// How far a server must prove itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// No encryption.
    Disable,
    /// Encryption where the server offers it; its identity is not checked.
    Prefer,
    /// Encryption; the server's identity is not checked.
    Require,
    /// Encryption with a server whose certificate a trusted authority signed.
    VerifyCa,
    /// The same, and the certificate is for this host.
    VerifyFull,
}

/// The options that [`ServerUrl`] takes.
const OPTIONS: [&str; 12] = [
    "host",
    "unix_socket",
    "port",
    "user",
    "password",
    "dbname",
    "sslmode",
    "ssl_mode",
    "ssl-mode",
    "sslrootcert",
    "ssl_ca",
    "charset",
];

/// Other options of libpq and of the usual clients of MySQL, with which Python may use the same URL.
const WITHOUT_EFFECT: [&str; 44] = [
    "application_name",
    "autocommit",
    "binary_prefix",
    "channel_binding",
    "charset",
    "client_encoding",
    "client_flag",
    "connect_timeout",
    "fallback_application_name",
    "gssencmode",
    "hostaddr",
    "init_command",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "load_balance_hosts",
    "local_infile",
    "max_allowed_packet",
    "options",
    "passfile",
    "plugin",
    "read_default_file",
    "read_timeout",
    "requirepeer",
    "service",
    "ssl_capath",
    "ssl_cert",
    "ssl_check_hostname",
    "ssl_cipher",
    "ssl_disabled",
    "ssl_key",
    "ssl_verify_cert",
    "ssl_verify_identity",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslnegotiation",
    "sslpassword",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
    "use_unicode",
    "write_timeout",
];

fn problem<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::new(Kind::Invalid, message.into(), help.into()))
}

impl ServerUrl {
    /// Reads what follows `scheme://`, and gives the options without effect beside it.
    pub fn parse(scheme: &'static str, rest: &str) -> Result<(Self, Vec<String>), Problem> {
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        // A password may hold an `@` that is not encoded.
        let (login, address) = authority.rsplit_once('@').map_or((None, authority), |(login, at)| (Some(login), at));
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, ""))) {
            Some((user, password)) => (decoded(user)?, decoded(password)?),
            None => (String::new(), String::new()),
        };
        let (host, port) = host_and_port(address)?;
        let tls = TlsConfig {
            // What the usual clients do when nothing is said.
            mode: if scheme == "postgresql" { TlsMode::Prefer } else { TlsMode::Disable },
            root_certificates: None,
        };
        let mut url = Self {
            scheme,
            user: Some(user).filter(|user| !user.is_empty()),
            password: Some(password).filter(|password| !password.is_empty()).map(Password),
            host: decoded(host)?,
            port,
            database: decoded(database)?,
            tls,
        };
        let mut unused = Vec::new();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            if url.set(name, decoded(value)?)? {
                continue;
            }
            if !WITHOUT_EFFECT.contains(&name) {
                let help = did_you_mean(name, OPTIONS).unwrap_or_else(|| "leave it out".to_owned());
                return problem(format!("`{name}` is not an option of a database's URL"), help);
            }
            unused.push(name.to_owned());
        }
        url.tls = TlsConfig::new(url.tls.mode, url.tls.root_certificates);
        if url.host.is_empty() {
            url.host = "localhost".to_owned();
        }
        if url.database.is_empty() {
            return problem("the URL names no database", "end it with the database: …@host:port/database");
        }
        Ok((url, unused))
    }

    /// Takes one option; answers whether it has an effect.
    fn set(&mut self, name: &str, value: String) -> Result<bool, Problem> {
        match name {
            "host" | "unix_socket" => self.host = value,
            "port" => self.port = Some(port(&value)?),
            "user" => self.user = Some(value),
            "password" => self.password = Some(Password(value)),
            "dbname" => self.database = value,
            "sslmode" | "ssl_mode" | "ssl-mode" => self.tls.mode = TlsMode::from_word(&value)?,
            // libpq's word for the certificates of the system.
            "sslrootcert" if value == "system" => self.tls.mode = TlsMode::VerifyFull,
            "sslrootcert" | "ssl_ca" => {
                self.tls.root_certificates = Some(PathBuf::from(value));
                // As in PyMySQL, where naming an authority means to insist on it.
                if name == "ssl_ca" && self.tls.mode == TlsMode::Disable {
                    self.tls.mode = TlsMode::VerifyFull;
                }
            }
            // Always so.
            "charset" if value.eq_ignore_ascii_case("utf8mb4") => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A PostgreSQL database by its whole URL, such as `postgresql://feast:secret@db/features`; options without effect
    /// are left out of account.
    ///
    /// # Errors
    /// When it is none. The text is not repeated.
    pub fn postgres(text: &str) -> Result<Self, Problem> {
        match text.trim().split_once("://") {
            Some((scheme, rest)) if matches!(scheme.split('+').next(), Some("postgresql" | "postgres")) => {
                Ok(Self::parse("postgresql", rest)?.0)
            }
            _ => problem("it is no URL of a PostgreSQL database", "write postgresql://user:password@host/database"),
        }
    }

    /// The URL with `***` for the password.
    pub fn masked(&self) -> String {
        self.text(if self.password.is_some() { ":***" } else { "" })
    }

    fn text(&self, password: &str) -> String {
        let login = self.user.as_ref().map_or_else(String::new, |user| format!("{user}{password}@"));
        let port = self.port.map_or_else(String::new, |port| format!(":{port}"));
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{}://{login}{host}{port}/{}", self.scheme, self.database)
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(""))
    }
}

impl TlsMode {
    const WORDS: [(&'static str, Self); 7] = [
        ("disable", Self::Disable),
        ("prefer", Self::Prefer),
        ("require", Self::Require),
        ("verify-ca", Self::VerifyCa),
        ("verify-full", Self::VerifyFull),
        // Two words of libpq and MySQL that come to the same.
        ("allow", Self::Prefer),
        ("verify-identity", Self::VerifyFull),
    ];

    /// The mode by its word, in the spelling of libpq or of MySQL (`REQUIRED`, `VERIFY_CA`).
    ///
    /// # Errors
    /// When it is none of them.
    pub(super) fn from_word(word: &str) -> Result<Self, Problem> {
        let wanted = word.to_ascii_lowercase().replace('_', "-");
        let wanted = match wanted.as_str() {
            "disabled" => "disable",
            "preferred" => "prefer",
            "required" => "require",
            other => other,
        };
        Self::WORDS.iter().find(|(word, _)| *word == wanted).map(|(_, mode)| *mode).map_or_else(
            || problem(format!("`{word}` is not an sslmode"), "use disable, prefer, require, verify-ca or verify-full"),
            Ok,
        )
    }

    /// The word of libpq.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, mode)| *mode == self).map_or("require", |(word, _)| word)
    }

    /// Whether the server's certificate is looked at.
    pub fn verifies(self) -> bool {
        matches!(self, Self::VerifyCa | Self::VerifyFull)
    }
}

pub(super) fn decoded(text: &str) -> Result<String, Problem> {
    percent_decode_str(text).decode_utf8().map(|text| text.into_owned()).map_err(|_| {
        Problem::new(
            Kind::Invalid,
            "the URL is not UTF-8 where it is decoded".to_owned(),
            "check the %XX in it".to_owned(),
        )
    })
}

fn host_and_port(address: &str) -> Result<(&str, Option<u16>), Problem> {
    if let Some((host, rest)) = address.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        return Ok((host, rest.strip_prefix(':').map(port).transpose()?));
    }
    match address.split_once(':') {
        Some((host, "")) => Ok((host, None)),
        Some((host, number)) => Ok((host, Some(port(number)?))),
        None => Ok((address, None)),
    }
}

fn port(text: &str) -> Result<u16, Problem> {
    text.parse().or_else(|_| {
        // What looks like a port may be the end of a password.
        problem(
            "the URL has no port number where one belongs",
            "write …@host:5432/database, and encode `/`, `?`, `#` and `@` in a password (%2F, %3F, %23, %40)",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(rest: &str) -> ServerUrl {
        ServerUrl::parse("postgresql", rest).unwrap().0
    }

    #[test]
    fn a_url_is_taken_apart() {
        let url = parse("feast:s%40cr%2Fet@db.example:6432/features?sslmode=verify-full&sslrootcert=/ca.pem");
        assert_eq!((url.host.as_str(), url.port, url.database.as_str()), ("db.example", Some(6432), "features"));
        assert_eq!((url.user.as_deref(), &url.password), (Some("feast"), &Some(Password("s@cr/et".to_owned()))));
        let tls = TlsConfig { mode: TlsMode::VerifyFull, root_certificates: Some("/ca.pem".into()) };
        assert_eq!(url.tls, tls);
        assert_eq!(url.to_string(), "postgresql://feast@db.example:6432/features");
        assert_eq!(url.masked(), "postgresql://feast:***@db.example:6432/features");
        assert!(!format!("{url:?}").contains("s@cr"));
    }

    #[test]
    fn passwords_addresses_and_sockets_come_in_all_forms() {
        let url = parse("feast:p@ss:word@db/x");
        assert_eq!((url.password, url.host.as_str()), (Some(Password("p@ss:word".to_owned())), "db"));
        let url = parse("feast@[::1]:5433/x");
        assert_eq!(
            (url.host.as_str(), url.port, url.to_string().as_str()),
            ("::1", Some(5433), "postgresql://feast@[::1]:5433/x")
        );
        assert_eq!(parse("/x?host=/run/postgresql&port=5433").host, "/run/postgresql");
        assert_eq!(parse("/x").host, "localhost");
        let (url, unused) = ServerUrl::parse("mysql", "a:b@c/d?charset=utf8mb4&ssl_ca=/ca.pem&read_timeout=3").unwrap();
        assert_eq!((url.tls.mode, unused), (TlsMode::VerifyFull, vec!["read_timeout".to_owned()]));
        assert_eq!(ServerUrl::parse("mysql", "a@c/d").unwrap().0.tls.mode, TlsMode::Disable);
        assert_eq!(ServerUrl::parse("mysql", "a@c/d?ssl-mode=VERIFY_CA").unwrap().0.tls.mode, TlsMode::VerifyCa);
    }

    #[test]
    fn what_cannot_be_read_is_said_without_the_url() {
        for (rest, part) in [
            ("u:secret@h", "names no database"),
            ("u:secret@h:port/d", "no port number"),
            ("u:sec/ret@h/d", "no port number"),
            ("u:secret@h/d?sslmode=maybe", "`maybe` is not an sslmode"),
            ("u:%ff@h/d", "not UTF-8"),
            ("u:secret@h/d?sslmod=require", "`sslmod` is not an option"),
        ] {
            let problem = ServerUrl::parse("postgresql", rest).unwrap_err();
            assert!(problem.message.contains(part), "{rest}: {problem:?}");
            assert!(!format!("{problem:?}").contains("secret"));
        }
    }
}
