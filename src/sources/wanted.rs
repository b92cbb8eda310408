//! What is wanted of a source: a column, and what it is read for.

use super::target::Role;
use crate::{
    model::DataType,
    problem::{Kind, Problem},
};

/// A column to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Its name in the files.
    pub column: String,
    /// What it is read for.
    pub role: Role,
    /// Whether values that do not fit become null, and are counted; otherwise they end the reading.
    pub null_if_unfit: bool,
}

impl Wanted {
    /// The problem of a value that does not fit; `place` says where it is.
    pub(super) fn unfit(&self, place: &str, reason: &str) -> Problem {
        let help = match &self.role {
            Role::Value(DataType::UnixTimestamp | DataType::ZonedTimestamp) => Some(
                "write times like 2026-01-31T12:00:00Z, or set `timestamp_format` in the source or `out_of_range: as_null` \
                 in the view's checks",
            ),
            Role::Value(_) => {
                Some("correct it, declare another type, or set `out_of_range: as_null` in the view's checks")
            }
            Role::Time => Some(
                "write times like 2026-01-31T12:00:00Z; without a zone they are UTC; a source may declare a \
                 `timestamp_format`",
            ),
            Role::Key(_) => Some("correct it, or give the entity another `value_type`"),
            Role::EntityKey(_) | Role::AsIs => None,
        };
        Problem::new(Kind::Invalid, format!("{place}, column `{}`: {reason}", self.column), help.map(str::to_owned))
    }
}
