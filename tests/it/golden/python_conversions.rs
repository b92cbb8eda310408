//! Python values that Feast converted to a declared type: the same columns, written from Arrow.

use arrow::array::{Array, ArrayRef};
use feastr::{
    feast::values::{
        data_types,
        encode::ColumnEncoder,
        value::{Kind, Value},
    },
    model::DataType,
};
use prost::Message;
use serde_json::Value as Json;

use super::{
    python_literals::{Python, column, parse},
    vectors::{array, from_hex, golden, text},
};

#[derive(Debug, PartialEq)]
enum Outcome {
    Refused,
    Bytes(Vec<Vec<u8>>),
}

fn outcome(declared: &DataType, array: &ArrayRef) -> Outcome {
    let Ok(encoder) = ColumnEncoder::new(declared, array.data_type()) else { return Outcome::Refused };
    let column = encoder.bind(array).unwrap();
    let encode = |row| {
        let mut out = Vec::new();
        column.encode(row, &mut out).unwrap();
        out
    };
    Outcome::Bytes((0..array.len()).map(encode).collect())
}

/// The type of a recording. Its name does not say which members a struct has; the values do.
fn declared(value_type: &str, values: &[Python]) -> DataType {
    if value_type != "STRUCT" {
        return data_types::parse_value_type(value_type).unwrap();
    }
    let member = |(name, value): &(String, Python)| match value {
        Python::Int(_) => (name.clone(), DataType::Int64),
        Python::Text(_) => (name.clone(), DataType::String),
        other => panic!("{other:?}"),
    };
    let members = values.iter().find_map(|value| match value {
        Python::Dict(members) => Some(members.iter().map(member).collect()),
        _ => None,
    });
    DataType::Struct(members.unwrap_or_else(|| vec![("a".to_owned(), DataType::Int64)]))
}

/// Whether feastr refuses a column of such values for the declared type, where Python calls `int` or `str`.
fn is_refused(declared: &DataType, value: &Python) -> bool {
    match declared {
        DataType::Int32 | DataType::Int64 => matches!(value, Python::Text(_) | Python::DateTime(..)),
        DataType::String => matches!(value, Python::Int(_) | Python::Float(_)),
        _ => false,
    }
}

/// What a column gives for values that Feast converts otherwise when they are alone.
fn in_columns(declared: &DataType, value: &Python) -> Option<Value> {
    Some(match (declared, value) {
        // Alone, empty bytes are null.
        (DataType::Bytes, Python::Bytes(bytes)) if bytes.is_empty() => Kind::Bytes(Vec::new()).into(),
        // Alone, it is an error.
        (DataType::UnixTimestamp, Python::NaT) => Kind::UnixTimestamp(i64::MIN).into(),
        // Alone, fractions are cut off.
        (DataType::UnixTimestamp, Python::DateTime(micros, _)) => {
            Kind::UnixTimestamp(micros.div_euclid(1_000_000)).into()
        }
        _ => return None,
    })
}

fn expected(recording: &Json, declared: &DataType, values: &[Python]) -> Outcome {
    if values.iter().any(|value| is_refused(declared, value)) {
        return Outcome::Refused;
    }
    Outcome::Bytes(match (values, recording.get("column_hex")) {
        (_, Some(column)) => array(column).iter().map(from_hex).collect(),
        ([value], None) => {
            vec![in_columns(declared, value).map_or_else(|| from_hex(&recording["hex"]), |value| value.encode_to_vec())]
        }
        other => panic!("{other:?}"),
    })
}

#[test]
fn python_conversions() {
    let recordings = golden("vectors/python_conversions.json");
    let (mut compared, mut skipped) = (0, Vec::new());
    for recording in array(&recordings) {
        let (value_type, python) = (text(&recording["value_type"]), text(&recording["python"]));
        let values = match python.strip_prefix("column ").map(parse) {
            Some(Python::List(values)) => values,
            Some(other) => panic!("{other:?}"),
            None => vec![parse(python)],
        };
        // Arrow has no column for values of several types; such lists can only come from Python.
        let Some(column) = column(&values, ["STRUCT", "JSON"].contains(&value_type)) else {
            assert!(values.len() > 1, "{value_type} {python}");
            skipped.push((value_type, python));
            continue;
        };
        let declared = declared(value_type, &values);
        assert_eq!(outcome(&declared, &column), expected(recording, &declared, &values), "{value_type} {python}");
        compared += 1;
    }
    assert!(compared > 5 * skipped.len(), "{compared} were compared, and these cannot be: {skipped:#?}");
}
