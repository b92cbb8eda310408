//! Operators, and what else SQL has a syntax for.

use sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, CeilFloorKind, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, UnaryOperator, Value as Constant,
};

use super::{
    Kind, Refused, Value,
    casts::{self, cast},
    functions,
    value::common,
};

/// Longest translation of a part in bytes: some name their own parts several times, which adds up from one to the next.
const MAX_LENGTH: usize = 65_536;

/// Gives the value of a name.
type Named<'a> = dyn Fn(&str) -> Result<Value, Refused> + 'a;

/// An expression in SQL for Spark.
///
/// # Errors
/// When something in it is not computed alike.
pub(super) fn translated(expression: &Expr, named: &Named<'_>) -> Result<Value, Refused> {
    let value = part(expression, named)?;
    if value.sql.len() > MAX_LENGTH {
        return Err("its expression is too long, written so that it gives the same values".to_owned());
    }
    Ok(value)
}

fn part(expression: &Expr, named: &Named<'_>) -> Result<Value, Refused> {
    let of = |part: &Expr| translated(part, named);
    match expression {
        Expr::Nested(inner) => of(inner),
        Expr::Identifier(name) => named(&name.value),
        Expr::Value(value) => constant(&value.value),
        Expr::UnaryOp { op, expr } => unary(*op, of(expr)?),
        Expr::BinaryOp { left, op, right } => binary(&of(left)?, op, &of(right)?),
        Expr::IsNull(inner) => Ok(Value::of(&format!("{} IS NULL", of(inner)?.sql), Kind::Bool)),
        Expr::IsNotNull(inner) => Ok(Value::of(&format!("{} IS NOT NULL", of(inner)?.sql), Kind::Bool)),
        Expr::IsTrue(inner) => Ok(Value::of(&format!("{} <=> true", of(inner)?.to(Kind::Bool)?), Kind::Bool)),
        Expr::IsNotTrue(inner) => Ok(Value::of(&format!("NOT ({} <=> true)", of(inner)?.to(Kind::Bool)?), Kind::Bool)),
        Expr::IsFalse(inner) => Ok(Value::of(&format!("{} <=> false", of(inner)?.to(Kind::Bool)?), Kind::Bool)),
        Expr::IsNotFalse(inner) => {
            Ok(Value::of(&format!("NOT ({} <=> false)", of(inner)?.to(Kind::Bool)?), Kind::Bool))
        }
        Expr::IsDistinctFrom(left, right) => {
            let [left, right] = alike([&of(left)?, &of(right)?])?;
            Ok(Value::of(&format!("NOT ({left} <=> {right})"), Kind::Bool))
        }
        Expr::IsNotDistinctFrom(left, right) => {
            let [left, right] = alike([&of(left)?, &of(right)?])?;
            Ok(Value::of(&format!("{left} <=> {right}"), Kind::Bool))
        }
        Expr::Between { expr, negated, low, high } => {
            let [value, low, high] = alike([&of(expr)?, &of(low)?, &of(high)?])?;
            Ok(unless(*negated, &format!("{value} BETWEEN {low} AND {high}")))
        }
        Expr::InList { expr, list, negated } => {
            let list: Vec<Value> = list.iter().map(of).collect::<Result<_, _>>()?;
            let (value, list) = (of(expr)?, list);
            let kind = common(std::iter::once(&value).chain(&list))?;
            let list: Vec<String> = list.iter().map(|value| value.to(kind)).collect::<Result<_, _>>()?;
            Ok(unless(*negated, &format!("{} IN ({})", value.to(kind)?, list.join(", "))))
        }
        Expr::Like { negated, any: false, expr, pattern, escape_char: None } => {
            like(*negated, &of(expr)?, &of(pattern)?)
        }
        Expr::Case { operand, conditions, else_result, .. } => {
            let operand = operand.as_deref().map(of).transpose()?;
            let otherwise = else_result.as_deref().map(of).transpose()?;
            case(operand.as_ref(), conditions, otherwise.unwrap_or_else(Value::null), named)
        }
        Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type, format: None, .. } => {
            cast(of(expr)?, casts::kind(data_type)?)
        }
        Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
            functions::call("ceil", &[of(expr)?])
        }
        Expr::Floor { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
            functions::call("floor", &[of(expr)?])
        }
        Expr::Substring { expr, substring_from: Some(from), substring_for, .. } => {
            let arguments = [Some(expr), Some(from), substring_for.as_ref()];
            let arguments: Vec<Value> =
                arguments.into_iter().flatten().map(|part| of(part)).collect::<Result<_, _>>()?;
            functions::call("substring", &arguments)
        }
        Expr::Trim { expr, trim_where: None, trim_what: None, trim_characters: None } => {
            functions::call("trim", &[of(expr)?])
        }
        Expr::Extract { field, expr, .. } => functions::call(&field.to_string().to_ascii_lowercase(), &[of(expr)?]),
        Expr::Function(function) => called(function, named),
        other => Err(format!("`{other}` is something that clusters may compute differently")),
    }
}

