//! What errors of MySQL mean.

use std::{error::Error, io};

use mysql::DriverError;

use crate::{
    config::ServerUrl,
    problem::{Kind, Problem},
    registry::sql::session::{SqlFailure, silent},
};

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
pub(super) fn explain(url: &ServerUrl, error: &mysql::Error) -> SqlFailure {
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
