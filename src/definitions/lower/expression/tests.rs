use std::sync::Arc;

use super::*;
use crate::{
    diagnostics::SourceText,
    model::{DataSource, Field, OnDemandSource, Projection, RequestSource, SourceKind, Tags},
};

fn inputs() -> Inputs {
    let view = |view: &str, columns: &[(&str, &str)]| {
        let features = columns.iter().map(|(name, dtype)| Field::new(*name, dtype.parse().unwrap())).collect();
        OnDemandSource::View(Projection {
            view: view.to_owned(),
            features,
            name_alias: None,
            join_key_map: Tags::new(),
            source: None,
            labels: false,
        })
    };
    let schema = vec![Field::new("val_to_add", DataType::Int64)];
    let sources = [
        view("fresh", &[("acc_rate", "Float32"), ("attributes", "Map")]),
        view(
            "stats",
            &[
                ("conv_rate", "Float32"),
                ("acc_rate", "Float32"),
                ("place", "Struct(lat: Float64, lon: Float64)"),
                ("trips", "Array(Int64)"),
            ],
        ),
        OnDemandSource::Request(DataSource::new("asked", SourceKind::Request(RequestSource { schema }))),
    ];
    Inputs { columns: crate::expression::inputs(&sources), join_keys: vec!["driver_id".to_owned()] }
}

/// The findings about an expression: the text they point at, and what they say.
fn findings(sql: &str) -> Vec<(String, String, Option<String>)> {
    let file = Arc::new(SourceText::new("t.yaml", sql));
    let value = Spanned { value: sql.to_owned(), span: Span::new(&file, 0..sql.len()) };
    let mut diagnostics = Diagnostics::default();
    check(&value, &inputs(), &mut diagnostics);
    let found = diagnostics.into_sorted();
    found
        .into_iter()
        .map(|d| (d.span.unwrap().text().to_owned(), d.message, d.advice.map(|advice| advice.to_string())))
        .collect()
}

#[test]
fn scalar_expressions_are_fine() {
    for sql in [
        "conv_rate + val_to_add",
        "stats__acc_rate - fresh__acc_rate",
        "CASE WHEN conv_rate > 0.5 THEN 'high' ELSE 'low' END",
        "coalesce(conv_rate, 0)::DOUBLE",
        "CAST(val_to_add AS VARCHAR) || 'x'",
        "round(\"conv_rate\" * 100, 2)",
        "conv_rate IS NULL OR conv_rate BETWEEN 0 AND 1",
        "val_to_add IN (1, 2, 3)",
        "place.lat + stats__place.lon",
        "list_transform(trips, lambda x: x + val_to_add)",
        "list_sum(list_filter(trips, lambda x: x > 1))",
        "trips[1]",
        "{'a': conv_rate}",
        "extract(hour FROM TIMESTAMP '2026-01-01 12:00:00')",
        "date_diff('day', DATE '2026-01-01', DATE '2026-02-01')",
        "age(DATE '2026-01-01', DATE '2026-02-01')",
        "if(conv_rate > 0, 1, 0)",
        "NOT (conv_rate < 1)",
        "substring('abc', 1, 2) LIKE 'a%'",
        "-- a comment\nconv_rate",
    ] {
        assert_eq!(findings(sql), [], "{sql}");
    }
}