fn constant(value: &Constant) -> Result<Value, Refused> {
    match value {
        Constant::Number(digits, _) => Value::constant_number(digits),
        Constant::SingleQuotedString(text) => Ok(Value::constant_text(text)),
        Constant::Boolean(value) => Ok(Value::new(value.to_string(), Kind::Bool)),
        Constant::Null => Ok(Value::null()),
        other => Err(format!("`{other}` is a value that clusters may read differently")),
    }
}

fn unary(operator: UnaryOperator, value: Value) -> Result<Value, Refused> {
    match operator {
        UnaryOperator::Not => Ok(Value::of(&format!("NOT {}", value.to(Kind::Bool)?), Kind::Bool)),
        UnaryOperator::Plus if value.kind.is_number() || value.kind == Kind::Decimal => Ok(value),
        UnaryOperator::Minus => match value.as_digits() {
            Some(digits) if !digits.starts_with('-') => Value::constant_number(&format!("-{digits}")),
            _ if value.kind.is_float() => Ok(Value::computed(&format!("- {}", value.sql), value.kind)),
            _ if value.kind.is_whole() => Ok(Value::of(&format!("- {}", value.sql), value.kind)),
            _ => Err(format!("there is a minus in front of a value of type {}", value.kind.sql())),
        },
        other => Err(format!("`{other}` is an operator that clusters may compute differently")),
    }
}

fn binary(left: &Value, operator: &BinaryOperator, right: &Value) -> Result<Value, Refused> {
    use BinaryOperator as Op;
    match operator {
        Op::Plus | Op::Minus | Op::Multiply => arithmetic(left, operator, right),
        Op::Divide => divided(left, right),
        Op::DuckIntegerDivide => remainder(left, "div", right),
        Op::Modulo => remainder(left, "%", right),
        Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq => {
            let [left, right] = alike([left, right])?;
            Ok(Value::of(&format!("{left} {operator} {right}"), Kind::Bool))
        }
        Op::And | Op::Or => {
            Ok(Value::of(&format!("{} {operator} {}", left.to(Kind::Bool)?, right.to(Kind::Bool)?), Kind::Bool))
        }
        Op::StringConcat => {
            Ok(Value::of(&format!("{} || {}", left.to(Kind::Text)?, right.to(Kind::Text)?), Kind::Text))
        }
        other => Err(format!("`{other}` is an operator that clusters may compute differently")),
    }
}

/// Whole numbers are computed in twice the bits and cast back, which fails where DuckDB says that they are too great: Sail
/// would go on at the other end.
fn arithmetic(left: &Value, operator: &BinaryOperator, right: &Value) -> Result<Value, Refused> {
    let kind = number(left, right)?;
    let (left, right) = (left.to(kind)?, right.to(kind)?);
    Ok(match kind {
        Kind::Int => {
            Value::new(format!("CAST(CAST({left} AS BIGINT) {operator} CAST({right} AS BIGINT) AS INT)"), Kind::Int)
        }
        Kind::Long => Value::new(
            format!("CAST(CAST({left} AS DECIMAL(19, 0)) {operator} CAST({right} AS DECIMAL(19, 0)) AS BIGINT)"),
            Kind::Long,
        ),
        _ => Value::computed(&format!("{left} {operator} {right}"), kind),
    })
}

