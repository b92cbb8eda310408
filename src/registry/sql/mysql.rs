//! What is MySQL's own: how statements are spelled, how it locks, and what its errors mean.

use std::{collections::HashMap, error::Error, io, net::Ipv4Addr, sync::Arc, time::Duration};

use mysql::{Conn, DriverError, OptsBuilder, Params, SslOpts, Value, prelude::Queryable};
use sha2::{Digest, Sha256};

use super::{
    dialect::Dialect,
    idle::Idle,
    schema::ColumnType,
    session::{Database, Session, SqlFailure, silent, uncertain},
    value::{Cell, Parameter},
};
use crate::{
    config::{ServerUrl, TlsMode},
    model::ViewId,
    problem::{Kind, Problem},
    registry::{
        digest::short_hex,
        locks::{Holder, Locking, ViewLock, of_registry, of_view, view_digest},
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
        Ok(MySqlSession { url: self.url.clone(), connection })
    }
}

static DIALECT: Dialect = Dialect {
    spell: |kind| match kind {
        ColumnType::Varchar(length) => format!("VARCHAR({length})"),
        ColumnType::Text => "TEXT".to_owned(),
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

    fn lock_view(&self, view: ViewId<'_>, locking: &Locking) -> Result<ViewLock, SqlFailure> {
        let name = self.view_lock(view);
        let take = |mut session: MySqlSession| {
            locking.wait(&of_view(view.name), || session.try_lock(&name, true))?;
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
        Ok(ViewLock::new(Held { session: Some(session), name, lockers: Arc::clone(&self.lockers) }))
    }

    fn view_holder(&self, view: ViewId<'_>) -> Result<Option<Holder>, SqlFailure> {
        let holder = self.connect("feastr", Duration::ZERO)?.holder(&self.view_lock(view), true)?;
        Ok(Some(holder).filter(|holder| holder.who.is_some()))
    }
}

/// A connection that holds the lock of a view, and waits for the next one afterwards.
struct Held {
    session: Option<MySqlSession>,
    name: String,
    lockers: Arc<Idle<MySqlSession>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(mut session) = self.session.take()
            && session.run("SELECT RELEASE_LOCK(?)", &[Parameter::Text(&self.name)]).is_ok()
        {
            self.lockers.keep(session);
        }
    }
}

impl MySql {
    fn view_lock(&self, view: ViewId<'_>) -> String {
        let view = view_digest(view);
        lock_name(
            &Sha256::new().chain_update(&self.url.database).chain_update(b"\0").chain_update(view).finalize().into(),
        )
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
        locking.wait(&lock, || self.try_lock(&name, false))
    }

    fn begin(&mut self, _: &Locking) -> Result<(), SqlFailure> {
        self.connection.query_drop("START TRANSACTION").map_err(|error| explain(&self.url, &error))
    }

    fn commit(&mut self) -> Result<(), SqlFailure> {
        self.connection.query_drop("COMMIT").map_err(|error| match error {
            mysql::Error::MySqlError(_) => explain(&self.url, &error),
            _ => uncertain(&self.url.to_string()),
        })
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

/// Numbers of MySQL's errors.
mod code {
    pub(crate) const DISK_FULL: u16 = 1021;
    pub(crate) const CON_COUNT_ERROR: u16 = 1040;
    pub(crate) const DBACCESS_DENIED_ERROR: u16 = 1044;
    pub(crate) const ACCESS_DENIED_ERROR: u16 = 1045;
    pub(crate) const BAD_DB_ERROR: u16 = 1049;
    pub(crate) const SERVER_SHUTDOWN: u16 = 1053;
    pub(crate) const BAD_FIELD_ERROR: u16 = 1054;
    pub(crate) const DUP_ENTRY: u16 = 1062;
    pub(crate) const RECORD_FILE_FULL: u16 = 1114;
    pub(crate) const TABLEACCESS_DENIED_ERROR: u16 = 1142;
    pub(crate) const COLUMNACCESS_DENIED_ERROR: u16 = 1143;
    pub(crate) const NO_SUCH_TABLE: u16 = 1146;
    pub(crate) const NET_PACKET_TOO_LARGE: u16 = 1153;
    pub(crate) const TOO_MANY_USER_CONNECTIONS: u16 = 1203;
    pub(crate) const LOCK_WAIT_TIMEOUT: u16 = 1205;
    pub(crate) const LOCK_DEADLOCK: u16 = 1213;
    /// Texts of different character sets are compared.
    pub(crate) const CANT_AGGREGATE_COLLATIONS: u16 = 1267;
    pub(crate) const TRUNCATED_WRONG_VALUE_FOR_FIELD: u16 = 1366;
    pub(crate) const SPECIFIC_ACCESS_DENIED_ERROR: u16 = 1227;
    pub(crate) const OPTION_PREVENTS_STATEMENT: u16 = 1290;
    pub(crate) const CANT_EXECUTE_IN_READ_ONLY_TRANSACTION: u16 = 1792;
}

/// Whether an error says that the server did not answer in time.
fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    matches!(kind, Some(io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut))
}

/// What an error means for the person.
fn explain(url: &ServerUrl, error: &mysql::Error) -> SqlFailure {
    let user = url.user.as_deref().unwrap_or("you");
    let check = "check host and port in the URL, and that the server runs";
    let (message, help) = match error {
        mysql::Error::MySqlError(answer) => {
            let text = &answer.message;
            match answer.code {
                code::LOCK_DEADLOCK | code::DUP_ENTRY => {
                    return SqlFailure::Conflict(Problem::new(
                        Kind::Conflict,
                        format!("the registry {url} has a row where a new one belongs: {text}"),
                        "nothing was changed. Another program may be changing the registry at the same time; or two \
                         names differ only by capitals or accents, which this database takes for the same"
                            .to_owned(),
                    ));
                }
                code::ACCESS_DENIED_ERROR => (
                    format!("the user `{user}` or its password is wrong for the registry {url}"),
                    "check user and password in the URL",
                ),
                code::BAD_DB_ERROR => (
                    format!("there is no database `{}` at {url}", url.database),
                    "create it (CREATE DATABASE), or check the end of the URL",
                ),
                code::DBACCESS_DENIED_ERROR => (
                    format!("`{user}` may not use the database `{}` at {url}", url.database),
                    "check the name of the database, and what the user is granted",
                ),
                code::TABLEACCESS_DENIED_ERROR
                | code::COLUMNACCESS_DENIED_ERROR
                | code::SPECIFIC_ACCESS_DENIED_ERROR => (
                    format!("`{user}` may not do this in the registry {url}: {text}"),
                    "grant it CREATE, INDEX, SELECT, INSERT, UPDATE and DELETE on the database, or use another user",
                ),
                code::OPTION_PREVENTS_STATEMENT | code::CANT_EXECUTE_IN_READ_ONLY_TRANSACTION => (
                    format!("the registry {url} cannot be written: the server is read-only"),
                    "point `path` at the primary and `read_path` at a replica",
                ),
                code::NO_SUCH_TABLE | code::BAD_FIELD_ERROR => (
                    format!("the registry {url} lacks something: {text}"),
                    "set `schema_mode: auto`, and feastr creates missing tables",
                ),
                code::CANT_AGGREGATE_COLLATIONS | code::TRUNCATED_WRONG_VALUE_FOR_FIELD => (
                    format!("the tables of the registry {url} cannot hold all letters: {text}"),
                    "convert database and tables to utf8mb4 (ALTER TABLE … CONVERT TO CHARACTER SET utf8mb4)",
                ),
                code::LOCK_WAIT_TIMEOUT => (
                    format!("rows of the registry {url} are locked by another program"),
                    "nothing was changed; try again when it is done",
                ),
                code::NET_PACKET_TOO_LARGE => (
                    format!("an object is too large for the server of the registry {url}"),
                    "raise max_allowed_packet there",
                ),
                code::DISK_FULL | code::RECORD_FILE_FULL => {
                    (format!("the server of the registry {url} has no space left"), "free space and run again")
                }
                code::CON_COUNT_ERROR | code::TOO_MANY_USER_CONNECTIONS => {
                    (format!("the server of the registry {url} takes no more connections"), "try again later")
                }
                code::SERVER_SHUTDOWN => (
                    format!("the server of the registry {url} is stopping"),
                    "nothing was changed; try again when it is up",
                ),
                _ => {
                    return SqlFailure::Final(Problem::new(
                        Kind::Internal,
                        format!("the registry {url} answered: {text}"),
                        None,
                    ));
                }
            }
        }
        mysql::Error::DriverError(DriverError::CouldNotConnect(Some((_, text, kind)))) => match kind {
            io::ErrorKind::ConnectionRefused => (format!("no server answers at {url}"), check),
            io::ErrorKind::TimedOut => (format!("the server of the registry {url} does not answer"), check),
            _ if text.contains("lookup") => (format!("the host `{}` is not known", url.host), check),
            _ => (format!("no connection to the registry {url}: {text}"), check),
        },
        mysql::Error::DriverError(DriverError::ConnectTimeout | DriverError::Timeout) => {
            (format!("the server of the registry {url} does not answer"), check)
        }
        mysql::Error::DriverError(DriverError::TlsNotSupported) => (
            format!("the server of the registry {url} does not encrypt connections"),
            "set sslmode=prefer or disable in the URL, or enable TLS there",
        ),
        mysql::Error::TlsError(error) => (
            format!("no encrypted connection to the registry {url}: {error}"),
            "check sslmode and sslrootcert in the URL",
        ),
        // What goes wrong with TLS after the first bytes comes only as text.
        mysql::Error::CodecError(error) if error.to_string().contains("certificate") => (
            format!("no encrypted connection to the registry {url}: {error}"),
            "check sslmode and sslrootcert in the URL",
        ),
        mysql::Error::IoError(error) if error.to_string().contains("lookup") => {
            (format!("the host `{}` is not known", url.host), check)
        }
        mysql::Error::IoError(error) if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => (
            format!("no encrypted connection to the registry {url}: {error}"),
            "check sslmode and sslrootcert in the URL",
        ),
        mysql::Error::IoError(error) if is_timeout(error) => return silent(&url.to_string()),
        mysql::Error::CodecError(error) if error.source().is_some_and(is_timeout) => return silent(&url.to_string()),
        mysql::Error::IoError(_) | mysql::Error::CodecError(_) => (
            format!("the connection to the registry {url} broke"),
            "nothing was changed; try again when the server is up",
        ),
        other => {
            return SqlFailure::Final(Problem::new(
                Kind::Unavailable,
                format!("the registry {url} cannot be used: {other}"),
                None,
            ));
        }
    };
    let kind = if is_silence(error) { Kind::Deadline } else { Kind::Unavailable };
    SqlFailure::Final(Problem::new(kind, message, help.to_owned()))
}

/// Whether no connection was made in time.
fn is_silence(error: &mysql::Error) -> bool {
    use DriverError::{ConnectTimeout, CouldNotConnect, Timeout};
    let mysql::Error::DriverError(error) = error else { return false };
    matches!(error, ConnectTimeout | Timeout | CouldNotConnect(Some((_, _, io::ErrorKind::TimedOut))))
}
