//! Expressions as trees.

use std::ops::ControlFlow;

use sqlparser::{
    ast::{BinaryOperator, Expr, Visit as _, Visitor},
    dialect::DuckDbDialect,
    parser::Parser,
    tokenizer::Token,
};

use super::Refused;

/// Longest expression in bytes: `a + a + …` nests as deeply as it is long, and ordinary stacks hold so much of it.
const MAX_LENGTH: usize = 1024;

/// An expression as a tree, in which parts belong together as in DuckDB.
///
/// # Errors
/// When it is too long or cannot be read, or DuckDB reads it in another order.
pub(super) fn parsed(sql: &str) -> Result<Expr, Refused> {
    if sql.len() > MAX_LENGTH {
        return Err(format!("its expression is longer than {MAX_LENGTH} characters"));
    }
    let unreadable = |_| "its expression cannot be read".to_owned();
    let mut parser = Parser::new(&DuckDbDialect {}).try_with_sql(sql).map_err(unreadable)?;
    let parsed = parser.parse_expr().map_err(unreadable)?;
    if parser.peek_token().token != Token::EOF {
        return Err("its expression cannot be read".to_owned());
    }
    match parsed.visit(&mut Order) {
        ControlFlow::Continue(()) => Ok(parsed),
        ControlFlow::Break(part) => Err(format!("`{part}` needs brackets to be read in one way")),
    }
}

/// Looks for operators beside each other that have another order in DuckDB.
struct Order;

impl Visitor for Order {
    type Break = String;

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<String> {
        let is_unclear = match expression {
            Expr::Between { expr, low, high, .. } => [expr, low, high].into_iter().any(|part| is(part, is_comparison)),
            Expr::Like { expr, pattern, .. } => [expr, pattern].into_iter().any(|part| is(part, is_comparison)),
            Expr::InList { expr, .. } => is(expr, is_comparison),
            Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => {
                is(left, is_arithmetic) || is(right, is_arithmetic)
            }
            Expr::BinaryOp { left, op, right } if is_arithmetic(op) => {
                let is_joined = |op: &BinaryOperator| *op == BinaryOperator::StringConcat;
                is(left, is_joined) || is(right, is_joined)
            }
            _ => false,
        };
        if is_unclear { ControlFlow::Break(expression.to_string()) } else { ControlFlow::Continue(()) }
    }
}

/// Whether an expression without brackets is an operator of some kind.
fn is(expression: &Expr, kind: impl Fn(&BinaryOperator) -> bool) -> bool {
    matches!(expression, Expr::BinaryOp { op, .. } if kind(op))
}

const fn is_comparison(operator: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(operator, Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq)
}

const fn is_arithmetic(operator: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(operator, Op::Plus | Op::Minus | Op::Multiply | Op::Divide | Op::DuckIntegerDivide | Op::Modulo)
}
