//! Values that are taken from one of several places: `where`, `fillna`, `clip`, `replace`.

use super::{
    arithmetic::{Operand, operand, promoted},
    comparison::compare,
    condition::Condition,
    sql::Sql,
    syntax::Comparison,
    term::{Kind, Literal, MayBe, Number, Rules, Term},
};

/// `then` where a condition is true, else `otherwise`.
///
/// # Errors
/// When the two are not of one type.
pub(super) fn choose(condition: &Condition, then: Term, otherwise: Term, rules: Rules) -> Result<Term, String> {
    if let (Term::Literal(Literal::Bool(then)), Term::Literal(Literal::Bool(otherwise))) = (&then, &otherwise) {
        return match (then, otherwise) {
            (true, false) => Ok(Term::Condition(condition.clone())),
            (false, true) => Ok(Term::Condition(condition.clone().not())),
            _ => Err("both values are the same".to_owned()),
        };
    }
    let case = |then: &Sql, otherwise: Option<&Sql>| Sql::case(&condition.when(), then, otherwise);
    let nothing = |term: &Term| matches!(term, Term::Literal(Literal::Missing));
    if let Some((then, otherwise)) = then.text().zip(otherwise.text()) {
        return Ok(Term::Text(case(&then, Some(&otherwise))));
    }
    match (nothing(&then), nothing(&otherwise)) {
        (true, true) => Err("both values are missing".to_owned()),
        (false, true) => {
            let (value, may_be) = alone(then, rules)?;
            Ok(Term::Number(Number::new(case(&value.sql, None), value.kind, may_be)))
        }
        (true, false) => {
            let (value, may_be) = alone(otherwise, rules)?;
            let sql = Sql::case(&condition.clone().not().when(), &value.sql, None);
            Ok(Term::Number(Number::new(sql, value.kind, may_be)))
        }
        (false, false) => {
            if rules.is_element() && mixes(&then, &otherwise) {
                return Err("integers and floats in one column: write float(…) around the integer".to_owned());
            }
            let (then, otherwise, kind) = together(then, otherwise)?;
            let may_be = either(then.may_be, otherwise.may_be);
            Ok(Term::Number(Number::new(case(&then.sql, Some(&otherwise.sql)), kind, may_be)))
        }
    }
}

/// A value with another one in its place where it is missing or NaN.
pub(super) fn filled(term: Term, value: Term) -> Result<Term, String> {
    let coalesce = |term: &Sql, value: &Sql| Sql::call("COALESCE", &[term, value]);
    match (term, value) {
        (Term::Text(term), value) => match value.text() {
            Some(value) => Ok(Term::Text(coalesce(&term, &value))),
            None => Err("a text is filled with a text".to_owned()),
        },
        (Term::Flag(sql), Term::Literal(Literal::Bool(of_null))) => {
            Ok(Term::Condition(Condition::Test { sql, of_null }))
        }
        (Term::Number(number), value @ (Term::Literal(_) | Term::Number(_))) => {
            let value = lossless(value, number.kind)?;
            let (number, value, kind) = together(Term::Number(number.without_nan()), value)?;
            let may_be = either(number.may_be, value.may_be);
            Ok(Term::Number(Number::new(coalesce(&number.sql, &value.sql), kind, may_be)))
        }
        (term, value) => Err(format!("{} is not filled with {}", term.described(), value.described())),
    }
}

/// A number within bounds.
pub(super) fn clipped(term: Term, lower: Option<Literal>, upper: Option<Literal>) -> Result<Term, String> {
    let Term::Number(number) = &term else { return Err(format!("{} has no bounds", term.described())) };
    let bound = |bound: Literal| lossless(Term::Literal(bound), number.kind);
    let (lower, upper) = (lower.map(bound).transpose()?, upper.map(bound).transpose()?);
    if let (Some(Term::Literal(lower)), Some(Term::Literal(upper))) = (&lower, &upper)
        && as_float(lower) > as_float(upper)
    {
        return Err("the lower bound is above the upper one".to_owned());
    }
    let mut clipped = term.clone();
    for (operator, bound) in [(Comparison::Greater, upper), (Comparison::Less, lower)] {
        if let Some(bound) = bound {
            let beyond = compare(operator, &term, &bound, Rules::Column)?;
            clipped = choose(&beyond, bound, clipped, Rules::Column)?;
        }
    }
    Ok(clipped)
}

