//! What is PostgreSQL's own: how statements are spelled, how it locks, and what its errors mean.

use std::{collections::HashSet, sync::Arc, time::Duration};

use sha2::{Digest, Sha256};
use tokio_postgres::{
    Row,
    error::SqlState,
    types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked},
};

use super::{
    dialect::{Dialect, on_conflict},
    idle::Idle,
    schema::ColumnType,
    session::{Database, Session, SqlFailure, silent, uncertain},
    value::{Cell, Parameter},
};
use crate::{
    clients::{
        postgres::{ANSWER_LIMIT, Connection, PostgresError, PostgresServer, Role},
        runtime::wait,
    },
    config::ServerUrl,
    problem::{Advice, Kind, Problem},
    registry::locks::{Held, Holder, LockName, Locking, ViewLock, of_registry},
};

const ROLE: Role = Role {
    name: "registry",
    settings: "in the URL",
    password: "write it into the URL: postgresql://user:${PASSWORD}@host/database",
    interrupted: "nothing was changed; try again when the server is up",
    locked: "nothing was changed; try again when it is done",
    read_only: "point `path` at the primary and `read_path` at a replica",
    missing: || Advice::Text("set `schema_mode: auto`, and feastr creates missing tables".to_owned()),
};

/// The longest that PostgreSQL waits for a lock, in milliseconds; about 25 days.
const LONGEST_LOCK_TIMEOUT: u128 = i32::MAX as u128;

/// A registry in PostgreSQL.
pub(crate) struct Postgres {
    server: PostgresServer,
    /// Connections that have held locks of views.
    lockers: Arc<Idle<PostgresSession>>,
}

impl Postgres {
    pub(crate) fn new(url: ServerUrl) -> Self {
        Self { server: PostgresServer::new(&ROLE, url), lockers: Arc::default() }
    }

    fn connect(&self, who: &str) -> Result<PostgresSession, Problem> {
        let connection = wait(self.server.connect(|config| {
            config.application_name(who);
        }))?;
        Ok(PostgresSession { server: self.server.clone(), connection, in_transaction: false, asked: HashSet::new() })
    }
}

static DIALECT: Dialect = Dialect {
    spell: |kind| match kind {
        ColumnType::Varchar(length) => format!("VARCHAR({length})"),
        ColumnType::Text | ColumnType::LongText => "TEXT".to_owned(),
        ColumnType::Integer => "INTEGER".to_owned(),
        ColumnType::BigInt => "BIGINT".to_owned(),
        ColumnType::Blob => "BYTEA".to_owned(),
    },
    placeholder: |number| format!("${number}"),
    as_bytes: |text| format!("convert_to({text}, 'UTF8')"),
    replace: on_conflict,
    lock_rows: " FOR UPDATE",
    unsynced: Some("set_config('synchronous_commit', 'off', true) IS NOT NULL"),
    // The transaction that wrote the row.
    row_state: Some("xmin"),
    index_in_table: false,
    columns: "SELECT c.relname::text, a.attname::text FROM pg_catalog.pg_class c \
              JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid \
              WHERE c.relkind IN ('r', 'p', 'v') AND (a.attnum > 0 OR a.attname = 'xmin') AND NOT a.attisdropped \
              AND pg_catalog.pg_table_is_visible(c.oid) AND c.relnamespace <> 'pg_catalog'::regnamespace",
    indexes: "SELECT indexname::text FROM pg_indexes WHERE schemaname = ANY (current_schemas(false))",
};

impl Database for Postgres {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn location(&self) -> String {
        self.server.url().to_string()
    }

    fn stays(&self) -> bool {
        true
    }

    fn reader(&self) -> Result<Option<Box<dyn Session>>, Problem> {
        Ok(Some(Box::new(self.connect("feastr")?)))
    }

    fn writer(&self, locking: &Locking) -> Result<Box<dyn Session>, SqlFailure> {
        let mut session = self.connect(&locking.who)?;
        // Rows may be locked by others.
        session.connection.set_limit(ANSWER_LIMIT.saturating_add(locking.timeout));
        Ok(Box::new(session))
    }

    fn lock(&self, name: &LockName, locking: &Locking) -> Result<ViewLock, SqlFailure> {
        let key = key(&name.digest);
        let take = |mut session: PostgresSession| {
            // The transaction does nothing but hold the lock. Without a snapshot it keeps no rows from
            // being vacuumed, and it may last.
            let settings = "SET LOCAL idle_in_transaction_session_timeout = 0";
            locking.wait(&name.words, || session.try_lock(key, settings))?;
            Ok::<_, SqlFailure>(session)
        };
        // The server may have ended a connection that was kept.
        let session = match self.lockers.take().map(&take) {
            Some(Ok(session)) => session,
            _ => take(self.connect(&locking.who)?)?,
        };
        Ok(ViewLock::of(HeldBySession { session: Some(session), lockers: Arc::clone(&self.lockers) }))
    }

