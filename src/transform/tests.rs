use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Float32Array, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray},
    datatypes::{DataType as ArrowType, Float64Type, Int64Type, TimestampMicrosecondType},
    util::pretty::pretty_format_columns,
};

use super::*;
use crate::{
    expression::testing::{computed, request, view},
    feast::values::encode::micros_in_utc,
    model::{DataType, OnDemandFeatureView},
};

fn evaluate(view: &OnDemandFeatureView, columns: &[(&str, ArrayRef)]) -> (Evaluator, Computed) {
    let find = |name: &str| columns.iter().find(|(known, _)| *known == name).map(|(_, column)| column);
    let engine = Arc::new(Engine::default());
    let evaluator = Evaluator::new(&engine, view, |name| find(name).unwrap().data_type().clone()).unwrap();
    let rows = columns.first().map_or(3, |(_, column)| column.len());
    let computed = evaluator.compute(rows, find).unwrap();
    (evaluator, computed)
}

#[test]
fn outputs_are_of_their_types_and_in_the_order_of_rows() {
    let sources = vec![
        view("v", &[("rate", DataType::Float32), ("trips", DataType::Int64)]),
        request("r", &[("tip", DataType::Int64)]),
    ];
    let outputs = [
        ("sum", DataType::Float64, "rate + tip"),
        ("twice", DataType::Int64, "trips * 2"),
        ("text", DataType::String, "'t' || trips"),
    ];
    let rows = 5_000;
    let columns: [(&str, ArrayRef); 3] = [
        ("v__rate", Arc::new(Float32Array::from_iter((0..rows).map(|row| (row % 7 > 0).then_some(0.5))))),
        ("v__trips", Arc::new(Int64Array::from_iter_values(0..rows))),
        // Texts of a CSV file.
        ("tip", Arc::new(StringArray::from_iter_values((0..rows).map(|row| row.to_string())))),
    ];
    let (evaluator, computed) = evaluate(&computed(sources, &outputs), &columns);
    assert_eq!(computed.failed, []);
    let names: Vec<_> = evaluator.outputs().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["sum", "twice", "text"]);
    let sums = computed.columns[0].as_primitive::<Float64Type>();
    assert!(sums.is_null(0) && sums.is_null(7) && sums.value(4_999) == 4_999.5);
    let twice = computed.columns[1].as_primitive::<Int64Type>();
    assert!(twice.values().iter().enumerate().all(|(row, value)| *value == 2 * row as i64));
    assert_eq!(computed.columns[2].as_string::<i32>().value(3), "t3");
}

#[test]
fn what_is_no_number_is_no_value() {
    let sources = vec![view("v", &[("x", DataType::Float64)])];
    let outputs = [("y", DataType::Float64, "x - x"), ("z", DataType::Float64, "coalesce(x, 1)")];
    let values = [Some(f64::NAN), Some(f64::INFINITY), None, Some(2.0)];
    let (_, computed) =
        evaluate(&computed(sources, &outputs), &[("v__x", Arc::new(Float64Array::from(values.to_vec())))]);
    let column = |index: usize| computed.columns[index].as_primitive::<Float64Type>().iter().collect::<Vec<_>>();
    assert_eq!(column(0), [None, None, None, Some(0.0)]);
    assert_eq!(column(1), [Some(1.0), Some(f64::INFINITY), Some(1.0), Some(2.0)]);
}

#[test]
fn a_value_that_cannot_be_computed_leaves_the_others() {
    let sources = vec![view("v", &[("x", DataType::Int64)])];
    let outputs =
        [("small", DataType::Int32, "x"), ("inverse", DataType::Int64, "100 // x"), ("plus", DataType::Int64, "x + 1")];
    let columns: [(&str, ArrayRef); 1] =
        [("v__x", Arc::new(Int64Array::from(vec![Some(1), Some(0), None, Some(i64::MAX), Some(7)])))];
    let (evaluator, computed) = evaluate(&computed(sources, &outputs), &columns);
    let failed: Vec<_> = computed.failed.iter().map(|cell| (cell.row, cell.output)).collect();
    assert_eq!(failed, [(3, 0), (1, 1), (3, 2)]);
    let shown = pretty_format_columns("plus", &computed.columns[2..]).unwrap().to_string();
    assert!(shown.contains("| 2    |") && shown.contains("| 8    |"), "{shown}");
    let reasons: Vec<String> =
        computed.failed.iter().map(|cell| evaluator.reason(cell, |_| Some(&columns[0].1)).unwrap()).collect();
    assert!(
        reasons[0].contains("out of range") && reasons[1].contains("zero") && reasons[2].contains("verflow"),
        "{reasons:?}"
    );
    // What expressions have in common fails in each of them alone.
    let shared = [("one", DataType::Int64, "100 // x"), ("two", DataType::Int64, "100 // x + 1")];
    let (_, both) = evaluate(&self::computed(vec![view("v", &[("x", DataType::Int64)])], &shared), &columns);
    assert_eq!(both.failed.iter().map(|cell| (cell.row, cell.output)).collect::<Vec<_>>(), [(1, 0), (1, 1)]);
    // The next rows are computed as if nothing had been.
    let next: ArrayRef = Arc::new(Int64Array::from(vec![2]));
    assert_eq!(evaluator.compute(1, |_| Some(&next)).unwrap().failed, []);
}