/// A number with another one, or none, in place of some value.
pub(super) fn replaced(term: Term, from: &Literal, to: Term) -> Result<Term, String> {
    let Term::Number(number) = &term else { return Err(format!("of {} nothing is replaced", term.described())) };
    let Term::Literal(from) = lossless(Term::Literal(from.clone()), number.kind)? else {
        return Err("what is replaced is a number".to_owned());
    };
    if from.may_be().nan {
        return filled(term, to);
    }
    if matches!(to, Term::Literal(Literal::Missing)) {
        let may_be = MayBe { zero: number.may_be.zero && !from.may_be().zero, ..number.may_be };
        return Ok(Term::Number(Number::new(Sql::call("NULLIF", &[&number.sql, &from.sql()]), number.kind, may_be)));
    }
    let is_it = compare(Comparison::Equal, &term, &Term::Literal(from), Rules::Column)?;
    let to = lossless(to, number.kind)?;
    choose(&is_it, to, term, Rules::Column)
}

/// A value that a column of the kind can hold; pandas would make a column of another type otherwise.
pub(super) fn lossless(value: Term, kind: Kind) -> Result<Term, String> {
    let literal = match &value {
        Term::Literal(literal) => literal,
        Term::Number(number) if number.kind != kind && !(number.kind.is_integer() && kind.is_integer()) => {
            return Err("columns of two types become one of whichever type holds all values".to_owned());
        }
        Term::Number(_) => return Ok(value),
        other => return Err(format!("{} is not a number", other.described())),
    };
    match literal {
        Literal::Missing => Ok(value),
        literal if kind.is_integer() => match literal.integer() {
            Some(integer) => Ok(Term::Literal(Literal::Integer(integer))),
            None => Err("a column of integers does not hold this number".to_owned()),
        },
        literal if kind == Kind::Single && !literal.is_single() && !literal.may_be().infinite => {
            Err("a float of 32 bits does not hold this number".to_owned())
        }
        literal if literal.is_number() => Ok(value),
        other => Err(format!("{} is not a number", Term::Literal(other.clone()).described())),
    }
}

/// Two numbers of one kind.
fn together(left: Term, right: Term) -> Result<(Number, Number, Kind), String> {
    let (left, right) = (operand(left)?, operand(right)?);
    let is_double = |operand: &Operand| matches!(operand, Operand::Number(number) if number.kind == Kind::Double);
    let is_narrow = |operand: &Operand| match operand {
        Operand::Number(number) => number.kind == Kind::Narrow,
        Operand::Literal(Literal::Integer(value)) => i32::try_from(*value).is_ok(),
        Operand::Literal(_) => false,
    };
    if is_narrow(&left) && is_narrow(&right) {
        let narrow = |operand: Operand| match operand {
            Operand::Number(number) => number,
            Operand::Literal(literal) => Number::new(literal.sql(), Kind::Narrow, literal.may_be()),
        };
        return Ok((narrow(left), narrow(right), Kind::Narrow));
    }
    // Beside a float of 64 bits SQL makes one of anything.
    if is_double(&left) || is_double(&right) {
        let plain = |operand: Operand| match operand {
            Operand::Number(number) => number,
            Operand::Literal(literal) => Number::new(literal.sql(), Kind::Double, literal.may_be()),
        };
        return Ok((plain(left), plain(right), Kind::Double));
    }
    promoted(left, right)
}

/// Whether some values would be integers of 64 bits and others floats.
fn mixes(one: &Term, other: &Term) -> bool {
    let is_integer = |term: &Term| matches!(term, Term::Number(number) if number.kind == Kind::Integer);
    let is_float = |term: &Term| match term {
        Term::Number(number) => !number.kind.is_integer(),
        Term::Literal(literal) => matches!(literal, Literal::Float(_)),
        _ => false,
    };
    (is_integer(one) && is_float(other)) || (is_float(one) && is_integer(other))
}

/// One number, of a type that SQL knows by itself. NaN beside it makes a float of an integer.
fn alone(term: Term, rules: Rules) -> Result<(Number, MayBe), String> {
    Ok(match operand(term)? {
        Operand::Number(number) => {
            let number = if rules == Rules::Column && number.kind.is_integer() { number.double() } else { number };
            let may_be = number.may_be;
            (number, may_be)
        }
        Operand::Literal(literal) if rules == Rules::Column => {
            let may_be = literal.may_be();
            (Number::new(literal.sql().cast("DOUBLE"), Kind::Double, may_be), may_be)
        }
        Operand::Literal(literal) => {
            let kind = match literal {
                Literal::Integer(value) if i32::try_from(value).is_ok() => Kind::Narrow,
                Literal::Integer(_) => Kind::Integer,
                _ => Kind::Double,
            };
            let may_be = literal.may_be();
            (Number::new(literal.typed(), kind, may_be), may_be)
        }
    })
}

fn either(left: MayBe, right: MayBe) -> MayBe {
    MayBe { nan: left.nan || right.nan, infinite: left.infinite || right.infinite, zero: left.zero || right.zero }
}

fn as_float(literal: &Literal) -> f64 {
    match literal {
        Literal::Integer(value) => *value as f64,
        Literal::Float(value) => *value,
        _ => f64::NAN,
    }
}
