//! What types and names are in SQL.

use crate::{model::DataType, sql_name::quoted};

/// How DuckDB's SQL calls a type; `None` for types whose values expressions cannot work with.
pub fn sql_type(dtype: &DataType) -> Option<String> {
    let name = match dtype {
        DataType::Bool => "BOOLEAN",
        DataType::Int32 => "INTEGER",
        DataType::Int64 => "BIGINT",
        DataType::Float32 => "FLOAT",
        DataType::Float64 => "DOUBLE",
        DataType::String | DataType::Json | DataType::Uuid | DataType::TimeUuid => "VARCHAR",
        DataType::Bytes | DataType::PdfBytes | DataType::ImageBytes => "BLOB",
        DataType::UnixTimestamp => "TIMESTAMP",
        DataType::Array(element) | DataType::Set(element) => return Some(format!("{}[]", sql_type(element)?)),
        DataType::Struct(members) => {
            let members: Option<Vec<_>> =
                members.iter().map(|(name, dtype)| Some(format!("{} {}", quoted(name), sql_type(dtype)?))).collect();
            return Some(format!("STRUCT({})", members?.join(", ")));
        }
        DataType::Decimal | DataType::Map | DataType::ScalarMap | DataType::ZonedTimestamp | DataType::Unknown(_) => {
            return None;
        }
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_sql() {
        for (dtype, sql) in [
            ("Array(Int32)", Some("INTEGER[]")),
            ("Struct(a: Int64, b: Array(String))", Some("STRUCT(\"a\" BIGINT, \"b\" VARCHAR[])")),
            ("UnixTimestamp", Some("TIMESTAMP")),
            ("Set(Bool)", Some("BOOLEAN[]")),
            ("Map", None),
            ("Array(Decimal)", None),
        ] {
            assert_eq!(sql_type(&dtype.parse().unwrap()).as_deref(), sql, "{dtype}");
        }
    }
}
