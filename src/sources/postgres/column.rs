//! What a column of PostgreSQL becomes: how its values are asked for, how they come, and as which Arrow type they are
//! read.

use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType as ArrowType, Field, TimeUnit};
use tokio_postgres::types::{Kind, Type};

use crate::{
    feast::values::encode::micros_in_utc,
    sources::{columns::Holds, parquet::uuid_field},
    sql_name::quoted,
};

/// A column of a table or query.
#[derive(Debug, Clone)]
pub(crate) struct TableColumn {
    pub name: String,
    /// How its values come.
    pub wire: Wire,
    /// What is behind the column's name where values are asked for, and before it.
    cast: Cast,
    /// What is said of the values where nobody declares a type.
    pub holds: Holds,
    /// The column's type on the server.
    pub kind: Type,
}

/// What a column is turned into on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cast {
    None,
    Text,
    Texts,
    Json,
}

/// The form in which values come over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wire {
    Bool,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Text,
    /// A text behind a number of its version.
    Jsonb,
    Bytes,
    Uuid,
    Date,
    /// Without a zone; they count as UTC.
    Timestamp,
    Timestamptz,
    /// With so many digits, and so many of them behind the point.
    Decimal(u8, i8),
    List(Box<Self>),
}

impl Wire {
    /// How values of a type come; `None` for types whose values come as texts that the server makes.
    fn of(kind: &Type, modifier: i32) -> Option<Self> {
        if let Kind::Array(element) = kind.kind() {
            return Self::of(element, modifier).map(|element| Self::List(Box::new(element)));
        }
        Some(match *kind {
            Type::BOOL => Self::Bool,
            Type::INT2 => Self::Int16,
            Type::INT4 => Self::Int32,
            Type::INT8 => Self::Int64,
            Type::FLOAT4 => Self::Float32,
            Type::FLOAT8 => Self::Float64,
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::JSON => Self::Text,
            Type::JSONB => Self::Jsonb,
            Type::BYTEA => Self::Bytes,
            Type::UUID => Self::Uuid,
            Type::DATE => Self::Date,
            Type::TIMESTAMP => Self::Timestamp,
            Type::TIMESTAMPTZ => Self::Timestamptz,
            Type::NUMERIC => digits(modifier).map(|(precision, scale)| Self::Decimal(precision, scale))?,
            _ => return None,
        })
    }

    /// The Arrow type of the values.
    pub(super) fn arrow(&self) -> ArrowType {
        match self {
            Self::Bool => ArrowType::Boolean,
            Self::Int16 => ArrowType::Int16,
            Self::Int32 => ArrowType::Int32,
            Self::Int64 => ArrowType::Int64,
            Self::Float32 => ArrowType::Float32,
            Self::Float64 => ArrowType::Float64,
            Self::Text | Self::Jsonb | Self::Uuid => ArrowType::Utf8,
            Self::Bytes => ArrowType::Binary,
            Self::Date => ArrowType::Date32,
            Self::Timestamp => ArrowType::Timestamp(TimeUnit::Microsecond, None),
            Self::Timestamptz => micros_in_utc(),
            Self::Decimal(precision, scale) => ArrowType::Decimal128(*precision, *scale),
            Self::List(element) => list_of(element.arrow()),
        }
    }
}

pub(super) fn list_of(element: ArrowType) -> ArrowType {
    ArrowType::List(Arc::new(Field::new_list_field(element, true)))
}

impl TableColumn {
    /// A column of a type, with what the server says besides of the type.
    pub(super) fn new(name: &str, kind: &Type, modifier: i32) -> Self {
        let (wire, cast) = match (Wire::of(kind, modifier), kind.kind()) {
            (Some(wire), _) => (wire, Cast::None),
            (None, Kind::Array(element)) if *element == Type::NUMERIC => (Wire::Text, Cast::Json),
            (None, Kind::Array(_)) => (Wire::List(Box::new(Wire::Text)), Cast::Texts),
            (None, _) => (Wire::Text, Cast::Text),
        };
        let holds = match cast {
            // Numbers with any number of digits: they are what the view says that they are.
            Cast::Json => Holds::Json(list_of(ArrowType::Float64)),
            Cast::Text if *kind == Type::NUMERIC => Holds::Json(ArrowType::Float64),
            _ if *kind == Type::UUID => Holds::Typed(Arc::new(uuid_field(ArrowType::Utf8))),
            _ => Holds::Typed(Arc::new(Field::new("", wire.arrow(), true))),
        };
        Self { name: name.to_owned(), wire, cast, holds, kind: kind.clone() }
    }

