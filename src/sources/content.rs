//! The order of rows by what they hold, which decides between rows that are else alike.

use arrow::{
    array::ArrayRef,
    datatypes::DataType as ArrowType,
    error::ArrowError,
    row::{RowConverter, Rows, SortField},
};

/// Orders rows by their values, the first column deciding first and null being less than every value.
#[derive(Debug, Default)]
pub struct ContentOrder {
    /// For columns of these types, which are those of the last rows.
    known: Option<(Vec<ArrowType>, RowConverter)>,
}

impl ContentOrder {
    /// Rows as bytes that compare like their values.
    ///
    /// # Errors
    /// When a column is of a type whose values have no order.
    pub fn rows(&mut self, columns: &[ArrayRef]) -> Result<Rows, ArrowError> {
        let kinds: Vec<ArrowType> = columns.iter().map(|column| column.data_type().clone()).collect();
        let order = match &mut self.known {
            Some((known, order)) if *known == kinds => order,
            known => {
                let fields = kinds.iter().map(|kind| SortField::new(kind.clone())).collect();
                &mut known.insert((kinds, RowConverter::new(fields)?)).1
            }
        };
        order.convert_columns(columns)
    }
}
