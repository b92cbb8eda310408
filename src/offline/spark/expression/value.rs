//! Values in statements.

use super::{Kind, Refused};
use crate::offline::spark::sql::text;

/// A value in SQL for Spark, and what it is. The SQL can stand beside any operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::offline::spark) struct Value {
    pub(in crate::offline::spark) sql: String,
    pub(in crate::offline::spark) kind: Kind,
    /// What stands in the expression, if the value is that.
    constant: Option<String>,
}

impl Value {
    /// What has a name or brackets.
    pub(in crate::offline::spark) const fn new(sql: String, kind: Kind) -> Self {
        Self { sql, kind, constant: None }
    }

    /// Something in brackets.
    pub(super) fn of(sql: &str, kind: Kind) -> Self {
        Self::new(format!("({sql})"), kind)
    }

    pub(super) fn null() -> Self {
        Self::new("NULL".to_owned(), Kind::Null)
    }

    /// A text that stands in the expression.
    pub(super) fn constant_text(content: &str) -> Self {
        Self { sql: text(content), kind: Kind::Text, constant: Some(content.to_owned()) }
    }

    /// A number as it stands in the expression, with its sign.
    ///
    /// # Errors
    /// When DuckDB would read it as something that is not alike.
    pub(super) fn constant_number(digits: &str) -> Result<Self, Refused> {
        let constant = Some(digits.to_owned());
        if digits.contains(['e', 'E']) {
            let is_number = digits.parse::<f64>().is_ok_and(f64::is_finite);
            let sql = format!("CAST({} AS DOUBLE)", text(digits));
            return is_number
                .then(|| Self::new(sql, Kind::Double))
                .ok_or_else(|| format!("`{digits}` is no number of type DOUBLE"));
        }
        if digits.contains('.') {
            return Ok(Self { sql: digits.to_owned(), kind: Kind::Decimal, constant });
        }
        match digits.parse::<i64>() {
            Ok(number) if i32::try_from(number).is_ok() => {
                Ok(Self { sql: format!("({number})"), kind: Kind::Int, constant })
            }
            // The smallest number is written as the negative of one that is too great.
            Ok(number) if number != i64::MIN => Ok(Self { sql: format!("({number}L)"), kind: Kind::Long, constant }),
            _ => Err(format!("`{digits}` has more than 64 bits")),
        }
    }

    /// The text that stands in the expression, if the value is one.
    pub(super) fn as_constant_text(&self) -> Option<&str> {
        self.constant.as_deref().filter(|_| self.kind == Kind::Text)
    }

    /// The whole number that stands in the expression, if the value is one.
    pub(super) fn as_constant_integer(&self) -> Option<i64> {
        self.constant.as_deref().filter(|_| self.kind.is_whole())?.parse().ok()
    }

    /// The digits that stand in the expression, if the value is a number of them.
    pub(super) fn as_digits(&self) -> Option<&str> {
        self.constant.as_deref().filter(|_| self.kind != Kind::Text)
    }

    /// The same as a kind that loses nothing, or as DuckDB makes it one without being told.
    ///
    /// # Errors
    /// When it does not become one by itself, or not alike.
    pub(super) fn to(&self, kind: Kind) -> Result<String, Refused> {
        if self.kind == kind {
            return Ok(self.sql.clone());
        }
        let cast = || format!("CAST({} AS {})", self.sql, kind.sql());
        match (self.kind, kind) {
            (Kind::Null, _)
            | (Kind::Int, Kind::Long | Kind::Float | Kind::Double)
            | (Kind::Long, Kind::Float | Kind::Double)
            | (Kind::Float, Kind::Double) => Ok(cast()),
            (Kind::Decimal, Kind::Float | Kind::Double) => self.rounded(kind),
            _ => Err(format!("a value of type {} stands where one of type {} is needed", self.kind.sql(), kind.sql())),
        }
    }

    /// Digits with a point as the number next to them, where DuckDB finds that one by dividing: where both parts are exact.
    fn rounded(&self, kind: Kind) -> Result<String, Refused> {
        let digits = self.constant.as_deref().unwrap_or_default();
        let places = digits.split_once('.').map_or(0, |(_, behind)| behind.len());
        let (most, most_places) = if kind == Kind::Float { (1 << 24, 10) } else { (1 << 53, 22) };
        let whole = digits.replace(['.', '-'], "").parse::<u64>();
        if whole.is_ok_and(|whole| whole <= most) && places <= most_places {
            return Ok(format!("CAST({} AS {})", text(digits), kind.sql()));
        }
        Err(format!("`{digits}` has more digits than a {} can have exactly; write {digits}e0", kind.sql()))
    }

    /// The same where what is no number is null, as everywhere in feastr.
    pub(in crate::offline::spark) fn number(self) -> Self {
        if !self.kind.is_float() {
            return self;
        }
        Self::new(format!("nanvl({}, CAST(NULL AS {}))", self.sql, self.kind.sql()), self.kind)
    }

    /// A number with a floating point that was computed. What is no number has a sign, which Sail looks at and others do not.
    pub(super) fn computed(sql: &str, kind: Kind) -> Self {
        Self::new(format!("nanvl({sql}, CAST('NaN' AS {}))", kind.sql()), kind)
    }
}

/// The kind in which values meet.
///
/// # Errors
/// When there is none, or one that is not alike.
pub(super) fn common<'a>(values: impl IntoIterator<Item = &'a Value>) -> Result<Kind, Refused> {
    let mut common = Kind::Null;
    for value in values {
        common = common.common(value.kind).ok_or_else(|| match (common, value.kind) {
            (whole, Kind::Decimal) | (Kind::Decimal, whole) if whole.is_whole() => {
                "whole numbers meet one with a point, which is an exact DECIMAL; write 1.5e0 for 1.5".to_owned()
            }
            (one, other) => format!("values of type {} and {} meet", one.sql(), other.sql()),
        })?;
    }
    Ok(common)
}
