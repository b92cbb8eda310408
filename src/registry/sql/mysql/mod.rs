//! What is MySQL's own: how statements are spelled, how it locks, and what its errors mean.

mod explain;

use std::{collections::HashMap, net::Ipv4Addr, sync::Arc, time::Duration};

use mysql::{Conn, DriverError, OptsBuilder, Params, SslOpts, Value, prelude::Queryable};
use sha2::{Digest, Sha256};

use explain::explain;

use super::{
    dialect::Dialect,
    idle::Idle,
    schema::ColumnType,
    session::{Database, Session, SqlFailure, uncertain},
    value::{Cell, Parameter},
};
use crate::{
    config::{ServerUrl, TlsMode},
    problem::Problem,
    registry::{
        digest::short_hex,
        locks::{Held, Holder, LockName, Locking, ViewLock, of_registry},
    },
};

/// How long a server may take for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long to wait for an address that does not answer.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(10);

/// After how many milliseconds without a word a server is asked whether it is there, and after how many
/// without confirmation it counts as lost.
const KEEPALIVE: u32 = 30_000;

/// The longest that MariaDB waits for rows, in seconds; MySQL waits longer.
const LONGEST_LOCK_TIMEOUT: u64 = 100_000_000;

/// Opens a connection. The driver gives up after the first address of a host, such as `::1` of
/// `localhost`; bound to IPv4 it tries all of that kind.
fn open(options: OptsBuilder) -> Result<Conn, mysql::Error> {
    let is_unreachable =
        |error: &mysql::Error| matches!(error, mysql::Error::DriverError(DriverError::CouldNotConnect(_)));
    Conn::new(options.clone()).or_else(|first| {
        if !is_unreachable(&first) {
            return Err(first);
        }
        let bound = Conn::new(options.bind_address(Some((Ipv4Addr::UNSPECIFIED, 0))));
        bound.map_err(|second| if is_unreachable(&second) { first } else { second })
    })
}

/// A registry in MySQL or MariaDB.
pub(crate) struct MySql {
    url: ServerUrl,
    /// Connections that have held locks of views.
    lockers: Arc<Idle<MySqlSession>>,
}

impl MySql {
    pub(crate) fn new(url: ServerUrl) -> Self {
        Self { url, lockers: Arc::default() }
    }

    /// A connection for statements that may wait for locks so long.
    fn connect(&self, who: &str, waiting: Duration) -> Result<MySqlSession, Problem> {
        let answer = ANSWER_TIMEOUT.saturating_add(waiting.min(Duration::from_secs(LONGEST_LOCK_TIMEOUT)));
        let options = |tls: Option<SslOpts>| {
            let options = OptsBuilder::new();
            #[cfg(target_os = "linux")]
            let options = options.tcp_user_timeout_ms(Some(KEEPALIVE));
            let socket = self.url.host.starts_with('/').then(|| self.url.host.clone());
            options
                .ip_or_hostname(Some(if socket.is_some() { "localhost" } else { &self.url.host }))
                .tcp_port(self.url.port.unwrap_or(3306))
                .socket(socket)
                .prefer_socket(self.url.host.starts_with('/'))
                .user(self.url.user.clone())
                .pass(self.url.password.as_ref().map(|password| password.0.clone()))
                .db_name(Some(&self.url.database))
                .tcp_connect_timeout(Some(ADDRESS_TIMEOUT))
                .read_timeout(Some(answer))
                .write_timeout(Some(ANSWER_TIMEOUT))
                .tcp_keepalive_time_ms(Some(KEEPALIVE))
                .connect_attrs(Some(HashMap::from([("program_name", who)])))
                .ssl_opts(tls)
        };
        let mode = self.url.tls.mode;
        let tls = (mode != TlsMode::Disable).then(|| {
            SslOpts::default()
                .with_root_cert_path(self.url.tls.root_certificates.clone())
                .with_danger_accept_invalid_certs(!mode.verifies())
                .with_danger_skip_domain_validation(mode != TlsMode::VerifyFull)
        });
        let connection = match open(options(tls)) {
            Err(mysql::Error::DriverError(DriverError::TlsNotSupported)) if mode == TlsMode::Prefer => {
                open(options(None))
            }
            result => result,
        };
        let connection = connection.map_err(|error| explain(&self.url, &error))?;
        Ok(MySqlSession { url: self.url.clone(), connection, lock: None })
    }
}

