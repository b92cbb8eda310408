//! Files with one JSON object per line.

use super::sql;
use crate::model::DataType;

/// A relation whose types DuckDB finds out from all rows; no time format matches, so times stay texts.
pub fn detected(paths: &str) -> String {
    format!(
        "read_json({paths}, format = 'newline_delimited', sample_size = -1, timestampformat = '%%', dateformat = '%%')"
    )
}

/// A relation with columns of given types, and no others.
pub fn declared<'a>(paths: &str, columns: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let columns: Vec<String> =
        columns.map(|(name, kind)| format!("{}: {}", sql::text(name), sql::text(kind))).collect();
    format!("read_json({paths}, format = 'newline_delimited', columns = {{{}}})", columns.join(", "))
}

/// The DuckDB type that keeps values of a declared type as they are written, in a column whose type
/// was found to be `detected`: that type would be a struct of the members of all rows, or a float for
/// large integers.
///
/// As texts, objects are JSON, and numbers have their digits; beyond those of a double only if they are
/// whole, because DuckDB reads fractions as doubles.
pub fn column_type(dtype: &DataType, detected: &str) -> String {
    let whole = matches!(detected, "BIGINT" | "UBIGINT" | "HUGEINT");
    match dtype {
        DataType::Bool => "BOOLEAN".to_owned(),
        DataType::Float32 | DataType::Float64 => "DOUBLE".to_owned(),
        DataType::Int32 | DataType::Int64 if whole || detected == "BOOLEAN" => detected.to_owned(),
        DataType::Int32 | DataType::Int64 if matches!(detected, "" | "\"NULL\"") => "BIGINT".to_owned(),
        // Integers beside fractions; as BIGINT these would be rounded.
        DataType::Int32 | DataType::Int64 => "DECIMAL(38, 6)".to_owned(),
        // Seconds, or texts.
        DataType::UnixTimestamp if whole => detected.to_owned(),
        DataType::UnixTimestamp | DataType::ZonedTimestamp => "TIMESTAMPTZ".to_owned(),
        DataType::Array(element) | DataType::Set(element) => {
            format!("{}[]", column_type(element, detected.strip_suffix("[]").unwrap_or_default()))
        }
        DataType::Struct(members) if detected != "VARCHAR" => {
            let member = |(name, dtype): &(String, DataType)| format!("{} {}", sql::name(name), column_type(dtype, ""));
            format!("STRUCT({})", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        _ => "VARCHAR".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_as_what_is_declared() {
        for (dtype, detected, expected) in [
            ("Json", "STRUCT(a BIGINT)", "VARCHAR"),
            ("Map", "MAP(VARCHAR, JSON)", "VARCHAR"),
            ("Array(Map)", "STRUCT(a BIGINT)[]", "VARCHAR[]"),
            ("Decimal", "JSON", "VARCHAR"),
            ("Uuid", "UUID", "VARCHAR"),
            ("Float32", "BIGINT", "DOUBLE"),
            ("Int64", "HUGEINT", "HUGEINT"),
            ("Int64", "DOUBLE", "DECIMAL(38, 6)"),
            ("Int32", "\"NULL\"", "BIGINT"),
            ("Array(Array(Int64))", "BIGINT[][]", "BIGINT[][]"),
            ("Array(Int64)", "DOUBLE[]", "DECIMAL(38, 6)[]"),
            ("UnixTimestamp", "BIGINT", "BIGINT"),
            ("Set(UnixTimestamp)", "VARCHAR[]", "TIMESTAMPTZ[]"),
            ("Struct(a: Int64)", "JSON", "STRUCT(\"a\" BIGINT)"),
            ("Struct(a: Int64)", "VARCHAR", "VARCHAR"),
        ] {
            assert_eq!(column_type(&dtype.parse().unwrap(), detected), expected, "{dtype} from {detected}");
        }
    }
}
