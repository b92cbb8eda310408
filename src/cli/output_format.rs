//! How results are written: the formats of files, and a table for the screen.

use std::path::Path;

use arrow::{
    array::RecordBatch,
    datatypes::SchemaRef,
    error::ArrowError,
    util::display::{ArrayFormatter, FormatOptions},
};

use crate::{
    sink::{Format, FormatWriter, ParquetOptions, RowSink, SinkError, Target},
    ui::Table,
};

/// Rows that a table shows at most.
const TABLE_ROWS: usize = 100;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OutputFormat {
    /// Apache Parquet
    Parquet,
    /// With a heading
    Csv,
    /// One JSON object per line; floats that are not numbers are "NaN", "Infinity" and "-Infinity"
    Jsonl,
    /// Arrow IPC stream
    Arrow,
    /// For the screen: the first rows in columns
    Table,
}

impl OutputFormat {
    /// The format that a file's ending stands for.
    pub(crate) fn from_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "parquet" | "pq" => Some(Self::Parquet),
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" | "json" => Some(Self::Jsonl),
            "arrow" | "arrows" | "ipc" => Some(Self::Arrow),
            "txt" => Some(Self::Table),
            _ => None,
        }
    }

    /// The format of files; `None` for what is drawn for the screen.
    pub(crate) fn of_files(self, parquet: ParquetOptions) -> Option<Format> {
        match self {
            Self::Parquet => Some(Format::Parquet(parquet)),
            Self::Csv => Some(Format::Csv),
            Self::Jsonl => Some(Format::Jsonl),
            Self::Arrow => Some(Format::Arrow),
            Self::Table => None,
        }
    }

    /// Writes rows in this format.
    pub(crate) fn sink(self, target: Target, parquet: ParquetOptions) -> RowSink {
        match self.of_files(parquet) {
            Some(format) => RowSink::file(format, target),
            None => RowSink::written_by(Box::new(TableWriter::open), target),
        }
    }

    /// How many of these rows are not shown.
    pub(crate) fn left_out(self, rows: usize) -> usize {
        if self == Self::Table { rows.saturating_sub(TABLE_ROWS) } else { 0 }
    }
}

/// Draws the first rows.
struct TableWriter {
    table: Table,
    target: Target,
    /// How many more there is room for.
    room: usize,
}

impl TableWriter {
    fn open(target: Target, schema: &SchemaRef) -> Result<Box<dyn FormatWriter>, SinkError> {
        let table = Table::new(schema.fields().iter().map(|field| field.name().as_str()));
        Ok(Box::new(Self { table, target, room: TABLE_ROWS }))
    }
}

impl FormatWriter for TableWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        let shown = batch.slice(0, self.room.min(batch.num_rows()));
        self.room -= shown.num_rows();
        let options = FormatOptions::default().with_null("-");
        let columns = shown.columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
        let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
        for row in 0..shown.num_rows() {
            self.table.row(columns.iter().map(|column| column.value(row).to_string()));
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Target, SinkError> {
        std::io::Write::write_fmt(&mut self.target, format_args!("{}", self.table))?;
        Ok(self.target)
    }
}
