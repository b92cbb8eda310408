//! PostgreSQL's errors in words that help, and which of them may pass.

use std::{error::Error as _, io};

use tokio_postgres::{Error, error::SqlState};

use super::problem::{PostgresError, PostgresProblem, Role};
use crate::{
    config::ServerUrl,
    problem::{Kind, Problem},
};

/// What an error means for the person.
pub(crate) fn explain(role: &Role, url: &ServerUrl, error: &PostgresError) -> PostgresProblem {
    let error = match error {
        PostgresError::Said(error) => error,
        PostgresError::Silent => return silent(role, url),
        PostgresError::NoRuntime(error) => return error.clone().into(),
    };
    let problem = match error.as_db_error() {
        Some(answer) => by_code(role, url, answer.code(), answer.message()),
        None => by_source(role, url, error),
    };
    PostgresProblem { passing: is_passing(error), ..problem }
}

/// What it means that the server takes what it is sent and does not answer.
fn silent(role: &Role, url: &ServerUrl) -> PostgresProblem {
    let message = format!("the server of the {} {url} does not answer in time", role.name);
    let help = format!("check host and port {}, and that the server is not stuck", role.settings);
    PostgresProblem { passing: true, ..PostgresProblem::new(Kind::Deadline, message, help) }
}

/// Whether the server, or the way to it, may be back after a while.
fn is_passing(error: &Error) -> bool {
    const PASSING: [SqlState; 8] = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::CONNECTION_EXCEPTION,
        SqlState::CONNECTION_FAILURE,
    ];
    match error.code() {
        Some(code) => PASSING.contains(code),
        None => error.is_closed() || io_error(error).is_some(),
    }
}

/// The error of the network below an error.
fn io_error(error: &Error) -> Option<&io::Error> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref() {
            return Some(io);
        }
        source = cause.source();
    }
    None
}

/// Errors that the server sent.
fn by_code(role: &Role, url: &ServerUrl, code: &SqlState, text: &str) -> PostgresProblem {
    let user = url.user.as_deref().unwrap_or("you");
    let what = format!("the {} {url}", role.name);
    let (message, help) = match *code {
        SqlState::INVALID_PASSWORD => (
            format!("the password of `{user}` is wrong for {what}"),
            format!("check user and password {}", role.settings),
        ),
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => (
            format!("{what} does not let `{user}` in: {text}"),
            "check user, sslmode and the server's pg_hba.conf".to_owned(),
        ),
        SqlState::INVALID_CATALOG_NAME => (
            format!("there is no database `{}` at {url}", url.database),
            format!("create it (CREATE DATABASE), or check its name {}", role.settings),
        ),
        SqlState::INSUFFICIENT_PRIVILEGE => (
            format!("`{user}` may not do this in {what}: {text}"),
            "grant it CREATE on the schema and SELECT, INSERT, UPDATE, DELETE on the tables, or use another user"
                .to_owned(),
        ),
        SqlState::READ_ONLY_SQL_TRANSACTION => {
            (format!("{what} cannot be written: the server or the user is read-only"), role.read_only.to_owned())
        }
        SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN | SqlState::INVALID_SCHEMA_NAME => {
            let problem = Problem::new(Kind::Unavailable, format!("{what} lacks something: {text}"), None);
            return PostgresProblem { problem: problem.advise((role.missing)()), passing: false };
        }
        SqlState::LOCK_NOT_AVAILABLE => {
            (format!("rows of {what} are locked by another program"), role.locked.to_owned())
        }
        SqlState::DISK_FULL => {
            (format!("the server of {what} has no space left"), "free space and run again".to_owned())
        }
        SqlState::TOO_MANY_CONNECTIONS => {
            (format!("the server of {what} takes no more connections"), "try again later".to_owned())
        }
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => {
            (format!("the server of {what} is stopping or starting"), role.interrupted.to_owned())
        }
        _ => return PostgresProblem::new(Kind::Internal, format!("{what} answered: {text}"), None),
    };
    PostgresProblem::new(Kind::Unavailable, message, help)
}

/// Errors that the server did not send.
fn by_source(role: &Role, url: &ServerUrl, error: &Error) -> PostgresProblem {
    let what = format!("the {} {url}", role.name);
    let check = format!("check host and port {}, and that the server runs", role.settings);
    let lost = || {
        PostgresProblem::new(Kind::Unavailable, format!("the connection to {what} broke"), role.interrupted.to_owned())
    };
    if let Some(io) = io_error(error) {
        if let Some(tls) = io.get_ref().filter(|inner| inner.is::<rustls::Error>()) {
            return PostgresProblem::new(
                Kind::Unavailable,
                format!("no encrypted connection to {what}: {tls}"),
                format!("check sslmode and the certificates {}", role.settings),
            );
        }
        let message = match io.kind() {
            io::ErrorKind::ConnectionRefused => format!("no server answers at {url}"),
            io::ErrorKind::TimedOut => format!("the server of {what} does not answer"),
            io::ErrorKind::NotFound => format!("there is no server at {url}: {io}"),
            _ if error.is_closed() => return lost(),
            _ if io.to_string().contains("lookup") => format!("the host `{}` is not known", url.host),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => return lost(),
            _ => return PostgresProblem::new(Kind::Unavailable, format!("no connection to {what}: {io}"), check),
        };
        let kind = if io.kind() == io::ErrorKind::TimedOut { Kind::Deadline } else { Kind::Unavailable };
        return PostgresProblem::new(kind, message, check);
    }
    if error.is_closed() {
        return lost();
    }
    let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let help = match cause.as_str() {
        "password missing" => Some(role.password.to_owned()),
        text if text.contains("TLS") => {
            Some(format!("set sslmode to prefer or disable {}, or enable TLS there", role.settings))
        }
        _ => None,
    };
    PostgresProblem::new(Kind::Unavailable, format!("no connection to {what}: {cause}"), help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Advice;

    #[test]
    fn what_is_wrong_with_the_store_is_not_the_callers_fault() {
        let role = Role {
            name: "registry",
            settings: "in the URL",
            password: "",
            interrupted: "",
            locked: "",
            read_only: "",
            missing: || Advice::Apply,
        };
        let (url, _) = ServerUrl::parse("postgresql", "joe@localhost/db").unwrap();
        let kind = |code: SqlState| by_code(&role, &url, &code, "no").problem.kind;
        for code in [SqlState::INVALID_PASSWORD, SqlState::UNDEFINED_TABLE, SqlState::INVALID_CATALOG_NAME] {
            assert_eq!(kind(code), Kind::Unavailable);
        }
        assert_eq!(kind(SqlState::SYNTAX_ERROR), Kind::Internal);
    }
}