static DIALECT: Dialect = Dialect {
    spell: |kind| match kind {
        ColumnType::Varchar(length) => format!("VARCHAR({length})"),
        ColumnType::Text => "TEXT".to_owned(),
        ColumnType::LongText => "LONGTEXT".to_owned(),
        ColumnType::Integer => "INTEGER".to_owned(),
        ColumnType::BigInt => "BIGINT".to_owned(),
        ColumnType::Blob => "LONGBLOB".to_owned(),
    },
    placeholder: |_| "?".to_owned(),
    as_bytes: |text| format!("CAST(CONVERT({text} USING utf8mb4) AS BINARY)"),
    replace: |_, columns| {
        let set: Vec<String> = columns.iter().map(|column| format!("{column} = VALUES({column})")).collect();
        format!("ON DUPLICATE KEY UPDATE {}", set.join(", "))
    },
    lock_rows: " FOR UPDATE",
    unsynced: None,
    row_state: None,
    index_in_table: true,
    columns: "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()",
    indexes: "SELECT index_name FROM information_schema.statistics WHERE table_schema = DATABASE()",
};

impl Database for MySql {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn location(&self) -> String {
        self.url.to_string()
    }

    fn stays(&self) -> bool {
        true
    }

    fn reader(&self) -> Result<Option<Box<dyn Session>>, Problem> {
        Ok(Some(Box::new(self.connect("feastr", Duration::ZERO)?)))
    }

    fn writer(&self, locking: &Locking) -> Result<Box<dyn Session>, SqlFailure> {
        let mut session = self.connect(&locking.who, locking.timeout)?;
        // Rows may be locked by others.
        let seconds = locking.timeout.as_secs().clamp(1, LONGEST_LOCK_TIMEOUT);
        session.run(&format!("SET SESSION innodb_lock_wait_timeout = {seconds}"), &[])?;
        // Otherwise reading for an update locks the gaps around a project as well, and with them others.
        session.run("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", &[])?;
        Ok(Box::new(session))
    }

    fn lock(&self, lock: &LockName, locking: &Locking) -> Result<ViewLock, SqlFailure> {
        let name = self.name_of(lock);
        let take = |mut session: MySqlSession| {
            locking.wait(&lock.words, || session.try_lock(&name, true))?;
            Ok::<_, SqlFailure>(session)
        };
        // The server may have ended a connection that was kept.
        let session = match self.lockers.take().map(&take) {
            Some(Ok(session)) => session,
            _ => {
                let mut session = self.connect(&locking.who, Duration::ZERO)?;
                // The connection does nothing but hold locks, and that may last: a year at most.
                session.run("SET SESSION wait_timeout = 31536000", &[])?;
                take(session)?
            }
        };
        Ok(ViewLock::of(HeldBySession { session: Some(session), name, lockers: Arc::clone(&self.lockers) }))
    }

    fn holder(&self, lock: &LockName) -> Result<Option<Holder>, SqlFailure> {
        let holder = self.connect("feastr", Duration::ZERO)?.holder(&self.name_of(lock), true)?;
        Ok(Some(holder).filter(|holder| holder.who.is_some()))
    }
}

/// A connection that holds a lock, and waits for the next one afterwards.
struct HeldBySession {
    session: Option<MySqlSession>,
    name: String,
    lockers: Arc<Idle<MySqlSession>>,
}

impl Held for HeldBySession {
    /// The lock ends with the connection.
    fn confirm(&mut self) -> Result<(), Problem> {
        if let Some(session) = &mut self.session {
            session.run("SELECT 1", &[])?;
        }
        Ok(())
    }
}

impl Drop for HeldBySession {
    fn drop(&mut self) {
        if let Some(mut session) = self.session.take()
            && session.run("SELECT RELEASE_LOCK(?)", &[Parameter::Text(&self.name)]).is_ok()
        {
            self.lockers.keep(session);
        }
    }
}

impl MySql {
    fn name_of(&self, lock: &LockName) -> String {
        let database = Sha256::new().chain_update(&self.url.database).chain_update(b"\0");
        lock_name(&database.chain_update(lock.digest).finalize().into())
    }
}

fn project_lock(database: &str, project: &str) -> String {
    lock_name(&Sha256::new().chain_update(database).chain_update(b"\0").chain_update(project).finalize().into())
}

