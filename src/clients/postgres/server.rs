use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::{Config, NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    connection::Connection,
    explain::explain,
    problem::{PostgresError, PostgresProblem, Role},
    tls,
};
use crate::{
    clients::runtime::{blocking, spawned},
    config::{ClientCertificate, ServerUrl, TlsMode},
};

/// How long to wait for an address that does not answer.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(10);

/// How long connecting may take, which is more than reaching an address.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// After how long a server counts as lost that does not confirm what it was sent.
const UNCONFIRMED: Duration = Duration::from_secs(30);

/// After how long without a word a server is asked whether it is there, and how long it has for each
/// answer.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));

/// A database on a PostgreSQL server with the part it plays.
#[derive(Debug, Clone)]
pub struct PostgresServer {
    role: &'static Role,
    url: ServerUrl,
    certificate: Option<ClientCertificate>,
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

    /// Where it is, and who we are for it.
    pub fn into_parts(self) -> (ServerUrl, Option<ClientCertificate>) {
        (self.url, self.certificate)
    }

    /// A new connection, with settings of the caller besides those of the URL.
    ///
    /// # Errors
    /// When there is no connection to be had, or not in time.
    pub async fn connect(&self, adjust: impl FnOnce(&mut Config)) -> Result<Connection, PostgresProblem> {
        let config = self.config(adjust);
        let tls = match self.url.tls.mode {
            TlsMode::Disable => None,
            _ => {
                let (settings, certificate, role) = (self.url.tls.clone(), self.certificate.clone(), self.role);
                Some(blocking(move || tls::client(&settings, certificate.as_ref(), role)).await?)
            }
        };
        let connected = spawned(async move {
            let connected = timeout(CONNECT_TIMEOUT, async {
                Ok(match tls {
                    None => {
                        let (client, connection) = config.connect(NoTls).await?;
                        Connection::new(client, connection)
                    }
                    Some(tls) => {
                        let (client, connection) = config.connect(MakeRustlsConnect::new(tls)).await?;
                        Connection::new(client, connection)
                    }
                })
            });
            connected.await.unwrap_or(Err(PostgresError::Silent))
        });
        connected.await.map_err(|error| self.explain(&error))
    }

    fn config(&self, adjust: impl FnOnce(&mut Config)) -> Config {
        let mut config = Config::new();
        config.host(&self.url.host).dbname(&self.url.database).connect_timeout(ADDRESS_TIMEOUT);
        config.tcp_user_timeout(UNCONFIRMED).keepalives_idle(KEEPALIVE.0).keepalives_interval(KEEPALIVE.1);
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
        config.ssl_mode(match self.url.tls.mode {
            TlsMode::Disable => SslMode::Disable,
            TlsMode::Prefer => SslMode::Prefer,
            _ => SslMode::Require,
        });
        config
    }

    /// What an error means for the person.
    pub fn explain(&self, error: &PostgresError) -> PostgresProblem {
        explain(self.role, &self.url, error)
    }
}
