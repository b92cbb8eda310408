//! What is true or false. In Python a comparison with a missing value is false (and `!=` true); in SQL it is NULL.

use super::sql::{Level, Sql};

/// Something that is true or false for every row, also where values are missing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// An expression that may be NULL, and what that means then.
    Test { sql: Sql, of_null: bool },
    /// An expression that is never NULL.
    Sure(Sql),
    /// Both.
    And(Box<Condition>, Box<Condition>),
    /// One of them.
    Or(Box<Condition>, Box<Condition>),
    /// The opposite.
    Not(Box<Condition>),
}

impl Condition {
    /// Whether an expression is missing, or is not.
    pub(super) fn is_null(sql: &Sql, negated: bool) -> Self {
        Self::Sure(sql.followed(if negated { "IS NOT NULL" } else { "IS NULL" }))
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self::And(Box::new(self), Box::new(other))
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self::Or(Box::new(self), Box::new(other))
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// How long it is about, in bytes.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Test { sql, .. } | Self::Sure(sql) => sql.text.len(),
            Self::And(left, right) | Self::Or(left, right) => left.length() + right.length(),
            Self::Not(inner) => inner.length(),
        }
    }

    /// As it is written where NULL counts as false: behind `WHEN`.
    pub(super) fn when(&self) -> Sql {
        match self {
            Self::Test { sql, of_null: false } => sql.clone(),
            Self::And(left, right) => left.when().binary("AND", &right.when(), Level::And),
            Self::Or(left, right) => left.when().binary("OR", &right.when(), Level::Or),
            Self::Test { .. } | Self::Sure(_) | Self::Not(_) => self.total(),
        }
    }

    /// As it is written where it must not be NULL.
    pub(super) fn total(&self) -> Sql {
        match self {
            Self::Test { sql, of_null } => {
                Sql::call("COALESCE", &[sql, &Sql::atom(if *of_null { "TRUE" } else { "FALSE" })])
            }
            Self::Sure(sql) => sql.clone(),
            Self::And(left, right) => left.total().binary("AND", &right.total(), Level::And),
            Self::Or(left, right) => left.total().binary("OR", &right.total(), Level::Or),
            Self::Not(inner) => inner.total().unary("NOT ", Level::Not),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_are_said_only_where_they_count() {
        let test = |text: &str, of_null| Condition::Test {
            sql: Sql::atom(text).binary(">", &Sql::atom("0"), Level::Compare),
            of_null,
        };
        let [a, b] = [test("a", false), test("b", true)];
        let both = a.clone().and(b.clone());
        assert_eq!(both.when().text, "a > 0 AND COALESCE(b > 0, TRUE)");
        assert_eq!(both.total().text, "COALESCE(a > 0, FALSE) AND COALESCE(b > 0, TRUE)");
        assert_eq!(a.clone().not().when().text, "NOT COALESCE(a > 0, FALSE)");
        assert_eq!(a.clone().not().not(), a);
        assert_eq!(a.clone().or(b).and(a).when().text, "(a > 0 OR COALESCE(b > 0, TRUE)) AND a > 0");
    }
}
