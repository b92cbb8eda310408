//! Values of key columns, to be looked for on the server.

use arrow::{
    array::{ArrayRef, AsArray as _},
    datatypes::{Int32Type, Int64Type},
};
use tokio_postgres::types::Type;

use super::column::TableColumn;

/// The most values that are sent; more are not fewer rows.
const MOST: usize = 50_000;

/// Values of a key, as they are read: whole numbers or texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sources) enum KeyValues {
    Numbers(Vec<i64>),
    Texts(Vec<String>),
}

impl KeyValues {
    /// The different values of an array but null; `None` where they are too many, or of another kind.
    pub(in crate::sources) fn of(array: &ArrayRef) -> Option<Self> {
        if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
            return distinct(numbers.iter().flatten()).map(Self::Numbers);
        }
        if let Some(numbers) = array.as_primitive_opt::<Int32Type>() {
            return distinct(numbers.iter().flatten().map(i64::from)).map(Self::Numbers);
        }
        let texts = array.as_string_opt::<i32>()?;
        distinct(texts.iter().flatten().map(str::to_owned)).map(Self::Texts)
    }

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

fn distinct<T: Ord>(values: impl Iterator<Item = T>) -> Option<Vec<T>> {
    let mut known = std::collections::BTreeSet::new();
    for value in values {
        if known.insert(value) && known.len() > MOST {
            return None;
        }
    }
    Some(known.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};

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
        let many: ArrayRef = Arc::new(Int64Array::from_iter_values(0..60_000));
        assert_eq!(condition(&many, &Type::INT8), None);
    }
}
