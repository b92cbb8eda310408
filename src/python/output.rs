//! A column as the expression of an output.

use super::term::{Kind, Literal, Term};
use crate::model::DataType;

/// The expression of an output that is declared to be of a type.
///
/// # Errors
/// When the column has values of another type.
pub(super) fn sql(term: Term, dtype: &DataType) -> Result<String, String> {
    let sql = match (&term, dtype) {
        (Term::Number(number), DataType::Int64) if number.kind.is_integer() => number.sql.clone(),
        (Term::Number(number), DataType::Int32) if number.kind == Kind::Narrow => number.sql.clone(),
        (Term::Number(number), DataType::Float64) if !number.kind.is_integer() => number.sql.clone(),
        (Term::Number(number), DataType::Float32) if number.kind == Kind::Single => number.sql.clone(),
        (Term::Condition(condition), DataType::Bool) => condition.total(),
        (Term::Flag(sql), DataType::Bool) | (Term::Text(sql), DataType::String) => sql.clone(),
        (Term::Literal(literal @ Literal::Integer(_)), DataType::Int64)
        | (Term::Literal(literal @ Literal::Float(_)), DataType::Float64)
        | (Term::Literal(literal @ Literal::Bool(_)), DataType::Bool)
        | (Term::Literal(literal @ Literal::Text(_)), DataType::String) => literal.typed(),
        _ => return Err(format!("it makes {} of an output that is declared {dtype}", term.described())),
    };
    Ok(sql.text)
}
