//! Pieces of SQL. Names and texts are always quoted here.

use crate::model::DataType;

/// A name that can be anything.
pub fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A text literal.
pub fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The DuckDB type that join keys of a declared type are compared as.
pub fn key_type(dtype: &DataType) -> &'static str {
    match dtype {
        DataType::Int32 => "INTEGER",
        DataType::Int64 => "BIGINT",
        DataType::Bytes => "BLOB",
        DataType::UnixTimestamp => "TIMESTAMP",
        _ => "VARCHAR",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn hostile_names_stay_names() {
        assert_eq!(super::name(r#"a"; DROP TABLE x; --"#), r#""a""; DROP TABLE x; --""#);
        assert_eq!(super::text("it's"), "'it''s'");
    }
}
