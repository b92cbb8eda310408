//! Functions of numpy and math, and methods of columns, that SQL has exactly like that.

use super::{
    arithmetic::{Operand, binary, operand, root},
    cast::Dtype,
    choice::choose,
    comparison::{compare, is_missing},
    sql::Sql,
    syntax::{Binary, Comparison},
    term::{Kind, Literal, MayBe, Number, Rules, Term},
};

/// What a function of numpy makes of one column.
///
/// # Errors
/// When SQL has no equal for it.
pub(super) fn numpy(name: &str, term: Term) -> Result<Term, String> {
    match name {
        "abs" | "absolute" | "fabs" => absolute(term),
        "sqrt" => match operand(term)? {
            Operand::Number(number) => Ok(Term::Number(root(&number))),
            Operand::Literal(_) => Err("a literal is not computed with".to_owned()),
        },
        "square" => binary(Binary::Power, term, Term::Literal(Literal::Integer(2)), Rules::Column),
        "isnan" if matches!(term, Term::Number(_)) => Ok(Term::Condition(is_missing(&term, false)?)),
        "floor" | "ceil" | "trunc" => whole(name, term),
        "rint" => match operand(term)? {
            Operand::Number(number) if number.kind.is_integer() => Ok(Term::Number(number.double())),
            Operand::Number(number) => rounded(Term::Number(number)),
            Operand::Literal(_) => Err("a literal is not computed with".to_owned()),
        },
        "round" => rounded(term),
        "log" | "log10" | "log2" | "log1p" | "exp" | "expm1" | "sin" | "cos" | "tan" | "power" | "cbrt" | "tanh" => {
            Err("numpy computes it to other last digits than SQL".to_owned())
        }
        _ => Err("this function is not translated".to_owned()),
    }
}

/// What a function of math makes of one value.
///
/// # Errors
/// When SQL has no equal for it.
pub(super) fn math(name: &str, term: Term) -> Result<Term, String> {
    let Operand::Number(number) = operand(term)? else { return Err("a literal is not computed with".to_owned()) };
    let may_be = MayBe { nan: true, infinite: true, zero: true };
    let called = |function: &str| {
        let sql = Sql::call(function, &[&number.double().sql]);
        Ok(Term::Number(Number::new(sql, Kind::Double, may_be)))
    };
    match name {
        "sqrt" | "exp" | "log10" | "log2" => called(name),
        "log" => called("ln"),
        "fabs" => absolute(Term::Number(number.double())),
        "isnan" => Ok(Term::Condition(is_missing(&Term::Number(number), false)?)),
        "floor" | "ceil" | "trunc" if !number.kind.is_integer() => {
            super::cast::cast(whole(name, Term::Number(number))?, Dtype::Number(Kind::Integer))
        }
        _ => Err("this function is not translated".to_owned()),
    }
}

/// The greater of two values, or the lesser: missing if one is.
pub(super) fn extreme(operator: Comparison, left: Term, right: Term) -> Result<Term, String> {
    let is_short =
        |term: &Term| matches!(term, Term::Literal(_)) || matches!(term, Term::Number(number) if number.is_column);
    if !is_short(&left) || !is_short(&right) {
        return Err("it is translated for two columns, or a column and a number".to_owned());
    }
    let opposite = match operator {
        Comparison::Less => Comparison::GreaterEqual,
        _ => Comparison::LessEqual,
    };
    let otherwise = choose(
        &compare(opposite, &left, &right, Rules::Column)?,
        left.clone(),
        Term::Literal(Literal::Missing),
        Rules::Element,
    )?;
    choose(&compare(operator, &left, &right, Rules::Column)?, right, otherwise, Rules::Column)
}

/// A number without its sign.
pub(super) fn absolute(term: Term) -> Result<Term, String> {
    match operand(term)? {
        Operand::Number(number) => {
            let number = number.wide();
            Ok(Term::Number(Number::new(Sql::call("abs", &[&number.sql]), number.kind, number.may_be)))
        }
        Operand::Literal(_) => Err("a literal is not computed with".to_owned()),
    }
}

/// A float rounded to a whole number, halves to the even one.
pub(super) fn rounded(term: Term) -> Result<Term, String> {
    match operand(term)? {
        Operand::Number(number) if number.kind.is_integer() => Ok(Term::Number(number)),
        Operand::Number(number) => {
            let sql = Sql::call("round_even", &[&number.sql, &Sql::atom("0")]);
            let may_be = MayBe { zero: true, ..number.may_be };
            Ok(Term::Number(Number::new(sql, number.kind, may_be)))
        }
        Operand::Literal(_) => Err("a literal is not computed with".to_owned()),
    }
}

fn whole(name: &str, term: Term) -> Result<Term, String> {
    match operand(term)? {
        Operand::Number(number) if !number.kind.is_integer() => {
            let may_be = MayBe { zero: true, ..number.may_be };
            Ok(Term::Number(Number::new(Sql::call(name, &[&number.sql]), number.kind, may_be)))
        }
        _ => Err("it is translated for floats".to_owned()),
    }
}
