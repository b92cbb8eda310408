//! What is known of a file before its rows are read.

use std::sync::Arc;

use arrow::datatypes::Field;

use super::{batches::Batches, columns::Holds, parquet::Footer, text_files::TextFile};

/// What the beginning or the end of a file says about its columns.
#[derive(Debug, Clone)]
pub(super) enum Header {
    Batches(Batches),
    Parquet(Footer),
    Text(TextFile),
}

impl Header {
    /// Whether the file has no row.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Batches(batches) => batches.rows() == 0,
            Self::Parquet(footer) => footer.rows() == 0,
            Self::Text(text) => text.is_empty,
        }
    }

    /// The columns; a file may have one more than once.
    pub(super) fn columns(&self) -> Vec<(&str, Holds)> {
        let fields = match self {
            Self::Batches(batches) => &batches.fields,
            Self::Parquet(footer) => &footer.fields,
            Self::Text(text) => return text.columns(),
        };
        fields.iter().map(|field| (field.name().as_str(), typed(field))).collect()
    }
}

/// What a column of a file holds; its name there is that of the column.
fn typed(field: &Field) -> Holds {
    Holds::Typed(Arc::new(field.clone().with_name("").with_nullable(true)))
}
