//! Connections of the online store: when a statement is repeated, and how a server that lost data is found out.

use std::time::Duration;

use tokio_postgres::Config;

use crate::{
    clients::{
        postgres::{ANSWER_LIMIT, Connection, Pool, PostgresError, PostgresProblem, PostgresServer, Role},
        runtime::wait,
    },
    config::PostgresConfig,
    online::patience::Patience,
    problem::{Advice, Kind, Problem},
};

const ROLE: Role = Role {
    name: "online store",
    settings: "in feature_store.yaml",
    password: "write `password: ${…}` under `online_store`, with the name of an environment variable",
    interrupted: "values that were written stay; run it again when the server is up",
    locked: "values that were written stay; run it again when the other program is done",
    read_only: "let `host` name the primary, and `user` one who may write",
    missing: || Advice::ApplyForTables,
};

/// How long to wait for a row or table that another program holds.
const LOCK_WAIT: Duration = Duration::from_secs(60);

/// After how long a server counts as lost that does not confirm what it was sent.
const SILENCE: Duration = Duration::from_secs(30);

/// How the store is reached.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    server: PostgresServer,
    /// Options of each connection, as libpq takes them.
    options: String,
    schema: String,
    keepalives_idle: Option<Duration>,
}

impl Access {
    pub(crate) fn new(config: &PostgresConfig) -> Self {
        let connection = &config.connection;
        Self {
            server: PostgresServer::new(&ROLE, connection.server.clone()).with_certificate(connection.client.clone()),
            options: format!("-c search_path={} -c lock_timeout={}", connection.search_path(), LOCK_WAIT.as_millis()),
            schema: connection.schema.clone(),
            keepalives_idle: connection.keepalives_idle,
        }
    }

    fn connect(&self) -> Result<Connection, PostgresProblem> {
        wait(self.server.connect(|config| self.adjust(config)))
    }

    /// Connections for reading, at most `most`.
    pub(crate) fn pool(&self, most: usize) -> Pool {
        let access = self.clone();
        Pool::new(self.server.clone(), most, move |config| access.adjust(config))
    }

    fn adjust(&self, config: &mut Config) {
        config.application_name("feastr").options(&self.options).tcp_user_timeout(SILENCE);
        if let Some(idle) = self.keepalives_idle {
            config.keepalives_idle(idle);
        }
    }
}

/// The cluster, and its timeline: a replica that takes over begins a new one, a server that is merely
/// started again does not.
const HISTORY: &str = "SELECT system_identifier || ' ' || \
    substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8) FROM pg_catalog.pg_control_system()";

/// A connection that comes back when it was lost.
pub(crate) struct PostgresSession {
    access: Access,
    connection: Connection,
    /// What the server said of its history, when it was asked and told.
    history: Option<String>,
    /// How long an answer may take.
    limit: Duration,
    /// Whether the connection may lead to a server that is no longer in charge.
    is_stale: bool,
}

fn history(connection: &mut Connection) -> Result<String, PostgresError> {
    let rows = wait(connection.query_typed(HISTORY, &[]))?;
    Ok(rows.first().map_or_else(|| Ok(String::new()), |row| row.try_get(0))?)
}

impl PostgresSession {
    /// Connects; a server that is not there now is an error at once.
    pub(crate) fn open(access: &Access) -> Result<Self, Problem> {
        let (limit, connection) = (LOCK_WAIT + ANSWER_LIMIT, access.connect()?);
        let mut session = Self { access: access.clone(), connection, history: None, limit, is_stale: false };
        session.set_limit(limit);
        Ok(session)
    }

    /// How long further answers may take.
    pub(crate) fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
        self.connection.set_limit(limit);
    }

    /// The schema that the settings name.
    pub(crate) fn schema(&self) -> &str {
        &self.access.schema
    }

    pub(crate) fn server(&self) -> &PostgresServer {
        &self.access.server
    }

    /// Does something once.
    ///
    /// # Errors
    /// What the server says, explained.
    pub(crate) fn once<T>(
        &mut self,
        act: impl FnOnce(&mut Connection) -> Result<T, PostgresError>,
    ) -> Result<T, Problem> {
        act(&mut self.connection).map_err(|error| self.access.server.explain(&error).into())
    }

    /// Does something that may be done twice, again and again while the server is away or another
    /// program is in the way.
    ///
    /// # Errors
    /// What cannot be helped by waiting, or what is still so after a long while.
    pub(crate) fn insist<T>(
        &mut self,
        mut act: impl FnMut(&mut Connection) -> Result<T, PostgresError>,
    ) -> Result<T, Problem> {
        let mut patience = Patience::default();
        loop {
            let outcome = self
                .reconnected()
                .and_then(|()| act(&mut self.connection).map_err(|error| self.access.server.explain(&error)));
            match outcome {
                Err(problem) if problem.passing && patience.wait() => {}
                Err(problem) if problem.passing => return Err(patience.exhausted(problem.into())),
                outcome => return Ok(outcome?),
            }
        }
    }

    /// Notes the history of the server, for [`check_memory`](Self::check_memory). Not every server that
    /// speaks like PostgreSQL has one to tell; then there is nothing to be checked.
    pub(crate) fn note_history(&mut self) {
        self.history = history(&mut self.connection).ok();
    }

    /// Asserts that the server still is what it was when its history was noted: a replica that took over
    /// may lack what was confirmed before. One that was replaced goes on confirming until it hears of
    /// it, so this connects afresh.
    ///
    /// # Errors
    /// When it was replaced, or cannot be asked.
    pub(crate) fn check_memory(&mut self) -> Result<(), Problem> {
        let Some(noted) = self.history.clone() else { return Ok(()) };
        self.is_stale = true;
        if self.insist(history)? == noted {
            return Ok(());
        }
        Err(Problem::new(
            Kind::Unavailable,
            format!(
                "another PostgreSQL server took over at {} while values were written; what the former one had confirmed \
                 may be lost",
                self.access.server.url()
            ),
            "run the same again: values that are there are left as they are".to_owned(),
        ))
    }

    fn reconnected(&mut self) -> Result<(), PostgresProblem> {
        if self.is_stale || self.connection.is_closed() {
            self.connection = self.access.connect()?;
            self.connection.set_limit(self.limit);
            self.is_stale = false;
        }
        Ok(())
    }
}
