//! Which type of PostgreSQL holds the values of a column.

use std::borrow::Cow;

use arrow::{
    array::ArrayRef,
    compute::cast,
    datatypes::{DataType, Field, FieldRef, TimeUnit},
    error::ArrowError,
};
use tokio_postgres::types::Type;

use crate::problem::{Kind, Problem};

/// PostgreSQL cuts names after this many bytes.
const LONGEST_NAME: usize = 63;

/// A column of the result, as a table has it.
pub(super) struct TableColumn {
    pub(super) name: String,
    pub(super) kind: ColumnKind,
    /// The Arrow column whose values are sent.
    pub(super) carrier: FieldRef,
}

/// Types of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnKind {
    Scalar(Scalar),
    /// Lists of single values.
    Array(Scalar),
    /// Whatever is nested deeper.
    Json,
}

/// Types of single values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    /// From texts.
    Uuid,
    /// From texts.
    Jsonb,
    Bytea,
    Date,
    Time,
    Timestamp,
    TimestampTz,
}

impl TableColumn {
    /// The column that holds the values of a field.
    ///
    /// # Errors
    /// When none does, or PostgreSQL cuts the name.
    pub(super) fn of(field: &Field) -> Result<Self, Problem> {
        let name = field.name();
        if name.len() > LONGEST_NAME || name.contains('\0') {
            return Err(Problem::new(
                Kind::Unsupported,
                format!("`{name}` cannot be the name of a column in PostgreSQL, whose names have {LONGEST_NAME} bytes"),
                None,
            ));
        }
        let Some((kind, carrier)) = kind(field.data_type()) else {
            return Err(Problem::new(
                Kind::Unsupported,
                format!("column `{name}` holds {} values, for which PostgreSQL has no type", field.data_type()),
                None,
            ));
        };
        Ok(Self { name: name.clone(), kind, carrier: Field::new(name, carrier, true).into() })
    }

    /// The same for a column that is there and has the type with this number: texts may be what it says.
    pub(super) fn in_column(self, oid: u32) -> Self {
        let scalar =
            [Scalar::Numeric, Scalar::Uuid, Scalar::Jsonb].into_iter().find(|kind| kind.types().0.oid() == oid);
        match (self.kind, scalar) {
            (ColumnKind::Scalar(Scalar::Text), Some(scalar)) => Self { kind: ColumnKind::Scalar(scalar), ..self },
            _ => self,
        }
    }

    /// The values in the type that is sent.
    pub(super) fn carried(&self, array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        match array.data_type() == self.carrier.data_type() {
            true => Ok(ArrayRef::clone(array)),
            false => cast(array, self.carrier.data_type()),
        }
    }
}

/// The type for values of an Arrow type, and the Arrow type in which they are sent.
fn kind(arrow: &DataType) -> Option<(ColumnKind, DataType)> {
    match arrow {
        DataType::Dictionary(_, values) => return kind(values),
        DataType::RunEndEncoded(_, values) => return kind(values.data_type()),
        DataType::List(element) | DataType::LargeList(element) | DataType::FixedSizeList(element, _) => {
            if let Some((scalar, carrier)) = scalar(element.data_type()) {
                let list = DataType::List(Field::new_list_field(carrier, true).into());
                return Some((ColumnKind::Array(scalar), list));
            }
        }
        _ => {}
    }
    if let Some((scalar, carrier)) = scalar(arrow) {
        return Some((ColumnKind::Scalar(scalar), carrier));
    }
    arrow.is_nested().then(|| (ColumnKind::Json, arrow.clone()))
}

