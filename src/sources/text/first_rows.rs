//! A look at the first rows of a file.

use arrow::array::{Array, AsArray};

use super::{Chunk, RowProblem, Rows, rows::Limits};

/// The first rows of a file with all their values as texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FirstRows {
    /// The names of the columns.
    pub names: Vec<String>,
    /// A value for each of them in every row; `None` for null.
    pub rows: Vec<Vec<Option<String>>>,
}

/// The first rows of some chunks; the wanted columns must be texts.
pub(super) fn of(
    names: Vec<String>,
    rows: Rows,
    mut next_chunk: impl FnMut() -> Result<Option<Chunk>, RowProblem>,
    limit: usize,
) -> Result<FirstRows, RowProblem> {
    let mut rows = rows.with_limits(Limits { rows: limit, bytes: usize::MAX });
    let mut first = FirstRows { names, rows: Vec::new() };
    while first.rows.len() < limit {
        let Some(chunk) = next_chunk()? else { break };
        rows.start(chunk);
        let Some(batch) = rows.next_batch()? else { continue };
        let columns: Vec<_> = batch.columns.iter().map(|column| column.as_string::<i32>()).collect();
        let value = |row: usize| {
            columns.iter().map(|column| column.is_valid(row).then(|| column.value(row).to_owned())).collect()
        };
        first.rows.extend((0..batch.rows.min(limit - first.rows.len())).map(value));
    }
    Ok(first)
}
