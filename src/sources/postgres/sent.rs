//! Rows that are sent to the server, into a table that goes with the transaction.

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _},
    datatypes::{DataType as ArrowType, Int64Type, TimestampMicrosecondType},
};
use bytes::BufMut as _;

use crate::clients::postgres::{COPY_END, COPY_FLAGS, COPY_SIGNATURE, Connection, ORIGIN, PostgresError};

/// Rows for a temporary table of that name.
#[derive(Debug, Clone)]
pub(crate) struct SentRows {
    table: &'static str,
    /// Names and types of the columns.
    columns: String,
    bytes: Vec<u8>,
}

impl SentRows {
    /// Rows of columns with names: whole numbers, texts or moments, each of which has its
    /// [type](sent_type) on the server.
    pub(crate) fn new(table: &'static str, columns: &[(String, ArrayRef)]) -> Self {
        let declared = columns.iter().map(|(name, array)| format!("{name} {}", sent_type(array.data_type())));
        let declared = declared.collect::<Vec<_>>().join(", ");
        let mut bytes = Vec::new();
        bytes.put_slice(COPY_SIGNATURE);
        bytes.put_bytes(0, COPY_FLAGS);
        let rows = columns.first().map_or(0, |(_, array)| array.len());
        for row in 0..rows {
            bytes.put_i16(i16::try_from(columns.len()).unwrap_or(i16::MAX));
            for (_, array) in columns {
                put(&mut bytes, array, row);
            }
        }
        bytes.put_i16(COPY_END);
        Self { table, columns: declared, bytes }
    }

    /// Creates and fills the table.
    pub(super) async fn send(&self, mut connection: Connection) -> Result<Connection, PostgresError> {
        let Self { table, columns, bytes } = self;
        connection.batch_execute(&format!("CREATE TEMPORARY TABLE {table} ({columns}) ON COMMIT DROP")).await?;
        let mut copy = connection.copy_in(&format!("COPY {table} FROM STDIN (FORMAT binary)")).await?;
        copy.send(bytes.clone()).await?;
        let mut connection = copy.finish().await?;
        // So that the server knows how many there are.
        connection.batch_execute(&format!("ANALYZE {table}")).await?;
        Ok(connection)
    }
}

/// The type of a column on the server.
pub(crate) const fn sent_type(kind: &ArrowType) -> &'static str {
    match kind {
        ArrowType::Int64 => "int8",
        ArrowType::Timestamp(..) => "timestamptz",
        _ => "text",
    }
}

/// A value behind its length, which is -1 for null.
fn put(bytes: &mut Vec<u8>, array: &ArrayRef, row: usize) {
    const NULL: i32 = -1;
    if array.is_null(row) {
        return bytes.put_i32(NULL);
    }
    if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
        bytes.put_i32(8);
        bytes.put_i64(numbers.value(row));
    } else if let Some(moments) = array.as_primitive_opt::<TimestampMicrosecondType>() {
        bytes.put_i32(8);
        bytes.put_i64(since_2000(moments.value(row)));
    } else {
        match array.as_string_opt::<i32>().map(|texts| texts.value(row)) {
            // The server has no texts with such a character.
            Some(text) if !text.contains('\0') => {
                bytes.put_i32(i32::try_from(text.len()).unwrap_or(i32::MAX));
                bytes.put_slice(text.as_bytes());
            }
            _ => bytes.put_i32(NULL),
        }
    }
}

/// What the server counts; what is too far away for it is infinity.
fn since_2000(micros: i64) -> i64 {
    /// The year 4714 before ours.
    const FIRST: i64 = -211_813_488_000_000_000;
    match micros.checked_sub(ORIGIN) {
        Some(since) if since >= FIRST => since,
        _ => i64::MIN,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray, TimestampMicrosecondArray};

    use super::*;

    #[test]
    fn rows_are_a_binary_copy() {
        let moments = TimestampMicrosecondArray::from(vec![Some(ORIGIN + 1), Some(i64::MIN), None]);
        let columns: Vec<(String, ArrayRef)> = vec![
            ("n".to_owned(), Arc::new(Int64Array::from(vec![7, 8, 9]))),
            ("t".to_owned(), Arc::new(moments)),
            ("k".to_owned(), Arc::new(StringArray::from(vec!["a", "b\0", ""]))),
        ];
        let sent = SentRows::new("rows", &columns);
        assert_eq!(sent.columns, "n int8, t timestamptz, k text");
        let first: [&[u8]; 8] = [
            &3i16.to_be_bytes(),
            &8i32.to_be_bytes(),
            &7i64.to_be_bytes(),
            &8i32.to_be_bytes(),
            &1i64.to_be_bytes(),
            &1i32.to_be_bytes(),
            b"a",
            &3i16.to_be_bytes(),
        ];
        assert!(sent.bytes[COPY_SIGNATURE.len() + COPY_FLAGS..].starts_with(&first.concat()));
        assert!(sent.bytes.ends_with(&[0, 0, 0, 0, 0xff, 0xff]));
    }
}
