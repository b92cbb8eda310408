//! Join keys have the type of their entity, exactly.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int32Array, UInt64Array};
use serde_json::json;

use super::{days, floats, historical, ints, materialize, online, refusal, repo, write_parquet};
use crate::support::{Project, settings};

fn decimals(value: i128, precision: u8, scale: i8) -> ArrayRef {
    Arc::new(Decimal128Array::from(vec![value]).with_precision_and_scale(precision, scale).unwrap())
}

/// A repo whose source has these keys; its values count from 10.
fn keyed(keys: ArrayRef) -> Project {
    let project = repo("data/s.parquet", &[("p", "Int64")]);
    let rows = keys.len();
    let columns = vec![("id", keys), ("ts", days(rows)), ("p", ints((10..).take(rows)))];
    write_parquet(&project, "data/s.parquet", columns);
    project.write("e.csv", "id,event_timestamp\n2,2026-02-01T00:00:00Z\n");
    project
}

#[test]
fn fractions_are_no_integers() {
    for keys in [
        floats([1.6]),
        floats([2.0, 1.6]),
        decimals(160, 10, 2),
        floats([f64::INFINITY]),
        floats([9_223_372_036_854_775_808.0]),
    ] {
        let error = refusal(&keyed(keys.clone()));
        assert!(error.contains("`id`") && error.contains("data/s.parquet"), "{keys:?}: {error}");
        assert!(!error.contains("Float64"), "no other type is better: {error}");
    }
    let error = refusal(&keyed(Arc::new(BooleanArray::from(vec![true]))));
    assert!(error.contains("`id`"), "{error}");
}

#[test]
fn whole_numbers_are_integers() {
    for keys in [
        // What pandas writes where a key is missing, and Spark for NUMBER(20).
        floats([2.0, f64::NAN]),
        Arc::new(Float64Array::from(vec![Some(2.0), None])) as ArrayRef,
        decimals(2, 20, 0),
        decimals(200, 10, 2),
        Arc::new(Int32Array::from(vec![2])),
        Arc::new(UInt64Array::from(vec![2])),
    ] {
        let project = keyed(keys.clone());
        materialize(&project);
        assert_eq!(online(&project, 2), 10, "{keys:?}");
        assert_eq!(historical(&project, "e.csv"), ["2,2026-02-01T00:00:00Z,10"], "{keys:?}");
        // The same rows may be asked for by such a column, too.
        let times = days(keys.len());
        write_parquet(&project, "e.parquet", vec![("id", keys.clone()), ("event_timestamp", times)]);
        let rows = historical(&project, "e.parquet");
        assert!(rows[0].ends_with(",10"), "{keys:?}: {rows:?}");
        assert!(rows.get(1).is_none_or(|row| row.ends_with(',')), "{keys:?}: {rows:?}");
    }
}

#[test]
fn large_keys_are_exact() {
    let large = (1 << 53) + 1;
    let project = keyed(ints([large, large - 1]));
    materialize(&project);
    assert_eq!((online(&project, large), online(&project, large - 1)), (json!(10), json!(11)));
    project.write("e.csv", format!("id,event_timestamp\n{large},2026-02-01\n{},2026-02-01\n", large - 1));
    project.write("e.jsonl", format!("{{\"id\":{large},\"event_timestamp\":\"2026-02-01\"}}\n"));
    let values =
        |file| historical(&project, file).iter().map(|row| row[row.len() - 2..].to_owned()).collect::<Vec<_>>();
    assert_eq!((values("e.csv"), values("e.jsonl")), (vec!["10".into(), "11".into()], vec!["10".into()]));
}

#[test]
fn one_column_may_be_a_key_of_two_types() {
    let definitions = "entities:
  - {name: a, join_keys: [id], value_type: INT32}
  - {name: b, join_keys: [id], value_type: INT64}
  - {name: c, join_keys: [id], value_type: STRING}
data_sources:
  - {name: s, type: file, path: data/s.parquet, timestamp_field: ts}
  - {name: t, type: file, path: data/t.csv, file_format: csv, timestamp_field: ts}
feature_views:
  - {name: va, entities: [a], ttl: 0, schema: [{name: p, dtype: Int64}], source: s}
  - {name: vb, entities: [b], ttl: 0, schema: [{name: q, dtype: Int64}], source: s}
  - {name: vc, entities: [c], ttl: 0, schema: [{name: r, dtype: Int64}], source: t}
";
    let project = Project::new(&[("feature_store.yaml", &settings("demo")), ("definitions.yaml", definitions)]);
    project.write("data/t.csv", "id,ts,r\n1,2026-01-01,3\n");
    let columns = vec![("id", ints([1])), ("ts", days(1)), ("p", ints([1])), ("q", ints([2]))];
    write_parquet(&project, "data/s.parquet", columns);
    materialize(&project);
    let values = |features: &[&str]| {
        let args = [&["get-online", "--entity", "id=1", "--json", "--features"], features].concat();
        let answer = project.feastr(&args).ok().json();
        let results = answer["results"].as_array().unwrap();
        results[1..].iter().map(|result| result["values"][0].clone()).collect::<Vec<_>>()
    };
    assert_eq!(values(&["vb:q"]), [2]);
    assert_eq!(values(&["va:p", "vb:q", "vc:r"]), [1, 2, 3]);
    assert_eq!(values(&["vc:r", "vb:q", "va:p"]), [3, 2, 1]);
    project.write("e.csv", "id,event_timestamp\n1,2026-02-01\n");
    let args = ["get-historical", "--entities", "e.csv", "--format", "csv", "--features", "va:p", "vb:q", "vc:r"];
    let rows = project.feastr(&args).ok().stdout;
    assert!(rows.ends_with(",1,2,3\n"), "{rows}");
}