#[test]
fn times_are_those_of_utc_and_no_rows_are_no_outputs() {
    let sources = vec![view("v", &[("moment", DataType::UnixTimestamp)])];
    let outputs = [
        ("next", DataType::UnixTimestamp, "moment + INTERVAL 1 DAY"),
        ("list", "Array(Int64)".parse().unwrap(), "[epoch(moment)::BIGINT, NULL]"),
        ("one", DataType::Int32, "1"),
    ];
    let moments: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![Some(1_000_000), None]).with_timezone("UTC"));
    let (evaluator, found) = evaluate(&computed(sources, &outputs), &[("v__moment", Arc::clone(&moments))]);
    assert_eq!(*found.columns[0].data_type(), micros_in_utc());
    assert_eq!(found.columns[0].as_primitive::<TimestampMicrosecondType>().value(0), 86_401_000_000);
    assert!(found.columns[0].is_null(1));
    assert!(matches!(found.columns[1].data_type(), ArrowType::List(_)));
    let empty = moments.slice(0, 0);
    let nothing = evaluator.compute(0, |_| Some(&empty)).unwrap();
    assert_eq!(nothing.columns.iter().map(Array::len).collect::<Vec<_>>(), [0, 0, 0]);
}

#[test]
fn a_view_without_inputs_has_a_value_for_each_row() {
    let (_, found) =
        evaluate(&computed(vec![view("v", &[("x", DataType::Int64)])], &[("one", DataType::Int32, "1")]), &[]);
    assert_eq!(found.columns[0].len(), 3);
}

#[test]
fn threads_compute_side_by_side() {
    let view = computed(vec![view("v", &[("x", DataType::Int64)])], &[("y", DataType::Int64, "x * 3")]);
    let evaluator = Evaluator::new(&Arc::default(), &view, |_| ArrowType::Int64).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4_i64 {
            let evaluator = &evaluator;
            scope.spawn(move || {
                for round in 0..50 {
                    let input: ArrayRef = Arc::new(Int64Array::from(vec![thread, round]));
                    let found = evaluator.compute(2, |_| Some(&input)).unwrap();
                    assert_eq!(found.columns[0].as_primitive::<Int64Type>().values(), &[thread * 3, round * 3]);
                }
            });
        }
    });
}

#[test]
fn expressions_reach_nothing_outside() {
    let engine = Engine::default();
    let connection = engine.connection().unwrap();
    for sql in [
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "SET enable_external_access = true",
    ] {
        assert!(connection.execute_batch(sql).is_err(), "{sql}");
    }
}

#[test]
fn expressions_make_what_is_declared() {
    let sources =
        || vec![view("v", &[("rate", DataType::Float32), ("trips", DataType::Int64), ("name", DataType::String)])];
    let engine = Engine::default();
    let found = |dtype: &str, sql: &str| {
        let view = computed(sources(), &[("out", dtype.parse().unwrap(), sql)]);
        misfits(&engine, &view).unwrap().into_iter().next().map(|misfit| misfit.message)
    };
    for (dtype, sql) in [
        ("Float64", "rate + trips"),
        ("Float32", "trips * 0.5"),
        ("Int32", "trips"),
        ("Bool", "rate > 0.5"),
        ("String", "name || trips"),
        ("Array(Float64)", "[rate, 1]"),
        ("Int64", "NULL"),
        ("UnixTimestamp", "make_timestamp(2026, 1, 1, 0, 0, 0)"),
        ("Json", "json_object('a', 1)"),
        ("Int64", "length(name)"),
    ] {
        assert_eq!(found(dtype, sql), None, "{dtype} {sql}");
    }
    let expected = "the expression makes a DOUBLE, and `out` is declared as Int64";
    assert_eq!(found("Int64", "trips / 2").as_deref(), Some(expected));
    for (dtype, sql) in [
        ("String", "trips"),
        ("Int64", "name"),
        ("Bool", "trips"),
        ("Array(Int64)", "trips"),
        ("Int64", "[trips]"),
        ("Float64", "rate > 1"),
    ] {
        assert!(found(dtype, sql).is_some_and(|message| message.contains("is declared as")), "{dtype} {sql}");
    }
    let message = found("Int32", "CAST('abc' AS INT)").unwrap();
    assert!(message.contains("where its inputs are null") && message.contains("abc"), "{message}");
    let message = found("String", "upper(rate > 1, 2)").unwrap();
    assert!(message.contains("upper"), "{message}");
}
