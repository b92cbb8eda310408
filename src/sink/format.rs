use std::path::Path;

use clap::ValueEnum;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
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
    pub fn from_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "parquet" | "pq" => Some(Self::Parquet),
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" | "json" => Some(Self::Jsonl),
            "arrow" | "arrows" | "ipc" => Some(Self::Arrow),
            "txt" => Some(Self::Table),
            _ => None,
        }
    }
}
