//! Python's comparisons and tests of values, as conditions that are never NULL.

use super::{
    arithmetic::{Operand, operand},
    condition::Condition,
    sql::{Level, Sql},
    syntax::Comparison,
    term::{Kind, Literal, Number, Rules, Term},
};

impl Comparison {
    fn sql(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
        }
    }

    /// The same with its sides exchanged.
    fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessEqual => Self::GreaterEqual,
            Self::Greater => Self::Less,
            Self::GreaterEqual => Self::LessEqual,
            same @ (Self::Equal | Self::NotEqual) => same,
        }
    }

    fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// How two values compare.
///
/// # Errors
/// When SQL compares them in another way; the error says how.
pub(super) fn compare(operator: Comparison, left: &Term, right: &Term, rules: Rules) -> Result<Condition, String> {
    let test = |left: &Sql, right: &Sql| Condition::Test {
        sql: left.binary(operator.sql(), right, Level::Compare),
        of_null: operator == Comparison::NotEqual,
    };
    // Nothing is equal to nothing, if that is `None`.
    let distinct = |left: &Sql, right: &Sql| {
        let words = if operator == Comparison::Equal { "IS NOT DISTINCT FROM" } else { "IS DISTINCT FROM" };
        Condition::Sure(left.binary(words, right, Level::Compare))
    };
    match (left, right) {
        (Term::Literal(_), Term::Literal(_)) => Err("two literals are not compared".to_owned()),
        (Term::Literal(_), _) => compare(operator.turned(), right, left, rules),
        (Term::Text(left), Term::Text(right)) if operator.is_equality() => {
            match rules {
                Rules::Column if left.is_input && right.is_input => Ok(test(left, right)),
                // In an array of numpy None equals None, in a series of pandas it does not.
                Rules::Column => Err("texts that were computed are compared with literals only".to_owned()),
                Rules::Element | Rules::Applied => Ok(distinct(left, right)),
            }
        }
        (Term::Text(left), Term::Literal(right @ Literal::Text(_))) if operator.is_equality() => {
            Ok(test(left, &right.sql()))
        }
        (Term::Flag(left), Term::Literal(right @ Literal::Bool(_))) if operator.is_equality() => {
            Ok(test(left, &right.sql()))
        }
        (Term::Number(left), Term::Number(right)) => {
            let (left, right) = ordered(operator, left, right, rules)?;
            match rules {
                Rules::Element if operator.is_equality() && !left.kind.is_integer() => {
                    Err("None equals None, and NaN does not equal NaN, which are one in SQL".to_owned())
                }
                Rules::Element if operator.is_equality() => Ok(distinct(&left.sql, &right.sql)),
                _ => Ok(test(&left.sql, &right.sql)),
            }
        }
        (Term::Number(left), Term::Literal(right)) if right.is_number() => {
            if right.may_be().nan {
                return Err("nothing compares with NaN".to_owned());
            }
            let (left, right) = beside_literal(left, right)?;
            let left = if is_greater(operator) { left.without_nan() } else { left };
            Ok(test(&left.sql, &right))
        }
        (left, right) => Err(format!("{} and {} do not compare in SQL", left.described(), right.described())),
    }
}

/// In SQL a NaN is the greatest number, in Python no comparison with one is true.
fn is_greater(operator: Comparison) -> bool {
    matches!(operator, Comparison::Greater | Comparison::GreaterEqual)
}

/// A column beside a literal, of one type.
fn beside_literal(number: &Number, literal: &Literal) -> Result<(Number, Sql), String> {
    match (number.kind, literal.integer()) {
        (Kind::Single, _) => {
            let literal = literal.single().ok_or_else(|| "the number does not fit into 32 bits".to_owned())?;
            Ok((number.clone(), literal))
        }
        (kind, Some(integer)) if kind.is_integer() => Ok((number.clone(), Literal::Integer(integer).sql())),
        _ => Ok((number.double(), literal.sql())),
    }
}

