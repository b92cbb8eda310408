//! Values of key columns, to be looked for on the server.

use tokio_postgres::types::Type;

use super::column::TableColumn;
use crate::sources::key_values::KeyValues;

impl KeyValues {
    /// That a column has one of the values; `None` where the server would compare otherwise than we do.
    pub(super) fn condition(&self, column: &TableColumn) -> Option<String> {
        let (kind, values): (&str, Vec<String>) = match (self, &column.kind) {
            (Self::Numbers(numbers), &Type::INT2 | &Type::INT4 | &Type::INT8) => {
                ("int8", numbers.iter().map(ToString::to_string).collect())
            }
            (Self::Texts(texts), &Type::TEXT | &Type::VARCHAR) => {
                // The server has no texts with such a character.
                ("text", texts.iter().filter(|text| !text.contains('\0')).map(|text| quoted(text)).collect())
            }
            (Self::Texts(texts), &Type::UUID) => {
                let is_uuid = |text: &&String| uuid::Uuid::parse_str(text).is_ok_and(|uuid| uuid.to_string() == **text);
                let known = texts.iter().filter(is_uuid);
                ("uuid", known.map(|text| quoted(text)).collect())
            }
            _ => return None,
        };
        Some(format!("{} = ANY (ARRAY[{}]::{kind}[])", column.quoted(), values.join(",")))
    }
}

/// A text in SQL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    fn condition(values: &ArrayRef, kind: &Type) -> Option<String> {
        KeyValues::of(values)?.condition(&TableColumn::new("k", kind, -1))
    }

    #[test]
    fn values_are_compared_where_the_server_does_it_as_we_do() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(2), None, Some(1), Some(2)]));
        assert_eq!(condition(&numbers, &Type::INT4).unwrap(), "s.\"k\" = ANY (ARRAY[1,2]::int8[])");
        assert_eq!(condition(&numbers, &Type::NUMERIC), None);
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["o'r\\n", "a\0"]));
        assert_eq!(condition(&texts, &Type::TEXT).unwrap(), "s.\"k\" = ANY (ARRAY['o''r\\n']::text[])");
        // Blanks at the end are none to the server.
        assert_eq!(condition(&texts, &Type::BPCHAR), None);
        assert_eq!(condition(&texts, &Type::UUID).unwrap(), "s.\"k\" = ANY (ARRAY[]::uuid[])");
        let none: ArrayRef = Arc::new(Int64Array::from(Vec::<i64>::new()));
        assert_eq!(condition(&none, &Type::INT8).unwrap(), "s.\"k\" = ANY (ARRAY[]::int8[])");
    }
}
