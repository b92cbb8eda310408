//! What footers of files and servers say of times, so that nobody needs to read them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array};

use super::{
    parquet::Footer,
    scan::{FileColumn, FileContent, Scan, ScanFile},
    unify::is_text,
};
use crate::problem::Problem;

/// What files say of a column of times, in its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SaidTimes {
    /// No time is before the first or after the second one; `None` where there are no times.
    pub bounds: Option<(i64, i64)>,
    /// Rows without a time.
    pub without: u64,
}

impl Scan {
    /// What footers of files, or a server, say of a column of times; `None` where they do not say it of all rows.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn said_of_times(&self, column: usize) -> Result<Option<SaidTimes>, Problem> {
        if let [ScanFile { content: FileContent::Postgres { table, roots }, columns, .. }] = self.files.as_slice()
            && let FileColumn::Read(position, _) = &columns[column]
        {
            let ticks = self.ticks(column);
            let of_micros = |(first, last)| (ticks.of_micros(first), ticks.of_micros(last));
            let said = table.times(roots[*position])?;
            return Ok(said.map(|said| SaidTimes { bounds: said.bounds.map(of_micros), without: said.without }));
        }
        Ok(self.said_by_footers(column))
    }

    fn said_by_footers(&self, column: usize) -> Option<SaidTimes> {
        let mut said = SaidTimes::default();
        for file in &self.files {
            let FileContent::Parquet { footer, .. } = &file.content else { return None };
            if !file.deleted.is_empty() {
                return None;
            }
            for group in 0..footer.row_groups().len() {
                let rows = u64::try_from(footer.row_groups()[group].num_rows()).ok()?;
                let without = file.without(column, footer, group, rows)?;
                said.without += without;
                if without < rows {
                    let (first, last) = file.bounds(column, footer, group)?;
                    let known = said.bounds.unwrap_or((first, last));
                    said.bounds = Some((known.0.min(first), known.1.max(last)));
                }
            }
        }
        Some(said)
    }
}

impl ScanFile {
    /// First and last time of a column in a row group; `None` where the file does not say.
    pub(super) fn bounds(&self, column: usize, footer: &Footer, group: usize) -> Option<(i64, i64)> {
        let (least, greatest) = self.extremes(column, footer, group)?;
        let value = |array: &ArrayRef| {
            let array = array.as_any().downcast_ref::<Int64Array>()?;
            (array.len() == 1 && array.is_valid(0)).then(|| array.value(0))
        };
        Some((value(&least)?, value(&greatest)?))
    }

    /// The least and the greatest value of a column in a row group as they are read, arrays of one; `None` where the file
    /// does not say. A value that does not fit is null.
    pub(super) fn extremes(&self, column: usize, footer: &Footer, group: usize) -> Option<(ArrayRef, ArrayRef)> {
        match &self.columns[column] {
            FileColumn::Missing => None,
            FileColumn::Folder(value) => Some((Arc::clone(value), Arc::clone(value))),
            FileColumn::Read(position, converter) => {
                let FileContent::Parquet { roots, reading, .. } = &self.content else { return None };
                let (least, greatest) = footer.bounds(reading.schema(), *roots.get(*position)?, group)?;
                let were_texts = is_text(least.data_type());
                let [least, greatest] =
                    [converter.convert(&least).ok()?.array, converter.convert(&greatest).ok()?.array];
                // Texts are not ordered as the times that they are.
                (were_texts == is_text(least.data_type())).then_some((least, greatest))
            }
        }
    }

    /// How many rows of a row group have no value in a column; `None` where the file does not say.
    pub(super) fn without(&self, column: usize, footer: &Footer, group: usize, rows: u64) -> Option<u64> {
        match &self.columns[column] {
            FileColumn::Missing => Some(rows),
            FileColumn::Folder(value) => Some(if value.is_null(0) { rows } else { 0 }),
            FileColumn::Read(position, _) => {
                let FileContent::Parquet { roots, reading, .. } = &self.content else { return None };
                footer.nulls(reading.schema(), *roots.get(*position)?, group)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use arrow::{
        array::{Int32Array, RecordBatch, TimestampMillisecondArray},
        datatypes::{DataType, Field, Schema, TimeUnit},
    };
    use parquet::{
        arrow::ArrowWriter,
        file::properties::{EnabledStatistics, WriterProperties},
    };

    use super::*;
    use crate::sources::{Format, OpenSource, Role, Wanted};

    fn said(times: &[Option<i64>], statistics: EnabledStatistics) -> Option<SaidTimes> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.parquet");
        let schema = Arc::new(Schema::new(vec![
            Field::new("at", DataType::Timestamp(TimeUnit::Millisecond, None), true),
            Field::new("x", DataType::Int32, true),
        ]));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(TimestampMillisecondArray::from(times.to_vec())),
            Arc::new(Int32Array::from(vec![1; times.len()])),
        ];
        let properties =
            WriterProperties::builder().set_max_row_group_row_count(Some(2)).set_statistics_enabled(statistics).build();
        let mut writer =
            ArrowWriter::try_new(File::create(&path).unwrap(), Arc::clone(&schema), Some(properties)).unwrap();
        writer.write(&RecordBatch::try_new(schema, columns).unwrap()).unwrap();
        writer.close().unwrap();
        let source = OpenSource::file(&path, Format::Parquet, "rows.parquet").unwrap();
        let wanted = Wanted { column: "at".to_owned(), role: Role::Time, null_if_unfit: false };
        source.scan(vec![wanted]).unwrap().said_of_times(0).unwrap()
    }

    #[test]
    fn footers_say_of_which_time_all_rows_are() {
        let all = said(&[Some(5), None, None, None, Some(7), Some(3)], EnabledStatistics::Chunk).unwrap();
        assert_eq!(all.without, 3);
        let (first, last) = all.bounds.unwrap();
        // In what the scan counts, whichever that is.
        assert_eq!(last - first, 4 * (first / 3));
        let none = said(&[None, None, None], EnabledStatistics::Chunk);
        assert_eq!(none, Some(SaidTimes { bounds: None, without: 3 }));
        assert_eq!(said(&[], EnabledStatistics::Chunk), Some(SaidTimes::default()));
        assert_eq!(said(&[Some(1)], EnabledStatistics::None), None);
    }
}