#[test]
fn other_expressions_are_refused_where_they_go_wrong() {
    for (sql, at, message) in [
        ("conv_rte + 1", "conv_rte", "there is no input `conv_rte`"),
        ("CONV_RATE", "CONV_RATE", "there is no input `CONV_RATE`"),
        ("1 + acc_rate", "acc_rate", "`acc_rate` could come from several inputs"),
        ("driver_id", "driver_id", "there is no input `driver_id`"),
        ("stats.conv_rate", "stats.conv_rate", "`stats.conv_rate` is not how an input is written"),
        ("attributes", "attributes", "`attributes` has values of type Map, which expressions cannot use"),
        ("sum(conv_rate)", "sum", "the aggregate `sum` cannot stand in an expression"),
        ("count(*)", "count", "the aggregate `count` cannot stand in an expression"),
        ("row_number() OVER ()", "row_number", "the window function `row_number` cannot stand in an expression"),
        ("(SELECT 1)", "SELECT 1", "a subquery cannot stand in an expression"),
        ("1 + (SELECT max(x) FROM t)", "", "a subquery cannot stand in an expression"),
        ("conv_rate IN (SELECT 1)", "SELECT 1", "a subquery cannot stand in an expression"),
        ("EXISTS (SELECT 1)", "SELECT 1", "a subquery cannot stand in an expression"),
        ("read_text('/etc/passwd')", "read_text", "`read_text` cannot stand in an expression"),
        ("unnest(trips)", "unnest", "`unnest` cannot stand in an expression"),
        ("random()", "random", "the value of `random` depends on when and where it is computed"),
        ("now()", "now", "the value of `now` depends on when and where it is computed"),
        (
            "current_timestamp",
            "current_timestamp",
            "the value of `current_timestamp` depends on when and where it is computed",
        ),
        ("uuid()", "uuid", "the value of `uuid` depends on when and where it is computed"),
        ("age(DATE '2026-01-01')", "age", "the value of `age(x)` depends on when and where it is computed"),
        ("getenv('HOME')", "getenv", "the value of `getenv` depends on when and where it is computed"),
        ("rund(conv_rate)", "rund", "there is no function `rund` for expressions"),
        ("conv_rate, 1", ",", "only one expression per output"),
        ("conv_rate; DROP TABLE x", ";", "an expression has no semicolon"),
        ("conv_rate AS x", "AS", "the expression should end here"),
        ("conv_rate +", "", ""),
        ("(conv_rate", "", ""),
        ("conv_rate + * 2", "*", ""),
        ("'open", "", ""),
        ("?", "?", "an expression has no parameters"),
        ("$1", "$1", "an expression has no parameters"),
        ("  ", "  ", "the expression is empty"),
        ("list_filter(trips, x -> x > 1)", "x -> x > 1", "`->` is not a lambda in every DuckDB"),
        ("list_transform(trips, lambda x: x + y)", "y", "there is no input `y`"),
    ] {
        let found = findings(sql);
        assert_eq!(found.len(), 1, "{sql}: {found:?}");
        if !message.is_empty() {
            assert_eq!(found[0].1, message, "{sql}");
        }
        if !at.is_empty() {
            assert_eq!(found[0].0, at, "{sql}");
        }
    }
}

#[test]
fn every_mistake_of_an_expression_is_found() {
    let found = findings("conv_rte + sum(valto_add) +\n  random()");
    assert_eq!(found.len(), 4, "{found:?}");
    assert_eq!(found[0].2.as_deref(), Some("did you mean `conv_rate`?"));
    assert_eq!(findings("acc_rate")[0].2.as_deref(), Some("write `fresh__acc_rate` or `stats__acc_rate`"));
    assert_eq!(findings("stats.conv_rate")[0].2.as_deref(), Some("write `stats__conv_rate`"));
}

#[test]
fn hostile_expressions_end() {
    let deep = format!("{}1{}", "(".repeat(2000), ")".repeat(2000));
    let minus = format!("{}1", "- ".repeat(4000));
    let not = format!("{}true", "NOT ".repeat(2000));
    let long = vec!["val_to_add"; 700].join("+");
    let chain = vec!["1"; 4096].join("+");
    let cast = format!("1{}", "::INT".repeat(1600));
    for sql in [deep, minus, not, "x".repeat(9000)] {
        assert_eq!(findings(&sql).len(), 1, "{}", &sql[..20]);
    }
    for (open, close) in [("(", ")"), ("abs(", ")"), ("[", "]"), ("CASE WHEN true THEN ", " END")] {
        let found = |depth: usize| findings(&format!("{}1{}", open.repeat(depth), close.repeat(depth)));
        assert_eq!(found(45), [], "{open}");
        assert_eq!(found(49)[0].1, "the expression is nested too deeply", "{open}");
    }
    for sql in [long, chain, cast] {
        assert!(sql.len() <= MAX_LENGTH, "{}", sql.len());
        assert_eq!(findings(&sql), []);
    }
}
