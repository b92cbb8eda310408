/// What a look at a source's files shows: its columns and how much there is.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSchema {
    /// In file order; partition columns of folders come last.
    pub columns: Vec<SourceColumn>,
    /// Number of rows; `None` where counting would mean reading everything.
    pub rows: Option<u64>,
}

impl SourceSchema {
    pub fn column(&self, name: &str) -> Option<&SourceColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A column as the files have it, before any field mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceColumn {
    pub name: String,
    pub arrow: arrow::datatypes::DataType,
}

/// Why a source cannot be looked at or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SourceProblem {
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl SourceProblem {
    pub fn new(message: impl Into<String>, help: impl Into<Option<String>>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}
