use std::{error::Error as _, io, time::Duration};

use postgres::{
    Client, Config, NoTls,
    config::SslMode,
    error::SqlState,
    types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked},
};
use sha2::{Digest, Sha256};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    dialect::{Dialect, on_conflict},
    schema::ColumnType,
    session::{Cell, Database, Failure, Parameter, Session},
    tls,
};
use crate::{
    config::{ServerUrl, TlsMode},
    registry::{
        locking::{Holder, Locking, of_registry, of_view, view_digest},
        store::{RegistryError, ViewLock},
    },
};

/// How long to wait for a server that does not answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A registry in PostgreSQL.
pub struct Postgres {
    url: ServerUrl,
}

impl Postgres {
    pub fn new(url: ServerUrl) -> Self {
        Self { url }
    }

    fn connect(&self, who: &str) -> Result<PostgresSession, RegistryError> {
        let mut config = Config::new();
        config.host(&self.url.host).dbname(&self.url.database).application_name(who).connect_timeout(CONNECT_TIMEOUT);
        if let Some(port) = self.url.port {
            config.port(port);
        }
        if let Some(user) = &self.url.user {
            config.user(user);
        }
        if let Some(password) = &self.url.password {
            config.password(&password.0);
        }
        let connected = match self.url.tls.mode {
            TlsMode::Disable => config.ssl_mode(SslMode::Disable).connect(NoTls),
            mode => {
                config.ssl_mode(if mode == TlsMode::Prefer { SslMode::Prefer } else { SslMode::Require });
                config.connect(MakeRustlsConnect::new(tls::client(&self.url.tls)?))
            }
        };
        let client = connected.map_err(|error| explain(&self.url, &error))?;
        Ok(PostgresSession { url: self.url.clone(), client })
    }
}

static DIALECT: Dialect = Dialect {
    spell: |kind| match kind {
        ColumnType::Varchar(length) => format!("VARCHAR({length})"),
        ColumnType::Text => "TEXT".to_owned(),
        ColumnType::Integer => "INTEGER".to_owned(),
        ColumnType::BigInt => "BIGINT".to_owned(),
        ColumnType::Blob => "BYTEA".to_owned(),
    },
    placeholder: |number| format!("${number}"),
    as_bytes: |text| format!("convert_to({text}, 'UTF8')"),
    replace: on_conflict,
    lock_rows: " FOR UPDATE",
    index_in_table: false,
    columns: "SELECT c.relname::text, a.attname::text FROM pg_catalog.pg_class c \
              JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid \
              WHERE c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped \
              AND pg_catalog.pg_table_is_visible(c.oid) AND c.relnamespace <> 'pg_catalog'::regnamespace",
};

impl Database for Postgres {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn location(&self) -> String {
        self.url.to_string()
    }

    fn reader(&self) -> Result<Option<Box<dyn Session>>, RegistryError> {
        Ok(Some(Box::new(self.connect("feastr")?)))
    }

    fn writer(&self, project: &str, locking: &Locking) -> Result<Box<dyn Session>, Failure> {
        let mut session = self.locked(project_key(project), &of_registry(&self.location()), locking)?;
        // Rows may be locked by somebody who takes no lock of projects.
        let millis = locking.timeout.as_millis().max(1);
        session.simple(&format!("SET LOCAL lock_timeout = {millis}"))?;
        Ok(Box::new(session))
    }

    fn lock_view(&self, project: &str, view: &str, locking: &Locking) -> Result<ViewLock, Failure> {
        let mut session = self.locked(key(&view_digest(project, view)), &of_view(view), locking)?;
        // The transaction does nothing but hold the lock. Without a snapshot it keeps no rows from
        // being vacuumed, and it may last.
        session.simple("SET LOCAL idle_in_transaction_session_timeout = 0")?;
        Ok(ViewLock::new(session))
    }

    fn view_holder(&self, project: &str, view: &str) -> Result<Option<Holder>, Failure> {
        self.connect("feastr")?.holder(key(&view_digest(project, view)))
    }
}

