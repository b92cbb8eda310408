//! Values of rows: what they are in Python, and the SQL that makes them.

use super::{
    condition::Condition,
    sql::{Level, Sql},
};
use crate::model::DataType;

/// Which of Python's ways of computing is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// Columns of pandas: integers of 64 bits, missing numbers are NaN.
    Column,
    /// One value after the other, as Python itself computes: what is missing is `None`.
    Element,
    /// The same with the values of a column, in which missing numbers are NaN.
    Applied,
}

/// A value of each row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Term {
    /// The same value in every row.
    Literal(Literal),
    /// A number that may be missing.
    Number(Number),
    /// A text that may be missing.
    Text(Sql),
    /// True, false or missing.
    Flag(Sql),
    /// True or false.
    Condition(Condition),
}

/// A value that is written in the source.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Integer(i64),
    Float(f64),
    Text(String),
    Bool(bool),
    /// `None`, or the NaN that stands for a missing number.
    Missing,
}

/// A number of each row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number {
    pub sql: Sql,
    pub kind: Kind,
    /// What it may be besides an ordinary number. A NaN among the inputs is a missing value.
    pub may_be: MayBe,
    /// Whether it is so short that it may be written twice.
    pub is_column: bool,
}

/// The types of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An integer that SQL has in 32 bits.
    Narrow,
    /// An integer of 64 bits.
    Integer,
    /// A float of 32 bits.
    Single,
    /// A float of 64 bits.
    Double,
}

/// Values that need care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MayBe {
    pub nan: bool,
    pub infinite: bool,
    pub zero: bool,
}

impl Rules {
    /// Whether values are computed one after the other.
    pub(super) fn is_element(self) -> bool {
        self != Self::Column
    }
}

impl Kind {
    pub(super) fn is_integer(self) -> bool {
        matches!(self, Self::Narrow | Self::Integer)
    }
}

impl Number {
    pub(super) fn new(sql: Sql, kind: Kind, may_be: MayBe) -> Self {
        Self { sql, kind, may_be, is_column: false }
    }

    /// As a float of 64 bits.
    pub(super) fn double(&self) -> Self {
        match self.kind {
            Kind::Double => self.clone(),
            _ => Self::new(self.sql.cast("DOUBLE"), Kind::Double, self.may_be),
        }
    }

    /// As an integer of 64 bits.
    pub(super) fn wide(&self) -> Self {
        match self.kind {
            Kind::Narrow => Self::new(self.sql.cast("BIGINT"), Kind::Integer, self.may_be),
            _ => self.clone(),
        }
    }

    /// With NULL for NaN, which SQL takes for the greatest number.
    pub(super) fn without_nan(&self) -> Self {
        if !self.may_be.nan {
            return self.clone();
        }
        let sql = Sql::call("NULLIF", &[&self.sql, &Sql::atom("CAST('NaN' AS DOUBLE)")]);
        Self { sql, may_be: MayBe { nan: false, ..self.may_be }, is_column: false, ..*self }
    }
}

impl Term {
    /// An input of a declared type, by its name in SQL; `None` for types that are not translated.
    pub(super) fn input(name: Sql, dtype: &DataType, rules: Rules) -> Option<Self> {
        let number = |kind, infinite| {
            let may_be = MayBe { nan: false, infinite, zero: true };
            Self::Number(Number { is_column: true, ..Number::new(name.clone(), kind, may_be) })
        };
        Some(match dtype {
            DataType::Int32 => number(Kind::Narrow, false),
            DataType::Int64 => number(Kind::Integer, false),
            DataType::Float64 => number(Kind::Double, true),
            // Python's own floats have 64 bits.
            DataType::Float32 => match number(Kind::Single, true) {
                Self::Number(single) if rules.is_element() => {
                    Self::Number(Number { is_column: true, ..single.double() })
                }
                single => single,
            },
            DataType::String => Self::Text(name),
            DataType::Bool => Self::Flag(name),
            _ => return None,
        })
    }