fn scalar(arrow: &DataType) -> Option<(Scalar, DataType)> {
    Some(match arrow {
        DataType::Boolean => (Scalar::Bool, DataType::Boolean),
        DataType::Int8 | DataType::UInt8 | DataType::Int16 => (Scalar::Int2, DataType::Int16),
        DataType::UInt16 | DataType::Int32 => (Scalar::Int4, DataType::Int32),
        DataType::UInt32 | DataType::Int64 => (Scalar::Int8, DataType::Int64),
        DataType::Float16 | DataType::Float32 => (Scalar::Float4, DataType::Float32),
        DataType::Float64 => (Scalar::Float8, DataType::Float64),
        DataType::UInt64 => (Scalar::Numeric, DataType::Utf8),
        kind if kind.is_decimal() => (Scalar::Numeric, DataType::Utf8),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => (Scalar::Text, DataType::Utf8),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            (Scalar::Bytea, DataType::Binary)
        }
        DataType::Date32 | DataType::Date64 => (Scalar::Date, DataType::Date32),
        DataType::Time32(_) | DataType::Time64(_) => (Scalar::Time, DataType::Time64(TimeUnit::Microsecond)),
        DataType::Timestamp(_, None) => (Scalar::Timestamp, DataType::Timestamp(TimeUnit::Microsecond, None)),
        DataType::Timestamp(_, zone) => (Scalar::TimestampTz, DataType::Timestamp(TimeUnit::Microsecond, zone.clone())),
        _ => return None,
    })
}

impl ColumnKind {
    /// Its name in SQL.
    pub(super) fn sql(self) -> Cow<'static, str> {
        match self {
            Self::Scalar(scalar) => scalar.sql().into(),
            Self::Array(scalar) => format!("{}[]", scalar.sql()).into(),
            Self::Json => "jsonb".into(),
        }
    }

    /// Whether a column of the type with this number takes what is sent.
    pub(super) fn fits(self, oid: u32) -> bool {
        let is_one_of = |kinds: &[Type]| kinds.iter().any(|kind| kind.oid() == oid);
        match self {
            // These look the same on their way.
            Self::Scalar(Scalar::Text) => is_one_of(&[Type::TEXT, Type::VARCHAR, Type::BPCHAR, Type::JSON]),
            Self::Scalar(scalar) => is_one_of(&[scalar.types().0]),
            Self::Array(Scalar::Text) => is_one_of(&[Type::TEXT_ARRAY, Type::VARCHAR_ARRAY, Type::BPCHAR_ARRAY]),
            Self::Array(scalar) => is_one_of(&[scalar.types().1]),
            Self::Json => is_one_of(&[Type::JSONB]),
        }
    }
}

impl Scalar {
    fn sql(self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Int2 => "smallint",
            Self::Int4 => "integer",
            Self::Int8 => "bigint",
            Self::Float4 => "real",
            Self::Float8 => "double precision",
            Self::Numeric => "numeric",
            Self::Text => "text",
            Self::Uuid => "uuid",
            Self::Jsonb => "jsonb",
            Self::Bytea => "bytea",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::TimestampTz => "timestamptz",
        }
    }

    /// The type of single values, and that of arrays of them.
    pub(super) fn types(self) -> (Type, Type) {
        match self {
            Self::Bool => (Type::BOOL, Type::BOOL_ARRAY),
            Self::Int2 => (Type::INT2, Type::INT2_ARRAY),
            Self::Int4 => (Type::INT4, Type::INT4_ARRAY),
            Self::Int8 => (Type::INT8, Type::INT8_ARRAY),
            Self::Float4 => (Type::FLOAT4, Type::FLOAT4_ARRAY),
            Self::Float8 => (Type::FLOAT8, Type::FLOAT8_ARRAY),
            Self::Numeric => (Type::NUMERIC, Type::NUMERIC_ARRAY),
            Self::Text => (Type::TEXT, Type::TEXT_ARRAY),
            Self::Uuid => (Type::UUID, Type::UUID_ARRAY),
            Self::Jsonb => (Type::JSONB, Type::JSONB_ARRAY),
            Self::Bytea => (Type::BYTEA, Type::BYTEA_ARRAY),
            Self::Date => (Type::DATE, Type::DATE_ARRAY),
            Self::Time => (Type::TIME, Type::TIME_ARRAY),
            Self::Timestamp => (Type::TIMESTAMP, Type::TIMESTAMP_ARRAY),
            Self::TimestampTz => (Type::TIMESTAMPTZ, Type::TIMESTAMPTZ_ARRAY),
        }
    }
}