impl Postgres {
    /// A connection in a transaction that holds an advisory lock.
    fn locked(&self, key: i64, lock: &str, locking: &Locking) -> Result<PostgresSession, Failure> {
        let mut session = self.connect(&locking.who)?;
        locking.wait(lock, || -> Result<_, Failure> {
            // A transaction for each attempt: it holds the lock, and its age is that of the lock. The
            // lock lasts as long as the transaction, so that it works behind a pooler, too. Every
            // statement sees what was committed before it began, so reading follows the lock.
            session.simple("BEGIN ISOLATION LEVEL READ COMMITTED")?;
            let answer = session.run("SELECT pg_try_advisory_xact_lock($1)::int", &[Parameter::Integer(key)])?;
            if answer.first().and_then(|row| row.first()).is_some_and(|cell| cell.integer() == 1) {
                return Ok(Ok(()));
            }
            session.simple("ROLLBACK")?;
            Ok(Err(session.holder(key)?.unwrap_or_default()))
        })?;
        Ok(session)
    }
}

/// The advisory lock of a project; a database has its own ones.
fn project_key(project: &str) -> i64 {
    key(&Sha256::new().chain_update(b"feastr\0").chain_update(project).finalize().into())
}

/// Advisory locks have numbers.
fn key(digest: &[u8; 32]) -> i64 {
    let mut key = [0; 8];
    key.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(key)
}

struct PostgresSession {
    url: ServerUrl,
    client: Client,
}

impl PostgresSession {
    fn simple(&mut self, statement: &str) -> Result<(), Failure> {
        self.client.batch_execute(statement).map_err(|error| explain(&self.url, &error))
    }

    fn holder(&mut self, key: i64) -> Result<Option<Holder>, Failure> {
        let rows = self.run(
            "SELECT a.application_name, floor(extract(epoch FROM clock_timestamp() - a.xact_start))::bigint \
             FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
             WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
             AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
             AND (l.classid::bigint << 32) | l.objid::bigint = $1",
            &[Parameter::Integer(key)],
        )?;
        let Some(row) = rows.into_iter().next() else { return Ok(None) };
        let mut cells = row.into_iter();
        let who = cells.next().map(Cell::text).filter(|name| !name.is_empty());
        let since = cells.next().map(|age| Duration::from_secs(u64::try_from(age.integer()).unwrap_or(0)));
        Ok(Some(Holder { who, since }))
    }
}

impl Session for PostgresSession {
    fn run(&mut self, statement: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Vec<Cell>>, Failure> {
        let typed: Vec<(&(dyn ToSql + Sync), Type)> = parameters
            .iter()
            .map(|parameter| {
                let kind = match parameter {
                    Parameter::Text(_) => Type::TEXT,
                    Parameter::Integer(_) => Type::INT8,
                    Parameter::Bytes(_) => Type::BYTEA,
                };
                (parameter as &(dyn ToSql + Sync), kind)
            })
            .collect();
        let explained = |error| explain(&self.url, &error);
        let rows = self.client.query_typed(statement, &typed).map_err(explained)?;
        let read = |row| (0..postgres::Row::len(row)).map(|column| cell(row, column)).collect();
        rows.iter().map(read).collect::<Result<_, _>>().map_err(explained)
    }

    fn begin(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Failure> {
        self.client.batch_execute("COMMIT").map_err(|error| match error.as_db_error() {
            Some(_) => explain(&self.url, &error),
            None => Failure::Final(RegistryError::new(
                format!("the connection to {} broke while the changes were committed", self.url),
                "they are there in whole or not at all: `feastr plan` tells which".to_owned(),
            )),
        })
    }
}

fn cell(row: &postgres::Row, column: usize) -> Result<Cell, postgres::Error> {
    Ok(match *row.columns()[column].type_() {
        Type::INT4 => row.try_get::<_, Option<i32>>(column)?.map_or(Cell::Null, |number| Cell::Integer(number.into())),
        Type::INT8 => row.try_get::<_, Option<i64>>(column)?.map_or(Cell::Null, Cell::Integer),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(column)?.map_or(Cell::Null, Cell::Bytes),
        _ => row.try_get::<_, Option<String>>(column)?.map_or(Cell::Null, Cell::Text),
    })
}

impl ToSql for Parameter<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Text(text) => text.to_sql(kind, out),
            Self::Integer(number) => number.to_sql(kind, out),
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::TEXT | Type::INT8 | Type::BYTEA)
    }

    to_sql_checked!();
}

