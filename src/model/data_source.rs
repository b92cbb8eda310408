use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::Tags;

/// Where the rows of feature views come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DataSource {
    /// Unique among the sources of a project, ignoring case.
    pub name: String,
    pub kind: SourceKind,
    /// Column with the time at which a row's values became true; empty when not known yet.
    pub timestamp_field: String,
    /// Column with the time at which a row was written; breaks ties. Empty when there is none.
    pub created_timestamp_column: String,
    /// Column name in the source to name in feature views.
    pub field_mapping: BTreeMap<String, String>,
    pub description: String,
    pub owner: String,
    pub tags: Tags,
}

impl DataSource {
    /// The name under which views know a column of this source.
    pub fn mapped<'a>(&'a self, column: &'a str) -> &'a str {
        self.field_mapping.get(column).map_or(column, String::as_str)
    }

    /// The column of this source that views know as `name`.
    pub fn unmapped<'a>(&'a self, name: &'a str) -> &'a str {
        self.field_mapping.iter().find(|(_, mapped)| *mapped == name).map_or(name, |(column, _)| column)
    }
}

/// The kind of a source with what only that kind has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    File(FileSource),
    /// A source that YAML definitions cannot express yet; the text is its type in Feast.
    Foreign(String),
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(_) => f.write_str("file"),
            Self::Foreign(kind) => f.write_str(kind),
        }
    }
}

/// Files on disk: one file, a folder with hive partitions or a glob.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileSource {
    /// As declared: relative to the repo folder, or absolute.
    pub path: String,
    /// `None` when not declared, which reads as parquet.
    pub format: Option<FileFormat>,
    /// Endpoint of an S3-compatible store; empty when there is none.
    pub s3_endpoint_override: String,
}

/// How the files of a source are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    Parquet,
    Delta,
    Csv,
    Json,
}

impl FileFormat {
    /// Every format, in the order they are offered in messages.
    pub const ALL: [Self; 4] = [Self::Parquet, Self::Delta, Self::Csv, Self::Json];

    /// The word of the definitions format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Delta => "delta",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}
