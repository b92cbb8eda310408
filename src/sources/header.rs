//! What is known of a file before its rows are read.

use std::sync::Arc;

use arrow::datatypes::{Field, Fields};

use super::{batches::Batches, columns::Holds, parquet::Footer, postgres::Table, text_files::TextFile};

/// What the beginning or the end of a file says about its columns.
#[derive(Debug, Clone)]
pub(super) enum Header {
    Batches(Batches),
    Parquet(Footer),
    /// What is left of a footer when only columns are looked at: of many files the rest is much.
    Columns {
        fields: Fields,
        rows: u64,
    },
    Text(TextFile),
    Postgres(Arc<Table>),
}

impl Header {
    /// Whether the file has no row.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Batches(batches) => batches.rows() == 0,
            Self::Parquet(footer) => footer.rows() == 0,
            Self::Columns { rows, .. } => *rows == 0,
            Self::Text(text) => text.is_empty,
            // Nobody has looked.
            Self::Postgres(_) => false,
        }
    }

    /// The columns; a file may have one more than once.
    pub(super) fn columns(&self) -> Vec<(&str, Holds)> {
        let fields = match self {
            Self::Batches(batches) => &batches.fields,
            Self::Parquet(footer) => &footer.fields,
            Self::Columns { fields, .. } => fields,
            Self::Text(text) => return text.columns(),
            Self::Postgres(table) => return table.columns().map(|(name, holds)| (name, holds.clone())).collect(),
        };
        fields.iter().map(|field| (field.name().as_str(), typed(field))).collect()
    }

    /// Keeps of a footer only what is asked again of files whose columns are looked at.
    pub(super) fn without_row_groups(self) -> Self {
        match self {
            Self::Parquet(footer) => Self::Columns { rows: footer.rows(), fields: footer.fields },
            other => other,
        }
    }
}

/// What a column of a file holds; its name there is that of the column.
pub(super) fn typed(field: &Field) -> Holds {
    Holds::Typed(Arc::new(field.clone().with_name("").with_nullable(true)))
}
