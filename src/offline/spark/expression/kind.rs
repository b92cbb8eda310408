//! Kinds of values that are alike in DuckDB and in clusters.

use crate::{expression::sql_type, model::DataType};

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::offline::spark) enum Kind {
    /// Null, of no type yet.
    Null,
    Bool,
    /// Of 32 bits.
    Int,
    /// Of 64 bits.
    Long,
    /// Digits with a point that stand in the expression. DuckDB computes with them exactly where no number with a floating
    /// point is near.
    Decimal,
    Float,
    Double,
    Text,
    /// A moment in microseconds.
    Time,
}

impl Kind {
    /// The kind that values of a declared type are computed as; `None` if they are not.
    pub(in crate::offline::spark) fn of(dtype: &DataType) -> Option<Self> {
        Some(match sql_type(dtype)?.as_str() {
            "BOOLEAN" => Self::Bool,
            "INTEGER" => Self::Int,
            "BIGINT" => Self::Long,
            "FLOAT" => Self::Float,
            "DOUBLE" => Self::Double,
            "VARCHAR" => Self::Text,
            "TIMESTAMP" => Self::Time,
            _ => return None,
        })
    }

    /// What Spark's SQL calls it.
    pub(in crate::offline::spark) const fn sql(self) -> &'static str {
        match self {
            Self::Null => "VOID",
            Self::Bool => "BOOLEAN",
            Self::Int => "INT",
            Self::Long => "BIGINT",
            Self::Decimal => "DECIMAL",
            Self::Float => "FLOAT",
            Self::Double => "DOUBLE",
            Self::Text => "STRING",
            Self::Time => "TIMESTAMP",
        }
    }

    pub(super) const fn is_whole(self) -> bool {
        matches!(self, Self::Int | Self::Long)
    }

    pub(super) const fn is_float(self) -> bool {
        matches!(self, Self::Float | Self::Double)
    }

    pub(super) const fn is_number(self) -> bool {
        self.is_whole() || self.is_float()
    }

    /// The kind as which values of two kinds meet in DuckDB; `None` if they do not, or as something that is not alike.
    pub(super) fn common(self, other: Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Null, kind) | (kind, Self::Null) => kind,
            (one, same) if one == same => one,
            (Self::Int, Self::Long) | (Self::Long, Self::Int) => Self::Long,
            (Self::Double, number) | (number, Self::Double) if number.is_number() || number == Self::Decimal => {
                Self::Double
            }
            (Self::Float, number) | (number, Self::Float) if number.is_number() || number == Self::Decimal => {
                Self::Float
            }
            _ => return None,
        })
    }
}