/// Two columns of one type, without the NaNs that SQL would take for numbers.
fn ordered(operator: Comparison, left: &Number, right: &Number, rules: Rules) -> Result<(Number, Number), String> {
    let (mut left, mut right) = (left.clone(), right.clone());
    if left.kind.is_integer() != right.kind.is_integer() {
        if rules.is_element() {
            return Err("Python compares integers and floats more exactly than SQL: write float(…)".to_owned());
        }
        (left, right) = (left.double(), right.double());
    } else if left.kind != right.kind && !left.kind.is_integer() {
        (left, right) = (left.double(), right.double());
    }
    match operator {
        Comparison::Greater | Comparison::GreaterEqual => left = left.without_nan(),
        Comparison::Less | Comparison::LessEqual => right = right.without_nan(),
        Comparison::Equal | Comparison::NotEqual if left.may_be.nan && right.may_be.nan => left = left.without_nan(),
        Comparison::Equal | Comparison::NotEqual => {}
    }
    Ok((left, right))
}

/// Whether a value is missing, or NaN.
pub(super) fn is_missing(term: &Term, negated: bool) -> Result<Condition, String> {
    match term {
        Term::Number(number) => Ok(Condition::is_null(&number.without_nan().sql, negated)),
        Term::Text(sql) | Term::Flag(sql) => Ok(Condition::is_null(sql, negated)),
        other => Err(format!("{} is never missing", other.described())),
    }
}

/// Whether a value is `None`. A float that is NaN is not, and SQL cannot tell these apart.
pub(super) fn is_none(term: &Term, negated: bool) -> Result<Condition, String> {
    match term {
        Term::Number(number) if !number.kind.is_integer() => {
            Err("NaN is not None, and a float in SQL is missing in both cases".to_owned())
        }
        other => is_missing(other, negated),
    }
}

/// Whether a value is one of several.
pub(super) fn is_in(term: &Term, values: &[Literal]) -> Result<Condition, String> {
    let test = |left: &Sql, values: Vec<Sql>| {
        let values: Vec<String> = values.into_iter().map(|value| value.text).collect();
        let list = Sql::atom(format!("({})", values.join(", ")));
        Condition::Test { sql: left.binary("IN", &list, Level::Compare), of_null: false }
    };
    if values.is_empty() {
        return Err("the list is empty".to_owned());
    }
    match term {
        Term::Text(sql) if values.iter().all(|value| matches!(value, Literal::Text(_))) => {
            Ok(test(sql, values.iter().map(Literal::sql).collect()))
        }
        Term::Number(number) if number.kind.is_integer() => {
            let values: Option<Vec<Sql>> =
                values.iter().map(|value| Some(Literal::Integer(value.integer()?).sql())).collect();
            Ok(test(&number.sql, values.ok_or("an integer is not one of these")?))
        }
        Term::Number(number)
            if number.kind == Kind::Double && values.iter().all(|value| value.is_number() && !value.may_be().nan) =>
        {
            Ok(test(&number.sql, values.iter().map(Literal::sql).collect()))
        }
        other => Err(format!("{} is not looked for among these values", other.described())),
    }
}

/// What a test needs: something that is true or false.
pub(super) fn condition(term: Term) -> Result<Condition, String> {
    match term {
        Term::Condition(condition) => Ok(condition),
        Term::Flag(_) => Err("a boolean may be missing: write .fillna(False) behind it".to_owned()),
        other => Err(format!("{} is no condition", other.described())),
    }
}

/// The same where a missing boolean counts as false.
pub(super) fn test(term: Term) -> Result<Condition, String> {
    match term {
        Term::Flag(sql) => Ok(Condition::Test { sql, of_null: false }),
        other => condition(other),
    }
}

/// A number as a boolean: false if it is zero.
pub(super) fn is_not_zero(term: Term) -> Result<Condition, String> {
    match operand(term)? {
        Operand::Number(number) => {
            let sql = number.sql.binary("<>", &Sql::atom("0"), Level::Compare);
            Ok(Condition::Test { sql, of_null: true })
        }
        Operand::Literal(_) => Err("a literal is no condition".to_owned()),
    }
}
