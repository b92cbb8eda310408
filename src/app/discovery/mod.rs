//! Looking around in a registry: where a text is found, and what is made of what.

mod lineage;
mod search;

use crate::{app::catalogue::damaged, discovery::Known, problem::Problem, registry::Row, side_by_side::side_by_side};

pub use lineage::{LineageRequest, lineage};
pub use search::{Hit, SearchRequest, Searched, search};

/// What stored objects say of themselves.
///
/// # Errors
/// When a row is damaged.
pub(in crate::app) fn known(rows: &[Row]) -> Result<Vec<Known>, Problem> {
    let read = |row: &Row| Known::read(row.kind, &row.name, &row.proto).map_err(|error| damaged(row, &error));
    side_by_side(rows, read).into_iter().collect()
}