/// Locks belong to the whole server, and their names have at most 64 characters.
fn lock_name(digest: &[u8; 32]) -> String {
    format!("feastr-{}", short_hex(digest))
}

struct MySqlSession {
    url: ServerUrl,
    connection: Conn,
    /// The name of the project's lock that is held.
    lock: Option<String>,
}

impl MySqlSession {
    /// Takes a lock, or says who has it.
    fn try_lock(&mut self, name: &str, idle: bool) -> Result<Result<(), Holder>, SqlFailure> {
        let answer = self.run("SELECT GET_LOCK(?, 0)", &[Parameter::Text(name)])?;
        if answer.first().and_then(|row| row.first()).is_some_and(|cell| cell.integer() == 1) {
            return Ok(Ok(()));
        }
        Ok(Err(self.holder(name, idle)?))
    }

    /// Who has a lock: what it called itself if the server shows that, else its account and address.
    /// How long is known of idle connections: since their last statement, which took the lock.
    fn holder(&mut self, name: &str, idle: bool) -> Result<Holder, SqlFailure> {
        let name = [Parameter::Text(name)];
        let attribute = self.run(
            "SELECT attr_value FROM performance_schema.session_connect_attrs \
             WHERE processlist_id = IS_USED_LOCK(?) AND attr_name = 'program_name'",
            &name,
        );
        let mut rows = attribute.unwrap_or_default();
        if rows.is_empty() {
            rows = self.run(
                "SELECT concat(user, '@', host, ' (connection ', id, ')') FROM information_schema.processlist \
                 WHERE id = IS_USED_LOCK(?)",
                &name,
            )?;
        }
        let who = rows.into_iter().flatten().next().map(Cell::text);
        let age = "SELECT time FROM information_schema.processlist WHERE id = IS_USED_LOCK(?)";
        let age = if idle { self.run(age, &name)? } else { Vec::new() };
        let since = age.into_iter().flatten().next().map(|age| u64::try_from(age.integer()).unwrap_or(0));
        Ok(Holder { who, since: since.map(Duration::from_secs) })
    }
}

impl Session for MySqlSession {
    fn run(&mut self, statement: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Vec<Cell>>, SqlFailure> {
        let values: Vec<Value> = parameters.iter().map(|parameter| value(*parameter)).collect();
        let parameters = if values.is_empty() { Params::Empty } else { Params::Positional(values) };
        let rows: Result<Vec<mysql::Row>, mysql::Error> = self.connection.exec(statement, parameters);
        let rows = rows.map_err(|error| explain(&self.url, &error))?;
        Ok(rows.into_iter().map(|row| row.unwrap().into_iter().map(cell).collect()).collect())
    }

    fn lock_project(&mut self, project: &str, locking: &Locking) -> Result<(), SqlFailure> {
        let (name, lock) = (project_lock(&self.url.database, project), of_registry(&self.url.to_string()));
        locking.wait(&lock, || self.try_lock(&name, false))?;
        self.lock = Some(name);
        Ok(())
    }

    fn begin(&mut self, _: &Locking) -> Result<(), SqlFailure> {
        self.connection.query_drop("START TRANSACTION").map_err(|error| explain(&self.url, &error))
    }

    fn commit(&mut self) -> Result<(), SqlFailure> {
        self.connection.query_drop("COMMIT").map_err(|error| match error {
            mysql::Error::MySqlError(_) => explain(&self.url, &error),
            _ => uncertain(&self.url.to_string()),
        })?;
        if let Some(name) = self.lock.take() {
            // Where the connection has ended by now, so has the lock.
            let _ = self.run("SELECT RELEASE_LOCK(?)", &[Parameter::Text(&name)]);
        }
        Ok(())
    }
}

fn value(parameter: Parameter<'_>) -> Value {
    match parameter {
        Parameter::Text(text) => Value::Bytes(text.as_bytes().to_vec()),
        Parameter::Integer(number) => Value::Int(number),
        Parameter::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

fn cell(value: Value) -> Cell {
    match value {
        Value::Int(number) => Cell::Integer(number),
        Value::UInt(number) => Cell::Integer(i64::try_from(number).unwrap_or(i64::MAX)),
        Value::Bytes(bytes) => Cell::Bytes(bytes),
        _ => Cell::Null,
    }
}