/// What an error means for the person.
fn explain(url: &ServerUrl, error: &postgres::Error) -> Failure {
    let user = url.user.as_deref().unwrap_or("you");
    let (message, help) = match error.as_db_error() {
        Some(answer) => {
            let code = answer.code();
            if [
                SqlState::T_R_SERIALIZATION_FAILURE,
                SqlState::T_R_DEADLOCK_DETECTED,
                SqlState::UNIQUE_VIOLATION,
                SqlState::DUPLICATE_TABLE,
                SqlState::DUPLICATE_OBJECT,
            ]
            .contains(code)
            {
                return Failure::Conflict(RegistryError::new(
                    format!("another program keeps changing the registry {url} at the same time"),
                    "nothing was changed; try again when it is done".to_owned(),
                ));
            }
            by_code(url, user, code, answer.message())
        }
        None => by_source(url, error),
    };
    Failure::Final(RegistryError::new(message, help))
}

fn by_code(url: &ServerUrl, user: &str, code: &SqlState, text: &str) -> (String, Option<String>) {
    let (message, help) = match *code {
        SqlState::INVALID_PASSWORD => {
            (format!("the password of `{user}` is wrong for the registry {url}"), "check user and password in the URL")
        }
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => (
            format!("the registry {url} does not let `{user}` in: {text}"),
            "check user, sslmode and the server's pg_hba.conf",
        ),
        SqlState::INVALID_CATALOG_NAME => (
            format!("there is no database `{}` at {url}", url.database),
            "create it (CREATE DATABASE), or check the end of the URL",
        ),
        SqlState::INSUFFICIENT_PRIVILEGE => (
            format!("`{user}` may not do this in the registry {url}: {text}"),
            "grant it CREATE on the schema and SELECT, INSERT, UPDATE, DELETE on the tables, or use another user",
        ),
        SqlState::READ_ONLY_SQL_TRANSACTION => (
            format!("the registry {url} cannot be written: the server or the user is read-only"),
            "point `path` at the primary and `read_path` at a replica",
        ),
        SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN => (
            format!("the registry {url} lacks something: {text}"),
            "set `schema_mode: auto`, and feastr creates missing tables",
        ),
        SqlState::LOCK_NOT_AVAILABLE => (
            format!("rows of the registry {url} are locked by another program"),
            "nothing was changed; try again when it is done",
        ),
        SqlState::DISK_FULL => {
            (format!("the server of the registry {url} has no space left"), "free space and run again")
        }
        SqlState::TOO_MANY_CONNECTIONS => {
            (format!("the server of the registry {url} takes no more connections"), "try again later")
        }
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => (
            format!("the server of the registry {url} is stopping or starting"),
            "nothing was changed; try again when it is up",
        ),
        _ => return (format!("the registry {url} answered: {text}"), None),
    };
    (message, Some(help.to_owned()))
}

/// Errors that the server did not send.
fn by_source(url: &ServerUrl, error: &postgres::Error) -> (String, Option<String>) {
    let check = "check host and port in the URL, and that the server runs";
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(tls) = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref)
            && tls.is::<rustls::Error>()
        {
            return (
                format!("no encrypted connection to the registry {url}: {tls}"),
                Some("check sslmode and sslrootcert in the URL".to_owned()),
            );
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return match io.kind() {
                io::ErrorKind::ConnectionRefused => (format!("no server answers at {url}"), Some(check.to_owned())),
                io::ErrorKind::TimedOut => {
                    (format!("the server of the registry {url} does not answer"), Some(check.to_owned()))
                }
                io::ErrorKind::NotFound => (format!("there is no server at {url}: {io}"), Some(check.to_owned())),
                _ if error.is_closed() => lost(url),
                _ if io.to_string().contains("lookup") => {
                    (format!("the host `{}` is not known", url.host), Some(check.to_owned()))
                }
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => lost(url),
                _ => (format!("no connection to the registry {url}: {io}"), Some(check.to_owned())),
            };
        }
        source = cause.source();
    }
    if error.is_closed() {
        return lost(url);
    }
    let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let help = match cause.as_str() {
        "password missing" => Some("write it into the URL: postgresql://user:${PASSWORD}@host/database".to_owned()),
        text if text.contains("TLS") => {
            Some("set sslmode=prefer or disable in the URL, or enable TLS there".to_owned())
        }
        _ => None,
    };
    (format!("no connection to the registry {url}: {cause}"), help)
}

fn lost(url: &ServerUrl) -> (String, Option<String>) {
    (
        format!("the connection to the registry {url} broke"),
        Some("nothing was changed; try again when the server is up".to_owned()),
    )
}