    /// How long its SQL is about, in bytes.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Literal(_) => 0,
            Self::Number(Number { sql, .. }) | Self::Text(sql) | Self::Flag(sql) => sql.text.len(),
            Self::Condition(condition) => condition.length(),
        }
    }

    /// The SQL of a text.
    pub(super) fn text(&self) -> Option<Sql> {
        match self {
            Self::Text(sql) => Some(sql.clone()),
            Self::Literal(literal @ Literal::Text(_)) => Some(literal.sql()),
            _ => None,
        }
    }

    /// What Python calls its type, for messages.
    pub(super) fn described(&self) -> &'static str {
        match self {
            Self::Literal(Literal::Integer(_)) => "an integer",
            Self::Literal(Literal::Float(_)) => "a float",
            Self::Literal(Literal::Text(_)) | Self::Text(_) => "a text",
            Self::Literal(Literal::Bool(_)) | Self::Flag(_) | Self::Condition(_) => "a boolean",
            Self::Literal(Literal::Missing) => "a missing value",
            Self::Number(number) if number.kind.is_integer() => "an integer",
            Self::Number(_) => "a float",
        }
    }
}

impl Literal {
    /// What it may be, as a number.
    pub(super) fn may_be(&self) -> MayBe {
        let value = match self {
            Self::Integer(value) => *value as f64,
            Self::Float(value) => *value,
            _ => 0.0,
        };
        MayBe { nan: value.is_nan(), infinite: value.is_infinite(), zero: value == 0.0 }
    }

    /// Beside an operand that is an integer, or a float of 64 bits: SQL makes the literal one, too.
    pub(super) fn sql(&self) -> Sql {
        match self {
            Self::Integer(value) => signed(value.to_string(), *value < 0),
            Self::Float(value) => float(*value),
            Self::Text(text) => Sql::atom(format!("'{}'", text.replace('\'', "''"))),
            Self::Bool(value) => Sql::atom(if *value { "TRUE" } else { "FALSE" }),
            Self::Missing => Sql::atom("NULL"),
        }
    }

    /// Of the type itself, whatever stands beside it.
    pub(super) fn typed(&self) -> Sql {
        match self {
            Self::Float(value) if value.is_finite() => self.sql().cast("DOUBLE"),
            Self::Missing => self.sql().cast("DOUBLE"),
            _ => self.sql(),
        }
    }

    /// Beside a float of 32 bits, to which Python rounds it; `None` if it does not fit.
    pub(super) fn single(&self) -> Option<Sql> {
        let value = match self {
            Self::Integer(value) => *value as f64,
            Self::Float(value) => *value,
            _ => return None,
        };
        if self.is_single() {
            return Some(self.sql());
        }
        let plain = format!("{value:?}");
        // SQL reads a short decimal as Python does; any other is a float of 64 bits first, as in Python.
        let is_short = plain.len() < 9 && plain.parse() == Ok(value as f32);
        let text = if is_short { plain } else { format!("{value:e}") };
        (value as f32).is_finite().then(|| Sql::atom(format!("CAST({text} AS FLOAT)")))
    }

    /// Whether a float of 32 bits has exactly this value, in few digits.
    pub(super) fn is_single(&self) -> bool {
        match self {
            Self::Integer(value) => value.unsigned_abs() <= 1 << 24,
            Self::Float(value) => f64::from(*value as f32) == *value && format!("{value}").len() < 9,
            _ => false,
        }
    }

    /// The integer that a float is, if both compare alike with every integer.
    pub(super) fn integer(&self) -> Option<i64> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self {
            Self::Integer(value) => Some(*value),
            Self::Float(value) if value.fract() == 0.0 && value.abs() < EXACT => Some(*value as i64),
            _ => None,
        }
    }

    /// Whether it is a number.
    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Integer(_) | Self::Float(_))
    }
}

fn signed(text: String, is_negative: bool) -> Sql {
    match (is_negative, text.strip_prefix('-')) {
        (true, Some(digits)) => Sql::atom(digits).unary("-", Level::Sign),
        _ => Sql::atom(text),
    }
}

/// A float as SQL reads it back exactly: decimals of more digits than a float has would be read as another number.
fn float(value: f64) -> Sql {
    const DIGITS: usize = 15;
    if value.is_nan() {
        return Sql::atom("CAST('NaN' AS DOUBLE)");
    }
    if value.is_infinite() {
        return Sql::atom(format!("CAST('{}' AS DOUBLE)", if value > 0.0 { "Infinity" } else { "-Infinity" }));
    }
    let plain = format!("{value:?}");
    let digits = plain.chars().filter(char::is_ascii_digit).count();
    let text = if digits <= DIGITS && !plain.contains('e') { plain } else { format!("{value:e}") };
    signed(text, value.is_sign_negative())
}