    /// The same where it was selected already, under another name.
    pub(crate) fn selected_as(&self, name: &str) -> Self {
        Self { name: name.to_owned(), cast: Cast::None, ..self.clone() }
    }

    /// What rows can be ordered by: bytes of texts, and other values as they are.
    pub(crate) fn ordered(&self) -> String {
        match &self.wire {
            Wire::Text if self.kind == Type::NUMERIC || self.cast == Cast::Json => self.quoted(),
            Wire::Text | Wire::Jsonb => format!("{}::text COLLATE \"C\"", self.quoted()),
            Wire::List(element) if matches!(element.as_ref(), Wire::Text | Wire::Jsonb) => {
                format!("{}::text[] COLLATE \"C\"", self.quoted())
            }
            _ => self.quoted(),
        }
    }

    /// The column in SQL.
    pub(crate) fn quoted(&self) -> String {
        format!("s.{}", quoted(&self.name))
    }

    /// What is selected to get its values.
    pub(crate) fn selected(&self) -> String {
        let column = self.quoted();
        match self.cast {
            Cast::None => column,
            Cast::Text => format!("{column}::text"),
            Cast::Texts => format!("{column}::text[]"),
            Cast::Json => format!("to_json({column})::text"),
        }
    }
}

/// Digits of a `numeric`, and those of them behind the point; `None` where any number of them may come, or more than
/// Arrow has.
fn digits(modifier: i32) -> Option<(u8, i8)> {
    let modifier = modifier.checked_sub(4).filter(|modifier| *modifier >= 0)?;
    let precision = u8::try_from(modifier >> 16).ok().filter(|precision| *precision <= DECIMAL128_MAX_PRECISION)?;
    // Eleven bits with a sign.
    let scale = i8::try_from(((modifier & 0x7ff) ^ 0x400) - 0x400).ok()?;
    (scale >= 0 && i16::from(scale) <= i16::from(precision)).then_some((precision, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the server says of `numeric(precision, scale)`.
    fn modifier(precision: i32, scale: i32) -> i32 {
        ((precision << 16) | (scale & 0x7ff)) + 4
    }

    #[test]
    fn numbers_with_digits_are_decimals_and_others_what_is_asked_for() {
        assert_eq!(digits(modifier(10, 2)), Some((10, 2)));
        assert_eq!(digits(modifier(38, 0)), Some((38, 0)));
        for any in [-1, modifier(39, 2), modifier(3, -2), modifier(2, 5)] {
            assert_eq!(digits(any), None);
        }
        let column = TableColumn::new("a\"b", &Type::NUMERIC, -1);
        assert_eq!(column.selected(), "s.\"a\"\"b\"::text");
        assert_eq!(column.holds, Holds::Json(ArrowType::Float64));
        let column = TableColumn::new("n", &Type::NUMERIC_ARRAY, modifier(5, 1));
        assert_eq!((column.selected(), column.wire.arrow()), ("s.\"n\"".into(), list_of(ArrowType::Decimal128(5, 1))));
    }

    #[test]
    fn what_has_no_type_of_its_own_comes_as_text() {
        for (kind, selected) in [
            (Type::INTERVAL, "s.\"x\"::text"),
            (Type::INET_ARRAY, "s.\"x\"::text[]"),
            (Type::NUMERIC_ARRAY, "to_json(s.\"x\")::text"),
        ] {
            assert_eq!(TableColumn::new("x", &kind, -1).selected(), selected);
        }
    }
}
