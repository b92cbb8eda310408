//! The functions of DuckDB that clusters compute alike, by value and by failure.

use super::{Kind, Refused, Value, value::common};

/// A function for arguments of some kinds.
struct Alike {
    /// What DuckDB calls it.
    names: &'static [&'static str],
    takes: &'static [Takes],
    gives: Kind,
    /// For Spark and Sail; arguments are `{0}`, `{1}`, ….
    sql: &'static str,
}

/// What an argument has to be.
#[derive(Debug, Clone, Copy)]
enum Takes {
    /// Exactly of this kind.
    Of(Kind),
    /// What becomes this kind by itself.
    As(Kind),
    /// A whole number, at least this one, that stands there.
    AtLeast(i64),
    /// A text that stands there and is not empty.
    Word,
}

/// Those that are the same for any number of arguments, of kinds that meet: see [`call`].
const OF_ANY: [&str; 7] = ["coalesce", "ifnull", "greatest", "least", "nullif", "if", "concat"];

/// The others. What is missing here was seen to differ, such as `upper` (of ß) and `ln` (of zero), or nobody has looked at it.
const ALIKE: &[Alike] = {
    use Kind::{Bool, Double, Float, Int, Long, Text, Time};
    use Takes::{As, AtLeast, Of, Word};
    const fn alike(names: &'static [&'static str], takes: &'static [Takes], gives: Kind, sql: &'static str) -> Alike {
        Alike { names, takes, gives, sql }
    }
    &[
        alike(&["abs"], &[Of(Int)], Int, "abs({0})"),
        alike(&["abs"], &[Of(Long)], Long, "abs({0})"),
        alike(&["abs"], &[Of(Float)], Float, "abs({0})"),
        alike(&["abs"], &[Of(Double)], Double, "abs({0})"),
        alike(&["round"], &[Of(Float)], Float, "round({0})"),
        alike(&["round"], &[Of(Double)], Double, "round({0})"),
        // Spark's own `floor` and `ceil` give whole numbers of 64 bits.
        alike(&["floor"], &[Of(Double)], Double, "CASE WHEN rint({0}) > {0} THEN rint({0}) - 1D ELSE rint({0}) END"),
        alike(
            &["ceil", "ceiling"],
            &[Of(Double)],
            Double,
            "CASE WHEN rint({0}) < {0} THEN rint({0}) + 1D ELSE rint({0}) END",
        ),
        alike(&["sqrt"], &[As(Double)], Double, "nanvl(sqrt({0}), CAST('NaN' AS DOUBLE))"),
        alike(&["isnan"], &[Of(Float)], Bool, "CASE WHEN {0} IS NOT NULL THEN isnan({0}) END"),
        alike(&["isnan"], &[Of(Double)], Bool, "CASE WHEN {0} IS NOT NULL THEN isnan({0}) END"),
        alike(&["isinf"], &[Of(Float)], Bool, "abs({0}) = CAST('Infinity' AS FLOAT)"),
        alike(&["isinf"], &[Of(Double)], Bool, "abs({0}) = CAST('Infinity' AS DOUBLE)"),
        alike(&["isfinite"], &[Of(Float)], Bool, "abs({0}) < CAST('Infinity' AS FLOAT)"),
        alike(&["isfinite"], &[Of(Double)], Bool, "abs({0}) < CAST('Infinity' AS DOUBLE)"),
        alike(
            &["length", "len", "char_length", "character_length"],
            &[Of(Text)],
            Long,
            "CAST(char_length({0}) AS BIGINT)",
        ),
        alike(&["contains"], &[Of(Text), Of(Text)], Bool, "contains({0}, {1})"),
        alike(&["starts_with", "prefix"], &[Of(Text), Of(Text)], Bool, "startswith({0}, {1})"),
        alike(&["ends_with", "suffix"], &[Of(Text), Of(Text)], Bool, "endswith({0}, {1})"),
        alike(&["replace"], &[Of(Text), Word, Of(Text)], Text, "replace({0}, {1}, {2})"),
        alike(&["trim"], &[Of(Text)], Text, "trim({0})"),
        alike(&["ltrim"], &[Of(Text)], Text, "ltrim({0})"),
        alike(&["rtrim"], &[Of(Text)], Text, "rtrim({0})"),
        alike(&["left"], &[Of(Text), AtLeast(0)], Text, "left({0}, {1})"),
        alike(&["substring", "substr"], &[Of(Text), AtLeast(1)], Text, "substring({0}, {1})"),
        alike(&["substring", "substr"], &[Of(Text), AtLeast(1), AtLeast(0)], Text, "substring({0}, {1}, {2})"),
        alike(&["year"], &[Of(Time)], Long, "CAST(year({0}) AS BIGINT)"),
        alike(&["month"], &[Of(Time)], Long, "CAST(month({0}) AS BIGINT)"),
        alike(&["day", "dayofmonth"], &[Of(Time)], Long, "CAST(day({0}) AS BIGINT)"),
        alike(&["hour"], &[Of(Time)], Long, "CAST(hour({0}) AS BIGINT)"),
        alike(&["minute"], &[Of(Time)], Long, "CAST(minute({0}) AS BIGINT)"),
        alike(&["second"], &[Of(Time)], Long, "CAST(second({0}) AS BIGINT)"),
        // Sunday is 0 in DuckDB, and 1 in Spark.
        alike(&["dayofweek", "weekday"], &[Of(Time)], Long, "CAST(dayofweek({0}) - 1 AS BIGINT)"),
        alike(&["epoch_us"], &[Of(Time)], Long, "unix_micros({0})"),
    ]
};

