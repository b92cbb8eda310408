//! What is wrong with a file of rows.

use std::{fmt, io};

use crate::problem::Problem;

/// Why a file cannot be read on. The name of the file is for the caller to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowProblem {
    /// The line on which the row begins, counted from 1; `None` if it is about the whole file.
    pub line: Option<u64>,
    /// The column whose value it is about.
    pub column: Option<String>,
    /// Without column it goes on after the name of the line or file: "has 3 fields where …".
    pub message: String,
    /// What was wrong with the file before anybody looked at its text, in words of its own.
    pub cause: Option<Box<Problem>>,
}

impl RowProblem {
    pub(super) fn of_file(message: impl Into<String>) -> Self {
        Self { line: None, column: None, message: message.into(), cause: None }
    }

    pub(super) fn of_reading(error: &io::Error) -> Self {
        Self {
            cause: Problem::within(error).cloned().map(Box::new),
            ..Self::of_file(format!("cannot be read: {error}"))
        }
    }

    pub(super) fn of_line(line: u64, message: impl Into<String>) -> Self {
        Self { line: Some(line), column: None, message: message.into(), cause: None }
    }

    pub(super) fn of_value(line: u64, column: &str, message: impl Into<String>) -> Self {
        Self { line: Some(line), column: Some(column.to_owned()), message: message.into(), cause: None }
    }
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, &self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, column `{column}`: {}", self.message),
            (Some(line), None) => write!(f, "line {line} {}", self.message),
            (None, Some(column)) => write!(f, "column `{column}`: {}", self.message),
            (None, None) => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for RowProblem {}