/// A number divided by nothing is infinite or none, and whole numbers are divided as others; clusters would fail.
fn divided(left: &Value, right: &Value) -> Result<Value, Refused> {
    let kind = if number(left, right)? == Kind::Float { Kind::Float } else { Kind::Double };
    // As the kind in which they meet, and then with more bits, of which the last ones do not matter.
    let double = |value: &Value| value.to(kind).and_then(|sql| Value::new(sql, kind).to(Kind::Double));
    let (left, right) = (double(left)?, double(right)?);
    let infinity =
        format!("CAST(CASE WHEN CAST({right} AS STRING) LIKE '-%' THEN '-Infinity' ELSE 'Infinity' END AS DOUBLE)");
    let sql = format!("CASE WHEN {right} = 0D THEN {left} * {infinity} ELSE {left} / nullif({right}, 0D) END");
    Ok(match kind {
        Kind::Float => Value::computed(&format!("CAST({sql} AS FLOAT)"), Kind::Float),
        _ => Value::computed(&sql, Kind::Double),
    })
}

/// What is divided by zero fails, but null; Sail would fail there, too.
fn remainder(left: &Value, operator: &str, right: &Value) -> Result<Value, Refused> {
    let kind = number(left, right)?;
    if !kind.is_whole() {
        return Err(format!("`{operator}` of numbers that are not whole is computed differently by clusters"));
    }
    let (left, right) = (left.to(kind)?, right.to(kind)?);
    let sql = format!("CASE WHEN {left} IS NOT NULL THEN CAST({left} {operator} {right} AS {}) END", kind.sql());
    Ok(Value::of(&sql, kind))
}

/// The kind in which two numbers meet.
fn number(left: &Value, right: &Value) -> Result<Kind, Refused> {
    let kind = common([left, right])?;
    if kind.is_number() {
        return Ok(kind);
    }
    Err(match kind {
        Kind::Decimal | Kind::Null => "it computes with constants alone".to_owned(),
        _ => format!("it computes with values of type {}", kind.sql()),
    })
}

/// Values as of the kind in which they meet.
fn alike<const N: usize>(values: [&Value; N]) -> Result<[String; N], Refused> {
    let kind = common(values)?;
    let mut alike = [const { String::new() }; N];
    for (place, value) in alike.iter_mut().zip(values) {
        *place = if kind == Kind::Null { value.sql.clone() } else { value.to(kind)? };
    }
    Ok(alike)
}

fn unless(negated: bool, condition: &str) -> Value {
    Value::of(&if negated { format!("NOT ({condition})") } else { condition.to_owned() }, Kind::Bool)
}

/// A pattern that stands there, so that it is seen that nothing in it is escaped.
fn like(negated: bool, value: &Value, pattern: &Value) -> Result<Value, Refused> {
    match pattern.as_constant_text() {
        Some(text) if !text.contains('\\') => {
            Ok(unless(negated, &format!("{} LIKE {}", value.to(Kind::Text)?, pattern.sql)))
        }
        _ => Err("`LIKE` has a pattern that clusters may read differently".to_owned()),
    }
}

fn case(
    operand: Option<&Value>,
    conditions: &[CaseWhen],
    otherwise: Value,
    named: &Named<'_>,
) -> Result<Value, Refused> {
    let wanted = conditions.iter().map(|when| translated(&when.condition, named)).collect::<Result<Vec<_>, _>>()?;
    let mut results = conditions.iter().map(|when| translated(&when.result, named)).collect::<Result<Vec<_>, _>>()?;
    results.push(otherwise);
    let compared = match operand {
        Some(operand) => common(std::iter::once(operand).chain(&wanted))?,
        None => Kind::Bool,
    };
    let kind = common(&results)?;
    if kind == Kind::Null {
        return Ok(Value::null());
    }
    let results = results.iter().map(|result| result.to(kind)).collect::<Result<Vec<_>, _>>()?;
    let mut sql = "CASE".to_owned();
    if let Some(operand) = operand {
        sql += &format!(" {}", operand.to(compared)?);
    }
    for (wanted, result) in wanted.iter().zip(&results) {
        sql += &format!(" WHEN {} THEN {result}", wanted.to(compared)?);
    }
    if let Some(otherwise) = results.last() {
        sql += &format!(" ELSE {otherwise}");
    }
    Ok(Value::of(&format!("{sql} END"), kind))
}

fn called(function: &Function, named: &Named<'_>) -> Result<Value, Refused> {
    let name = function.name.to_string().to_ascii_lowercase();
    let FunctionArguments::List(list) = &function.args else {
        return Err(format!("`{name}` is no function that clusters have"));
    };
    let argument = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => translated(expression, named),
        _ => Err(format!("`{name}` has an argument that clusters do not have")),
    };
    functions::call(&name, &list.args.iter().map(argument).collect::<Result<Vec<_>, _>>()?)
}