/// A function of arguments.
///
/// # Errors
/// When it is not computed alike for these.
pub(super) fn call(name: &str, arguments: &[Value]) -> Result<Value, Refused> {
    if OF_ANY.contains(&name) {
        return of_any(name, arguments);
    }
    let mut known = ALIKE.iter().filter(|function| function.names.contains(&name)).peekable();
    if known.peek().is_none() {
        return Err(format!("`{name}` is not computed alike by clusters, or nobody has looked at it"));
    }
    let found = known.find_map(|function| Some(function.with(&function.arguments(arguments)?)));
    found.ok_or_else(|| {
        let kinds: Vec<&str> = arguments.iter().map(|argument| argument.kind.sql()).collect();
        format!("`{name}` of {} is not computed alike by clusters, or nobody has looked at it", kinds.join(", "))
    })
}

impl Alike {
    /// Its arguments in SQL, if they are such.
    fn arguments(&self, arguments: &[Value]) -> Option<Vec<String>> {
        if arguments.len() != self.takes.len() {
            return None;
        }
        arguments.iter().zip(self.takes).map(|(argument, takes)| takes.of(argument)).collect()
    }

    fn with(&self, arguments: &[String]) -> Value {
        let parts = self.sql.split('{').enumerate().map(|(number, part)| match part.split_once('}') {
            Some((position, rest)) if number > 0 => {
                let argument = position.parse().ok().and_then(|position: usize| arguments.get(position));
                format!("{}{rest}", argument.map_or("", String::as_str))
            }
            _ => part.to_owned(),
        });
        Value::of(&parts.collect::<String>(), self.gives)
    }
}

impl Takes {
    fn of(self, argument: &Value) -> Option<String> {
        match self {
            Self::Of(kind) => (argument.kind == kind).then(|| argument.sql.clone()),
            Self::As(kind) => argument.to(kind).ok(),
            Self::AtLeast(least) => {
                let number = argument.as_constant_integer()?;
                (number >= least && i32::try_from(number).is_ok()).then(|| number.to_string())
            }
            Self::Word => argument.as_constant_text().filter(|word| !word.is_empty()).map(|_| argument.sql.clone()),
        }
    }
}

/// Functions of arguments that meet as one kind.
fn of_any(name: &str, arguments: &[Value]) -> Result<Value, Refused> {
    let wrong = || Err(format!("`{name}` has other arguments than clusters know"));
    let texts = |wrap: &dyn Fn(&str) -> String, arguments: &[Value]| {
        let kind = common(arguments)?;
        let arguments = arguments.iter().map(|argument| argument.to(kind).map(|sql| wrap(&sql)));
        Ok::<_, Refused>((kind, arguments.collect::<Result<Vec<_>, _>>()?.join(", ")))
    };
    let plain = |sql: &str| sql.to_owned();
    match (name, arguments) {
        ("if", [condition, values @ ..]) if values.len() == 2 => {
            let (kind, values) = texts(&plain, values)?;
            Ok(Value::of(&format!("if({}, {values})", condition.to(Kind::Bool)?), kind))
        }
        // What is no text becomes one first, in another way.
        ("concat", [_, ..]) if arguments.iter().all(|argument| argument.kind == Kind::Text) => {
            let (kind, arguments) = texts(&|sql| format!("coalesce({sql}, '')"), arguments)?;
            Ok(Value::of(&format!("concat({arguments})"), kind))
        }
        // The first one keeps its type in DuckDB. To `nullif` of Sail, zeros with and without a sign are two values.
        ("nullif", [value, other]) if value.kind.common(other.kind) == Some(value.kind) => {
            let kind = value.kind;
            let (value, other) = (&value.sql, other.to(value.kind)?);
            Ok(Value::of(&format!("CASE WHEN {value} = {other} THEN NULL ELSE {value} END"), kind))
        }
        ("coalesce" | "greatest" | "least", [_, _, ..]) | ("ifnull", [_, _]) => {
            let (kind, arguments) = texts(&plain, arguments)?;
            let name = if name == "ifnull" { "coalesce" } else { name };
            Ok(Value::of(&format!("{name}({arguments})"), kind))
        }
        _ => wrong(),
    }
}
