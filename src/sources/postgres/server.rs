//! The server that a source's table is on, and what is wrong with it in words.

use std::time::Duration;

use tokio_postgres::error::{DbError, SqlState};

use crate::{
    clients::postgres::{Connection, PostgresError, PostgresServer, Role},
    config::{ClientCertificate, PostgresConnection, ServerUrl},
    model::{DataSource, printable},
    problem::{Advice, Kind, Problem},
    sources::Whereabouts,
};

/// A server that the settings name.
const OF_SETTINGS: Role = Role { settings: "under `offline_store` in feature_store.yaml", ..OF_REFERENCE };

/// A server that the source names.
const OF_REFERENCE: Role = Role {
    name: "database of sources",
    settings: "in the URL that `connection_ref` names",
    password: "write a password into the URL, or under `offline_store`: password: ${…}, with the name of an environment \
               variable",
    interrupted: "run it again when the server is up",
    locked: "run it again when the other program is done",
    read_only: "sources are only read: nothing in their `query` may write",
    missing: || Advice::Text("check `table` or `query` of the source".to_owned()),
};

/// How long the server may be silent while it looks for rows: a query over a large table begins to answer late. One
/// that is gone is found out sooner, by the network.
const SILENCE: Duration = Duration::from_secs(600);

/// The server of a source.
#[derive(Debug, Clone)]
pub(super) struct SourceServer {
    server: PostgresServer,
    /// Where tables are that are named without a schema.
    search_path: Option<String>,
    keepalives_idle: Option<Duration>,
}

impl SourceServer {
    /// The server that has the table of a source: the one that the source names, or that of the settings.
    pub(super) fn of(source: &DataSource, whereabouts: &Whereabouts) -> Result<Self, Problem> {
        match (source.connection_ref("provider"), &whereabouts.postgres) {
            (Some("env"), _) => Self::in_variable(source, whereabouts),
            (_, Some(connection)) => Ok(Self::of_settings(connection)),
            (Some(provider), None) => Err(Problem::new(
                Kind::Unsupported,
                format!(
                    "data source `{}` takes its connection from `{provider}`, which feastr does not ask",
                    source.name
                ),
                ADVICE.to_owned(),
            )),
            (None, None) => Err(Problem::new(
                Kind::Unsupported,
                format!("data source `{}` is in PostgreSQL, and nothing says on which server", source.name),
                ADVICE.to_owned(),
            )),
        }
    }

    fn of_settings(connection: &PostgresConnection) -> Self {
        let server = PostgresServer::new(&OF_SETTINGS, connection.server.clone());
        Self {
            server: server.with_certificate(connection.client.clone()),
            search_path: Some(connection.search_path()),
            keepalives_idle: connection.keepalives_idle,
        }
    }

    fn in_variable(source: &DataSource, whereabouts: &Whereabouts) -> Result<Self, Problem> {
        let variable = source.connection_ref("name").unwrap_or_default();
        let problem = |message: &str| {
            Problem::new(
                Kind::Invalid,
                format!(
                    "environment variable `{variable}`, which `connection_ref` of data source `{}` names, {message}",
                    source.name
                ),
                "set it to postgresql://user:password@host/database".to_owned(),
            )
        };
        let text = (whereabouts.environment)(variable).ok_or_else(|| problem("is not set"))?;
        let url = ServerUrl::postgres(&text).map_err(|error| problem(&format!("cannot be used: {}", error.message)))?;
        Ok(Self { server: PostgresServer::new(&OF_REFERENCE, url), search_path: None, keepalives_idle: None })
    }

    /// Where it is, who we are for it, and where tables are that are named without a schema.
    pub(super) fn into_parts(self) -> (ServerUrl, Option<ClientCertificate>, Option<String>) {
        let (url, certificate) = self.server.into_parts();
        (url, certificate, self.search_path)
    }

    /// Whether tables of both are found by the same names.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.server.url() == other.server.url() && self.search_path == other.search_path
    }

    /// A connection that can only read, in a transaction that ends with it.
    pub(super) async fn connect(&self, what: &str) -> Result<Connection, Problem> {
        let mut connection = self.connect_to_send(what).await?;
        self.only_read(&mut connection, what).await?;
        Ok(connection)
    }

    /// The same for somebody who sends rows before.
    pub(super) async fn connect_to_send(&self, what: &str) -> Result<Connection, Problem> {
        let mut connection = self
            .server
            .connect(|config| {
                config.application_name("feastr");
                if let Some(idle) = self.keepalives_idle {
                    config.keepalives_idle(idle);
                }
            })
            .await?;
        let path = self.search_path.as_ref().map_or_else(String::new, |path| {
            // It has letters, digits and a few marks; see the settings.
            format!("SELECT pg_catalog.set_config('search_path', '{path}', true);")
        });
        let begin = format!("BEGIN; SET LOCAL standard_conforming_strings = on; {path}");
        connection.batch_execute(&begin).await.map_err(|error| self.explain(what, &error))?;
        connection.set_limit(SILENCE);
        Ok(connection)
    }

    /// From now on nothing can be written.
    pub(super) async fn only_read(&self, connection: &mut Connection, what: &str) -> Result<(), Problem> {
        let read_only = connection.batch_execute("SET TRANSACTION READ ONLY").await;
        read_only.map_err(|error| self.explain(what, &error))
    }

    /// What an error means for somebody who sends rows to be joined.
    pub(super) fn explain_sending(&self, what: &str, error: &PostgresError) -> Problem {
        let problem = self.explain(what, error);
        match error.code() {
            Some(&SqlState::INSUFFICIENT_PRIVILEGE | &SqlState::READ_ONLY_SQL_TRANSACTION) => {
                let help =
                    "set `entity_select_mode: embed_query` under `offline_store`, which needs no temporary table";
                problem.advise(Advice::Text(help.to_owned()))
            }
            _ => problem,
        }
    }

    /// What an error means for somebody who reads a source; `what` begins the message.
    pub(super) fn explain(&self, what: &str, error: &PostgresError) -> Problem {
        match error {
            PostgresError::Said(said) => match said.as_db_error() {
                Some(answer) if is_about_statement(answer.code()) => said_of_statement(what, answer),
                _ => self.server.explain(error).into(),
            },
            _ => self.server.explain(error).into(),
        }
    }
}

const ADVICE: &str = "write `connection_ref: {provider: env, name: VARIABLE}` in it, with the environment variable that has \
                      its URL, or `offline_store: {type: postgres, …}` in feature_store.yaml";

/// Whether the server has something against the table or query of the source, or against what is in it.
fn is_about_statement(code: &SqlState) -> bool {
    // Syntax and names, data, features, dependent objects, results, limits of a statement.
    const CLASSES: [&str; 8] = ["42", "22", "0A", "21", "25", "54", "P0", "3F"];
    CLASSES.iter().any(|class| code.code().starts_with(class)) && *code != SqlState::READ_ONLY_SQL_TRANSACTION
}

/// The server's own words.
fn said_of_statement(what: &str, answer: &DbError) -> Problem {
    let help = match *answer.code() {
        SqlState::INSUFFICIENT_PRIVILEGE => Some("GRANT SELECT on it to the user who reads".to_owned()),
        SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN | SqlState::INVALID_SCHEMA_NAME => {
            let hint = answer.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            Some(format!("check `table` or `query` of the source, and the schema in which it is looked for{hint}"))
        }
        _ => answer.hint().map(str::to_owned),
    };
    let detail = answer.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let message = format!("{what}: the server says: {}{detail}", answer.message());
    Problem::new(Kind::Invalid, printable(&message), help)
}
