use sqlparser::ast::{Expr, VisitMut, VisitorMut};

use super::{operators::translated, parsed::parsed, *};
use crate::{
    expression::testing::{computed, view},
    sql_name,
};

/// Inputs of each kind, as DuckDB declares them.
const INPUTS: [(&str, Kind, &str); 7] = [
    ("i", Kind::Int, "INTEGER"),
    ("l", Kind::Long, "BIGINT"),
    ("f", Kind::Float, "FLOAT"),
    ("d", Kind::Double, "DOUBLE"),
    ("s", Kind::Text, "VARCHAR"),
    ("b", Kind::Bool, "BOOLEAN"),
    ("t", Kind::Time, "TIMESTAMP"),
];

fn translation(sql: &str) -> Result<Value, Refused> {
    let named = |name: &str| {
        let input = INPUTS.iter().find(|(input, ..)| *input == name);
        input.map(|(input, kind, _)| Value::new((*input).to_owned(), *kind)).ok_or_else(|| format!("no `{name}`"))
    };
    translated(&parsed(sql)?, &named)
}

/// What DuckDB finds that an expression is.
fn kind_in_duckdb(session: &duckdb::Connection, sql: &str) -> String {
    let inputs: Vec<String> = INPUTS.iter().map(|(name, _, kind)| format!("CAST(NULL AS {kind}) AS {name}")).collect();
    let question = format!("SELECT typeof({sql}) FROM (SELECT {})", inputs.join(", "));
    session.query_row(&question, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

#[test]
fn what_an_expression_is_is_what_duckdb_finds() {
    let session = duckdb::Connection::open_in_memory().unwrap();
    let operands = ["i", "l", "f", "d", "7", "3000000000", "1.5", "1e3", "NULL", "s", "b", "t"];
    let mut sqls: Vec<String> = Vec::new();
    for left in operands {
        for right in operands {
            sqls.extend(["+", "-", "*", "/", "//", "%", "<", "AND", "||"].map(|op| format!("{left} {op} {right}")));
            sqls.extend(["coalesce", "greatest", "nullif"].map(|name| format!("{name}({left}, {right})")));
            sqls.push(format!("CASE WHEN b THEN {left} ELSE {right} END"));
            sqls.push(format!("if(b, {left}, {right})"));
            sqls.push(format!("{left} IN ({right}, NULL)"));
        }
        sqls.extend(["INT", "BIGINT", "REAL", "DOUBLE", "TEXT", "BOOL"].map(|kind| format!("{left}::{kind}")));
        let functions = ["abs", "round", "floor", "ceil", "sqrt", "isnan", "isinf", "isfinite", "length", "trim"];
        sqls.extend(functions.map(|name| format!("{name}({left})")));
        let parts = ["year", "month", "day", "hour", "minute", "second", "dayofweek", "epoch_us"];
        sqls.extend(parts.map(|name| format!("{name}({left})")));
        sqls.extend([format!("-{left}"), format!("{left} IS NULL"), format!("EXTRACT(year FROM {left})")]);
    }
    sqls.extend(
        ["left(s, 2)", "substring(s, 2)", "substr(s, 1, 2)", "concat(s, 'x')", "replace(s, 'a', s)"].map(Into::into),
    );
    let (mut compared, mut others) = (0, Vec::new());
    for sql in &sqls {
        let Ok(value) = translation(sql) else { continue };
        let kind = kind_in_duckdb(&session, sql);
        let is_that = match value.kind {
            _ if kind == "\"NULL\"" => true,
            Kind::Decimal => kind.starts_with("DECIMAL"),
            found => INPUTS.iter().any(|(_, input, name)| *input == found && **name == kind),
        };
        if !is_that {
            others.push(format!("{sql} is {kind} in DuckDB, and {:?} here: {}", value.kind, value.sql));
        }
        compared += 1;
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
    assert!(compared > 500, "only {compared}");
}

/// Sets brackets around each part of an expression.
struct Brackets;

impl VisitorMut for Brackets {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut Expr) -> std::ops::ControlFlow<()> {
        let inner = std::mem::replace(expression, Expr::Tuple(Vec::new()));
        *expression = Expr::Nested(Box::new(inner));
        std::ops::ControlFlow::Continue(())
    }
}

#[test]
fn parts_belong_together_as_in_duckdb() {
    let session = duckdb::Connection::open_in_memory().unwrap();
    let tree = |sql: &str| -> String {
        let question =
            "SELECT regexp_replace(json_serialize_sql('SELECT ' || ?), '\"query_location(_length)?\":[0-9]+', '', 'g')";
        session.query_row(question, [sql], |row| row.get(0)).unwrap()
    };
    let operators =
        ["+", "*", "/", "//", "%", "||", "=", "<", "AND", "OR", "BETWEEN 1 AND", "LIKE", "IS DISTINCT FROM"];
    let mut sqls: Vec<String> = Vec::new();
    for first in operators {
        for second in operators {
            sqls.push(format!("a {first} c {second} e"));
            sqls.push(format!("a {first} - c {second} NOT e"));
        }
        sqls.extend([format!("NOT a {first} c"), format!("-a {first} c"), format!("a {first} c IS NULL")]);
        sqls.extend([format!("a {first} c::INT"), format!("-a::INT {first} c"), format!("a {first} c IN (1, 2)")]);
    }
    let (mut compared, mut others) = (0, Vec::new());
    for sql in &sqls {
        // What DuckDB does not read never comes so far.
        let Ok(mut expression) = parsed(sql) else { continue };
        let ours = tree(sql);
        if ours.contains("\"error\":true") {
            continue;
        }
        let _ = VisitMut::visit(&mut expression, &mut Brackets);
        let with_brackets = expression.to_string();
        if tree(&with_brackets) != ours {
            others.push(format!("{sql} is read as {with_brackets}"));
        }
        compared += 1;
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
    assert!(compared > 200, "only {compared}");
}

#[test]
fn what_is_not_alike_is_refused_with_the_reason() {
    let refused = |sql: &str| translation(sql).unwrap_err();
    for (sql, reason) in [
        ("upper(s)", "`upper` is not computed alike"),
        ("round(d, 2)", "`round` of DOUBLE, INT"),
        ("i * 1.5", "write 1.5e0"),
        ("f * 0.123456789", "more digits"),
        ("d % 2e0", "`%` of numbers that are not whole"),
        ("try(i)", "`try` is not"),
        ("d::VARCHAR", "cast from DOUBLE to STRING"),
        ("TRY_CAST(s AS INT)", "compute differently"),
        ("s LIKE s", "pattern"),
        (r"s LIKE 'a\%'", "pattern"),
        ("substring(s, 0)", "`substring` of STRING, INT"),
        ("i + s", "INT and STRING meet"),
        ("t < '2020-01-01'", "TIMESTAMP and STRING meet"),
        ("[i]", "compute differently"),
        ("b = b IN (true, false)", "needs brackets"),
        ("s || s + s", "needs brackets"),
        ("9223372036854775808", "64 bits"),
    ] {
        let said = refused(sql);
        assert!(said.contains(reason), "{sql}: {said}");
    }
}

#[test]
fn what_is_long_or_grows_is_refused_and_not_tried() {
    assert!(translation(&["d"; 40].join(" / ")).unwrap_err().contains("too long"));
    assert!(translation(&["d"; 2000].join("+")).unwrap_err().contains("longer than"));
    // As deep as an expression can be.
    assert!(translation(&["f"; 512].join("+")).is_ok());
}

#[test]
fn outputs_are_what_is_declared() {
    let inputs = view("v", &[("rate", DataType::Float32), ("trips", DataType::Int64), ("name", DataType::String)]);
    let features = [
        ("plus", DataType::Float64, "rate + 1.5"),
        ("busy", DataType::Bool, "trips > 10 AND name = 'it''s \\ it'"),
        ("each", DataType::Int32, "100 // v__trips"),
        ("odd", DataType::String, "upper(name)"),
    ];
    let view = computed(vec![inputs], &features);
    let value = |input: &Input| Ok(Value::new(sql_name::quoted(&input.name), declared(&input.dtype)?));
    let written: Vec<Result<String, Refused>> = outputs(&view, &value);
    insta::assert_snapshot!(
        written.into_iter().map(|sql| sql.unwrap_or_else(|why| why)).collect::<Vec<_>>().join("\n"),
        @r#"
    nanvl(CAST(nanvl("rate" + CAST('1.5' AS FLOAT), CAST('NaN' AS FLOAT)) AS DOUBLE), CAST(NULL AS DOUBLE))
    (("trips" > CAST((10) AS BIGINT)) AND ("name" = 'it\'s \\ it'))
    CAST((CASE WHEN CAST((100) AS BIGINT) IS NOT NULL THEN CAST(CAST((100) AS BIGINT) div "trips" AS BIGINT) END) AS INT)
    `upper` is not computed alike by clusters, or nobody has looked at it
    "#
    );
    let misfits = misfits(&view);
    assert_eq!(misfits.iter().map(|misfit| misfit.output).collect::<Vec<_>>(), [3]);
    assert!(misfits[0].only_elsewhere);
}
