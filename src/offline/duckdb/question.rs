//! Questions that people write in SQL: one `SELECT` each, which changes nothing. What is wrong with one is told with its
//! place in the text.

use std::fmt;

use duckdb::Connection;
use serde_json::Value;

use crate::model::printable;

/// What is wrong with a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub message: String,
    pub help: Option<String>,
    /// Between which bytes of the text it stands, if that is known.
    pub at: Option<(usize, usize)>,
}

impl Wrong {
    /// Something that a person would not have to be told where.
    pub(super) fn of(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, at: None }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The question that a text is, as the parser has read it.
///
/// # Errors
/// When it is none, or more than one.
pub(super) fn parse(connection: &Connection, sql: &str) -> Result<Value, Wrong> {
    let failed = |error: duckdb::Error| Wrong::of(error.to_string());
    let read: String =
        connection.query_row("SELECT json_serialize_sql(?) :: VARCHAR", [sql], |row| row.get(0)).map_err(failed)?;
    let mut read: Value = serde_json::from_str(&read).map_err(|_| Wrong::of("it is nested too deeply"))?;
    if let Some(message) = read["error_message"].as_str() {
        return Err(match message {
            message if message.starts_with("Only SELECT") => Wrong::of("it is no question, and only those are asked"),
            message => Wrong { at: place(&read), ..Wrong::of(message) },
        });
    }
    match read["statements"].as_array_mut().map(std::mem::take).unwrap_or_default().as_mut_slice() {
        [only] => Ok(only["node"].take()),
        [] => Err(Wrong::of("it is empty")),
        _ => Err(Wrong::of("it is more than one")),
    }
}

/// Whether a question can be answered from the tables that there are. Nothing is read.
///
/// # Errors
/// When it names what is not there, or its types do not go together.
pub(super) fn bind(connection: &Connection, sql: &str) -> Result<(), Wrong> {
    let failed = |error: duckdb::Error| Wrong::of(error.to_string());
    connection.execute_batch("SET errors_as_json = true").map_err(failed)?;
    let bound = connection.prepare(sql).map(drop);
    connection.execute_batch("SET errors_as_json = false").map_err(failed)?;
    bound.map_err(|error| of_json(&error.to_string()))
}

/// An error that DuckDB has put into JSON, behind the name of its kind.
fn of_json(text: &str) -> Wrong {
    let json = text.find('{').and_then(|start| serde_json::from_str::<Value>(&text[start..]).ok());
    let Some(json) = json else { return Wrong::of(printable(text)) };
    let message = json["exception_message"].as_str().unwrap_or(text);
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or(message).trim_end_matches('!');
    let rest: Vec<&str> = lines.collect();
    let help = (!rest.is_empty()).then(|| printable(&rest.join(" ")).into_owned());
    Wrong { message: printable(first).into_owned(), help, at: place(&json) }
}

/// Where an error is: `[begin,length]`, or only where it begins.
fn place(error: &Value) -> Option<(usize, usize)> {
    let location = error["location"].as_str().map(|text| text.trim_matches(['[', ']']));
    let span = location.and_then(|text| text.split_once(','));
    let span = span.and_then(|(start, length)| Some((start.parse::<usize>().ok()?, length.parse::<usize>().ok()?)));
    match span {
        Some((start, length)) => Some((start, start + length.max(1))),
        None => {
            let start = error["position"].as_str()?.parse().ok()?;
            Some((start, start + 1))
        }
    }
}
