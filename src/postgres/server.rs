use std::time::Duration;

use postgres::{Client, Config, NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{explain, tls};
use crate::config::{ClientCertificate, ServerUrl, TlsMode};

/// How long to wait for a server that does not answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A database on a PostgreSQL server with the part it plays.
#[derive(Debug, Clone)]
pub struct PostgresServer {
    role: &'static Role,
    url: ServerUrl,
    certificate: Option<ClientCertificate>,
}

/// What a database is used for, in the words of messages.
#[derive(Debug)]
pub struct Role {
    /// What is in it, such as `registry`.
    pub name: &'static str,
    /// Where its settings are, such as `in the URL`.
    pub settings: &'static str,
    /// Advice where there is no password.
    pub password: &'static str,
    /// Advice where the server went away.
    pub interrupted: &'static str,
    /// Advice where rows are locked by somebody else.
    pub locked: &'static str,
    /// Advice where nothing can be written.
    pub read_only: &'static str,
    /// Advice where a table or column is missing.
    pub missing: &'static str,
}

/// Why a PostgreSQL database cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct PostgresProblem {
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Whether it may be over after a while, with the same settings.
    pub passing: bool,
}

impl PostgresProblem {
    /// A problem, with advice.
    pub fn new(message: String, help: impl Into<Option<String>>) -> Self {
        Self { message, help: help.into(), passing: false }
    }
}

impl PostgresServer {
    /// The database at `url`. Nothing is opened yet.
    pub const fn new(role: &'static Role, url: ServerUrl) -> Self {
        Self { role, url, certificate: None }
    }

    /// The same, for a server that wants to see a certificate.
    pub fn with_certificate(self, certificate: Option<ClientCertificate>) -> Self {
        Self { certificate, ..self }
    }

    /// Where it is; shown without the password.
    pub const fn url(&self) -> &ServerUrl {
        &self.url
    }

    /// A new connection, with settings of the caller besides those of the URL.
    ///
    /// # Errors
    /// When there is no connection to be had.
    pub fn connect(&self, adjust: impl FnOnce(&mut Config)) -> Result<Client, PostgresProblem> {
        let mut config = Config::new();
        config.host(&self.url.host).dbname(&self.url.database).connect_timeout(CONNECT_TIMEOUT);
        if let Some(port) = self.url.port {
            config.port(port);
        }
        if let Some(user) = &self.url.user {
            config.user(user);
        }
        if let Some(password) = &self.url.password {
            config.password(&password.0);
        }
        adjust(&mut config);
        let connected = match self.url.tls.mode {
            TlsMode::Disable => config.ssl_mode(SslMode::Disable).connect(NoTls),
            mode => {
                config.ssl_mode(if mode == TlsMode::Prefer { SslMode::Prefer } else { SslMode::Require });
                config.connect(MakeRustlsConnect::new(tls::client(
                    &self.url.tls,
                    self.certificate.as_ref(),
                    self.role,
                )?))
            }
        };
        connected.map_err(|error| self.explain(&error))
    }

    /// What an error means for the person.
    pub fn explain(&self, error: &postgres::Error) -> PostgresProblem {
        explain::explain(self.role, &self.url, error)
    }
}
