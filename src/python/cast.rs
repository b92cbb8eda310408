//! Values as values of another type: `astype`, `float`, `int`.

use super::{
    arithmetic::zero_or_one,
    comparison::is_not_zero,
    condition::Condition,
    sql::Sql,
    syntax::{Expr, Node},
    term::{Kind, Literal, MayBe, Number, Term},
};

/// A type that values are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dtype {
    Number(Kind),
    Bool,
}

impl Dtype {
    /// The type that an argument names; `None` for others.
    pub(super) fn of(expr: &Expr) -> Option<Self> {
        let name = match &expr.node {
            Node::Name(name) | Node::Text(name) => name,
            Node::Attribute { holder, name } if matches!(&holder.node, Node::Name(np) if np == "np" || np == "numpy") => {
                name
            }
            _ => return None,
        };
        Some(match name.as_str() {
            "int" | "int64" => Self::Number(Kind::Integer),
            "int32" => Self::Number(Kind::Narrow),
            "float" | "float64" => Self::Number(Kind::Double),
            "float32" => Self::Number(Kind::Single),
            "bool" | "bool_" => Self::Bool,
            _ => return None,
        })
    }
}

/// A value as one of another type.
///
/// # Errors
/// When Python makes something of it that SQL does not.
pub(super) fn cast(term: Term, dtype: Dtype) -> Result<Term, String> {
    match (term, dtype) {
        (Term::Number(number), Dtype::Number(kind)) => Ok(Term::Number(number_as(number, kind))),
        (Term::Condition(condition), Dtype::Number(kind)) if kind.is_integer() => {
            Ok(Term::Number(zero_or_one(&condition)))
        }
        (Term::Condition(condition), Dtype::Number(kind)) => Ok(Term::Number(number_as(zero_or_one(&condition), kind))),
        (Term::Flag(sql), Dtype::Number(kind)) => {
            let may_be = MayBe { nan: false, infinite: false, zero: true };
            Ok(Term::Number(Number::new(sql.cast(sql_type(kind)), kind, may_be)))
        }
        (Term::Flag(sql), Dtype::Bool) => Ok(Term::Condition(Condition::Test { sql, of_null: false })),
        (Term::Condition(condition), Dtype::Bool) => Ok(Term::Condition(condition)),
        (term @ Term::Number(_), Dtype::Bool) => Ok(Term::Condition(is_not_zero(term)?)),
        (Term::Literal(Literal::Text(text)), Dtype::Number(Kind::Double)) => match text.as_str() {
            "nan" => Ok(Term::Literal(Literal::Missing)),
            "inf" => Ok(Term::Literal(Literal::Float(f64::INFINITY))),
            "-inf" => Ok(Term::Literal(Literal::Float(f64::NEG_INFINITY))),
            _ => Err("a text is not read as a number".to_owned()),
        },
        (term, _) => Err(format!("{} is not made a value of this type", term.described())),
    }
}

fn number_as(number: Number, kind: Kind) -> Number {
    let may_be = number.may_be;
    match kind {
        Kind::Integer | Kind::Narrow if number.kind == kind => number,
        Kind::Integer if number.kind == Kind::Narrow => number.wide(),
        Kind::Integer | Kind::Narrow => {
            // SQL rounds where Python cuts off.
            let whole = if number.kind.is_integer() { number.sql } else { Sql::call("trunc", &[&number.sql]) };
            let may_be = MayBe { nan: false, infinite: false, zero: true };
            Number::new(whole.cast(sql_type(kind)), kind, may_be)
        }
        Kind::Double => number.double(),
        Kind::Single if number.kind == Kind::Single => number,
        // Small numbers become zero.
        Kind::Single => Number::new(number.sql.cast("FLOAT"), kind, MayBe { zero: true, ..may_be }),
    }
}

fn sql_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Narrow => "INTEGER",
        Kind::Integer => "BIGINT",
        Kind::Single => "FLOAT",
        Kind::Double => "DOUBLE",
    }
}