    fn holder(&self, name: &LockName) -> Result<Option<Holder>, SqlFailure> {
        self.connect("feastr")?.holder(key(&name.digest))
    }
}

/// A connection that holds a lock, and waits for the next one afterwards.
struct HeldBySession {
    session: Option<PostgresSession>,
    lockers: Arc<Idle<PostgresSession>>,
}

impl Held for HeldBySession {
    /// The lock ends with the connection, and only so.
    fn confirm(&mut self) -> Result<(), Problem> {
        if let Some(session) = &mut self.session {
            session.simple("SELECT 1")?;
        }
        Ok(())
    }
}

impl Drop for HeldBySession {
    fn drop(&mut self) {
        if let Some(mut session) = self.session.take()
            && session.rollback().is_ok()
        {
            self.lockers.keep(session);
        }
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

/// The setting that says how long to wait for rows that others have locked.
fn lock_timeout(locking: &Locking) -> String {
    format!("SET LOCAL lock_timeout = {}", locking.timeout.as_millis().clamp(1, LONGEST_LOCK_TIMEOUT))
}

struct PostgresSession {
    server: PostgresServer,
    connection: Connection,
    in_transaction: bool,
    /// The statements so far that were in no transaction.
    asked: HashSet<String>,
}

impl PostgresSession {
    fn simple(&mut self, statement: &str) -> Result<(), SqlFailure> {
        wait(self.connection.batch_execute(statement)).map_err(|error| explain(&self.server, &error))
    }

    /// Begins a transaction with settings of its own, unless there is one. Every statement sees what was committed
    /// before it began, so reading follows the locks.
    fn begin_with(&mut self, settings: &str) -> Result<(), SqlFailure> {
        if !self.in_transaction {
            self.simple(&format!("BEGIN ISOLATION LEVEL READ COMMITTED; {settings}"))?;
            self.in_transaction = true;
        }
        Ok(())
    }

    /// Takes an advisory lock, or says who has it.
    fn try_lock(&mut self, key: i64, settings: &str) -> Result<Result<(), Holder>, SqlFailure> {
        // A transaction for each attempt: it holds the lock, and its age is that of the lock. The
        // lock lasts as long as the transaction, so that it works behind a pooler, too.
        self.begin_with(settings)?;
        let answer = self.run("SELECT pg_try_advisory_xact_lock($1)::int", &[Parameter::Integer(key)])?;
        if answer.first().and_then(|row| row.first()).is_some_and(|cell| cell.integer() == 1) {
            return Ok(Ok(()));
        }
        self.rollback()?;
        Ok(Err(self.holder(key)?.unwrap_or_default()))
    }

    fn rollback(&mut self) -> Result<(), SqlFailure> {
        self.in_transaction = false;
        self.simple("ROLLBACK")
    }

    fn holder(&mut self, key: i64) -> Result<Option<Holder>, SqlFailure> {
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
    fn run(&mut self, statement: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Vec<Cell>>, SqlFailure> {
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
        let explained = |error| explain(&self.server, &error);
        // What is asked again is worth parsing once. Not so in a transaction, which would be over if a pooler in between
        // had exchanged the server.
        let is_repeated = !self.in_transaction && !self.asked.insert(statement.to_owned());
        let rows = wait(async {
            match is_repeated {
                true => self.connection.query_prepared(statement, &typed).await,
                false => self.connection.query_typed(statement, &typed).await,
            }
        });
        let rows = rows.map_err(explained)?;
        let read = |row| (0..Row::len(row)).map(|column| cell(row, column)).collect();
        rows.iter().map(read).collect::<Result<_, _>>().map_err(explained)
    }

    fn lock_project(&mut self, project: &str, locking: &Locking) -> Result<(), SqlFailure> {
        let (key, settings) = (project_key(project), lock_timeout(locking));
        let lock = of_registry(&self.server.url().to_string());
        locking.wait(&lock, || self.try_lock(key, &settings))
    }

    fn begin(&mut self, locking: &Locking) -> Result<(), SqlFailure> {
        self.begin_with(&lock_timeout(locking))
    }

    fn commit(&mut self) -> Result<(), SqlFailure> {
        self.in_transaction = false;
        wait(self.connection.batch_execute("COMMIT")).map_err(|error| match error.is_answer() {
            true => explain(&self.server, &error),
            false => uncertain(&self.server.url().to_string()),
        })
    }
}

fn cell(row: &Row, column: usize) -> Result<Cell, PostgresError> {
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

/// What an error means for the person, and whether trying again may help.
fn explain(server: &PostgresServer, error: &PostgresError) -> SqlFailure {
    if let PostgresError::Silent = error {
        return silent(&server.url().to_string());
    }
    let collisions = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
    ];
    if error.code().is_some_and(|code| collisions.contains(code)) {
        return SqlFailure::Conflict(Problem::new(
            Kind::Conflict,
            format!("another program keeps changing the registry {} at the same time", server.url()),
            "nothing was changed; try again when it is done".to_owned(),
        ));
    }
    SqlFailure::Final(server.explain(error).into())
}
