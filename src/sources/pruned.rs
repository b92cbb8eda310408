//! Pieces of parquet files of which no row can be of interest: their times or keys are others, as folders, footers and
//! filters say.

use std::collections::HashSet;

use arrow::datatypes::DataType as ArrowType;
use parquet::{bloom_filter::Sbbf, file::metadata::ColumnChunkMetaData};

use super::{
    key_values::KeyValues,
    parquet::{Footer, unreadable},
    scan::{FileColumn, FileContent, Scan, ScanFile},
};
use crate::{problem::Problem, side_by_side::waiting_side_by_side};

/// Filters are wrong about some values of a hundred, so that many values are none that they lack.
const MOST_ASKED: usize = 64;
/// A filter that is not much smaller than what it may spare is not read.
const SPARED: u64 = 4;

/// Row groups that have none of the keys, as their filters say: the numbers of their files, and in these.
pub(super) type Filtered = HashSet<(usize, usize)>;

/// A row group whose filter of a column is asked for some values.
struct Asked<'a> {
    row_group: (usize, usize),
    file: &'a ScanFile,
    /// Where the filter is: its first byte, and how many there are.
    filter: (u64, u64),
    column: &'a ArrowType,
    values: &'a KeyValues,
}

impl Scan {
    /// Whether no row of a row group can be of interest, as its folder and footer say.
    pub(super) fn is_outside(&self, file: &ScanFile, footer: &Footer, group: usize) -> bool {
        self.is_of_other_times(file, footer, group)
            || self.keys.iter().any(|(column, values)| file.has_none_of((*column, values), footer, group))
    }

    fn is_of_other_times(&self, file: &ScanFile, footer: &Footer, group: usize) -> bool {
        let Some(range) = self.range else { return false };
        if matches!(file.columns[range.column], FileColumn::Missing) {
            return true;
        }
        let bounds = file.bounds(range.column, footer, group);
        bounds.is_some_and(|(first, last)| first > range.last || last < range.first)
    }

    /// Asks the filters of row groups whose footers leave open whether they have one of the keys.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn filtered(&self) -> Result<Filtered, Problem> {
        let asked: Vec<Asked<'_>> = self.files.iter().enumerate().flat_map(|file| self.asked_of(file)).collect();
        let answers = waiting_side_by_side(&asked, |asked| Ok((asked.row_group, asked.is_outside()?)));
        let answers = answers.into_iter().collect::<Result<Vec<_>, Problem>>()?;
        Ok(answers.into_iter().filter_map(|(row_group, is_outside)| is_outside.then_some(row_group)).collect())
    }

    fn asked_of<'a>(&'a self, (number, file): (usize, &'a ScanFile)) -> Vec<Asked<'a>> {
        let FileContent::Parquet { footer, reading, roots } = &file.content else { return Vec::new() };
        let schema = reading.parquet_schema();
        let mut asked = Vec::new();
        for (column, values) in self.keys.iter().filter(|(_, values)| values.len() <= MOST_ASKED) {
            let FileColumn::Read(position, _) = &file.columns[*column] else { continue };
            let Some(root) = roots.get(*position) else { continue };
            let is_of_root = |leaf: &usize| schema.get_column_root_idx(*leaf) == *root;
            let Some(leaf) = (0..schema.num_columns()).find(is_of_root) else { continue };
            for (group, chunks) in footer.row_groups().iter().enumerate() {
                let Some(filter) = filter_of(chunks.column(leaf), file.bytes) else { continue };
                let wanted = chunks.columns().iter().enumerate();
                let wanted = wanted.filter(|(leaf, _)| roots.contains(&schema.get_column_root_idx(*leaf)));
                let bytes: u64 = wanted.map(|(_, chunk)| u64::try_from(chunk.compressed_size()).unwrap_or(0)).sum();
                if filter.1.saturating_mul(SPARED) <= bytes && !self.is_outside(file, footer, group) {
                    let column = footer.fields[*root].data_type();
                    asked.push(Asked { row_group: (number, group), file, filter, column, values });
                }
            }
        }
        asked
    }
}

/// Where the filter of a column is, if it has one whose size is known.
fn filter_of(chunk: &ColumnChunkMetaData, size: u64) -> Option<(u64, u64)> {
    let start = u64::try_from(chunk.bloom_filter_offset()?).ok()?;
    let bytes = u64::try_from(chunk.bloom_filter_length()?).ok()?;
    (start.checked_add(bytes)? <= size).then_some((start, bytes))
}

impl Asked<'_> {
    fn is_outside(&self) -> Result<bool, Problem> {
        let (start, bytes) = self.filter;
        let bytes = self.file.place.part(start..start + bytes).map_err(|error| unreadable(&self.file.shown, &error))?;
        // One that nobody understands says nothing.
        Ok(Sbbf::from_bytes(&bytes).is_ok_and(|filter| !self.values.any_in(&filter, self.column)))
    }
}

impl ScanFile {
    /// Whether a row group has none of some values in a column.
    fn has_none_of(&self, (column, values): (usize, &KeyValues), footer: &Footer, group: usize) -> bool {
        let rows = || u64::try_from(footer.row_groups()[group].num_rows()).ok();
        match self.extremes(column, footer, group).and_then(|(least, greatest)| values.any_between(&least, &greatest)) {
            Some(has_some) => !has_some,
            // Null is no key.
            None => rows().is_some_and(|rows| self.without(column, footer, group, rows) == Some(rows)),
        }
    }
}

#[cfg(test)]
mod tests;
