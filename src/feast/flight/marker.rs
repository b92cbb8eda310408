//! The table that stands for none: every call brings one.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema},
    error::ArrowError,
};

/// The only column of a table that stands for none.
const KEY: &str = "key";

/// Whether a table with these columns stands for none.
pub fn is_empty_marker(schema: &Schema) -> bool {
    matches!(schema.fields().as_ref(), [only] if only.name() == KEY)
}

/// A table that stands for none.
///
/// # Errors
/// Never: its column has the length that it has.
pub fn marker() -> Result<RecordBatch, ArrowError> {
    let schema = Schema::new(vec![Field::new(KEY, DataType::Utf8, true)]);
    let column: ArrayRef = Arc::new(StringArray::from_iter_values(["-"]));
    RecordBatch::try_new(Arc::new(schema), vec![column])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_column_of_that_name_stands_for_no_table() {
        assert!(is_empty_marker(&marker().unwrap().schema()));
        let named = |names: &[&str]| {
            Schema::new(names.iter().map(|name| Field::new(*name, DataType::Int64, true)).collect::<Vec<_>>())
        };
        assert!(is_empty_marker(&named(&["key"])));
        for other in [&[][..], &["driver_id"], &["key", "event_timestamp"]] {
            assert!(!is_empty_marker(&named(other)), "{other:?}");
        }
    }
}
