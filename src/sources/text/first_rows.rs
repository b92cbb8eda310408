//! A look at the first rows of a file.

use arrow::array::{Array, AsArray};

use super::{
    Chunk, Chunks, RowProblem, Rows, TextColumn,
    batch::{Limits, Wanted},
    csv, json_lines,
};

/// The first rows of a file with all their values as texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FirstRows {
    /// The names of the columns.
    pub names: Vec<String>,
    /// A value for each of them in every row; `None` for null.
    pub rows: Vec<Vec<Option<String>>>,
}

impl FirstRows {
    /// Those of a CSV file, at most `limit`, with all fields as they are.
    ///
    /// # Errors
    /// When they cannot be read, or have no such form.
    pub(crate) fn of_csv(heading: &csv::Heading, chunks: &mut Chunks, limit: usize) -> Result<Self, RowProblem> {
        Self::read(heading.names.clone(), Rows::of_csv_as_is(heading), || chunks.next_chunk(), limit)
    }

    /// Those of a file of JSON lines, at most `limit`, with all values as they are. Columns come in the order in
    /// which these rows show them.
    ///
    /// # Errors
    /// When they cannot be read, or a line is not a JSON object.
    pub(crate) fn of_json_lines(chunks: &mut Chunks, limit: usize) -> Result<Self, RowProblem> {
        let mut first = Vec::new();
        let mut names: Vec<String> = Vec::new();
        json_lines::each_object(chunks, limit, |line, text, object| {
            for (name, _) in object.0 {
                if !names.iter().any(|known| *known == name) {
                    names.push(name.into_owned());
                }
            }
            first.push(Chunk { first_line: line, bytes: text.as_bytes().to_vec() });
        })?;
        let wanted = names.iter().map(|name| Wanted::new(name, TextColumn::as_is(), false)).collect();
        let mut first = first.into_iter();
        Self::read(names, Rows::of_json_lines(wanted), || Ok(first.next()), limit)
    }

    /// The first rows of some chunks; the wanted columns must be texts.
    fn read(
        names: Vec<String>,
        rows: Rows,
        mut next_chunk: impl FnMut() -> Result<Option<Chunk>, RowProblem>,
        limit: usize,
    ) -> Result<Self, RowProblem> {
        let mut rows = rows.with_limits(Limits { rows: limit, bytes: usize::MAX });
        let mut first = Self { names, rows: Vec::new() };
        while first.rows.len() < limit {
            let Some(chunk) = next_chunk()? else { break };
            rows.start(chunk);
            let Some(batch) = rows.next_batch()? else { continue };
            let columns: Vec<_> = batch.columns.iter().map(|column| column.as_string::<i32>()).collect();
            let value = |row: usize| {
                columns.iter().map(|column| column.is_valid(row).then(|| column.value(row).to_owned())).collect()
            };
            first.rows.extend((0..batch.lines.len().min(limit - first.rows.len())).map(value));
        }
        Ok(first)
    }
}
