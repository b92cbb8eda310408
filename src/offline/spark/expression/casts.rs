//! Casts that give the same value or the same failure.

use sqlparser::ast::DataType as SqlType;

use super::{Kind, Refused, Value};

/// The kind that a type in an expression stands for.
///
/// # Errors
/// When values of the type are not computed alike.
pub(super) fn kind(sql: &SqlType) -> Result<Kind, Refused> {
    let name = sql.to_string().to_ascii_uppercase();
    Ok(match name.as_str() {
        "BOOLEAN" | "BOOL" => Kind::Bool,
        "INTEGER" | "INT" | "INT4" => Kind::Int,
        "BIGINT" | "INT8" => Kind::Long,
        "FLOAT" | "REAL" | "FLOAT4" => Kind::Float,
        "DOUBLE" | "DOUBLE PRECISION" | "FLOAT8" => Kind::Double,
        "VARCHAR" | "TEXT" | "STRING" => Kind::Text,
        _ => return Err(format!("there is a cast to {name}")),
    })
}

/// A value as one of a kind, as DuckDB casts it when it is told.
///
/// # Errors
/// When the cast is not alike.
pub(in crate::offline::spark) fn cast(value: Value, kind: Kind) -> Result<Value, Refused> {
    let plain = || Ok(Value::new(format!("CAST({} AS {})", value.sql, kind.sql()), kind));
    match (value.kind, kind) {
        (from, to) if from == to => Ok(value),
        (Kind::Null, _) => plain(),
        (Kind::Int | Kind::Long, Kind::Int | Kind::Long | Kind::Float | Kind::Double | Kind::Text | Kind::Bool)
        | (Kind::Bool, Kind::Int | Kind::Text)
        | (Kind::Float, Kind::Double) => plain(),
        (Kind::Decimal, Kind::Float | Kind::Double) => Ok(Value::new(value.to(kind)?, kind)),
        (Kind::Float | Kind::Double, Kind::Int | Kind::Long) => Ok(whole(&value.to(Kind::Double)?, kind)),
        (Kind::Double, Kind::Float) => Ok(narrow(&value.sql)),
        (from, to) => Err(format!("there is a cast from {} to {}", from.sql(), to.sql())),
    }
}

/// A text of entity rows as what a field of requests is: files such as CSV have nothing else. What is written in an odd way, of
/// which DuckDB makes something, fails.
///
/// # Errors
/// When nothing of the kind is written as text.
pub(in crate::offline::spark) fn of_text(value: &Value, kind: Kind) -> Result<Value, Refused> {
    let text = format!("trim({})", value.sql);
    let written = match kind {
        Kind::Text => return Ok(value.clone()),
        Kind::Bool => "^([tT][rR][uU][eE]|[fF][aA][lL][sS][eE])$",
        Kind::Int | Kind::Long => "^[+-]?[0-9]+$",
        Kind::Float | Kind::Double => "^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$",
        Kind::Time => "^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?Z?)?$",
        Kind::Null | Kind::Decimal => return Err(format!("a text is no {}", kind.sql())),
    };
    // Of null comes null; what follows is no text of a value, so that the cast fails and says what there was.
    let other = format!("CAST(concat('not as expected: ', {}) AS {})", value.sql, kind.sql());
    let sql = format!("CASE WHEN {text} RLIKE '{written}' THEN CAST({text} AS {}) ELSE {other} END", kind.sql());
    Ok(Value::of(&sql, kind))
}

/// The whole number next to a number, of two the even one: Spark cuts off what stands behind the point, and Sail has another
/// `rint`. One that is too great by one fails, as in DuckDB; Spark makes the greatest one of it.
fn whole(double: &str, kind: Kind) -> Value {
    let next = format!(
        "CASE WHEN abs({double} - round({double})) = 0.5D THEN 2D * round({double} / 2D) ELSE round({double}) END"
    );
    let cast = format!("CAST({next} AS {})", kind.sql());
    if kind == Kind::Int {
        return Value::new(cast, kind);
    }
    let is_too_great = format!("{double} >= CAST('9223372036854775808' AS DOUBLE)");
    Value::of(&format!("CASE WHEN {is_too_great} THEN CAST(CAST({double} AS INT) AS BIGINT) ELSE {cast} END"), kind)
}

/// A number in half the bits. One that is too great fails, as in DuckDB; clusters make infinity of it.
fn narrow(double: &str) -> Value {
    /// The least number that does not become the greatest one that a FLOAT can have.
    const TOO_GREAT: &str = "CAST('3.4028235677973366e38' AS DOUBLE)";
    let is_too_great = format!("abs({double}) >= {TOO_GREAT} AND abs({double}) < CAST('Infinity' AS DOUBLE)");
    let sql =
        format!("CASE WHEN {is_too_great} THEN CAST(CAST({double} AS INT) AS FLOAT) ELSE CAST({double} AS FLOAT) END");
    Value::of(&sql, Kind::Float)
}
