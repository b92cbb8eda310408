//! Python values that Feast converted to a declared type: the same columns, written from Arrow.

use arrow::array::{Array, ArrayRef};
use feastr::{
    feast::{data_types, encode::ColumnEncoder},
    model::DataType,
};
use serde_json::Value as Json;

use super::{
    python_literals::{Python, column, parse},
    vectors::{array, from_hex, golden, text},
};

/// Recordings that no Arrow column can express: the values have no common type.
const NOT_IN_ARROW: [(&str, &str); 8] = [
    ("INT32", "column [1, None, 2.0, '3', True]"),
    ("INT64", "column [1, None, nan, 9007199254740993, Timestamp('2021-04-12 00:00:00.900000+0000', tz='UTC')]"),
    ("STRING", "column ['a', None, '', 5]"),
    ("BOOL", "column [True, None, False, 1]"),
    ("JSON", "column [{'a': 1}, '{\"b\":2}', None]"),
    ("UUID", "column [UUID('00000000-0000-0000-0000-000000000005'), '00000000-0000-0000-0000-000000000006', None]"),
    ("DECIMAL", "column [Decimal('1.50'), '2.0', None]"),
    (
        "UNIX_TIMESTAMP",
        "column [datetime.datetime(2021, 4, 12, 1, 2, 3, 900000, tzinfo=datetime.timezone.utc), None, NaT, \
         datetime.datetime(1969, 12, 31, 23, 59, 58, 500000, tzinfo=datetime.timezone.utc), 17, \
         datetime.datetime(2021, 4, 12, 0, 0)]",
    ),
];

/// Recordings whose column type is refused for the declared type, where Python calls `int` or `str`.
const REFUSED: [(&str, &str); 3] =
    [("INT32", "'3'"), ("INT64", "Timestamp('2021-04-12 00:00:00.900000+0000', tz='UTC')"), ("STRING", "5")];

/// Single Python values that Feast converts otherwise than a column of them, with the bytes of a column.
const OTHERWISE_IN_COLUMNS: [(&str, &str, &[u8]); 3] = [
    // Alone, empty bytes are null.
    ("BYTES", "b''", &[0x0a, 0]),
    // Alone, it is an error.
    ("UNIX_TIMESTAMP", "NaT", &[0x40, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]),
    // Alone, fractions are cut off.
    (
        "UNIX_TIMESTAMP",
        "datetime.datetime(1969, 12, 31, 23, 59, 58, 500000, tzinfo=datetime.timezone.utc)",
        &[0x40, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
    ),
];

#[derive(Debug, PartialEq)]
enum Outcome {
    NotInArrow,
    Refused,
    Bytes(Vec<Vec<u8>>),
}

fn outcome(declared: &DataType, column: Option<ArrayRef>) -> Outcome {
    let Some(array) = column else { return Outcome::NotInArrow };
    let Ok(encoder) = ColumnEncoder::new(declared, array.data_type()) else { return Outcome::Refused };
    let column = encoder.bind(&array).unwrap();
    let encode = |row| {
        let mut out = Vec::new();
        column.encode(row, &mut out).unwrap();
        out
    };
    Outcome::Bytes((0..array.len()).map(encode).collect())
}

fn declared(value_type: &str) -> DataType {
    match value_type {
        "STRUCT" => "Struct(a: Int64)".parse().unwrap(),
        name => data_types::parse_value_type(name).unwrap(),
    }
}

fn expected(recording: &Json) -> Outcome {
    let entry = (text(&recording["value_type"]), text(&recording["python"]));
    if NOT_IN_ARROW.contains(&entry) {
        return Outcome::NotInArrow;
    }
    if REFUSED.contains(&entry) {
        return Outcome::Refused;
    }
    let otherwise = OTHERWISE_IN_COLUMNS.iter().find(|(value_type, python, _)| (*value_type, *python) == entry);
    Outcome::Bytes(match (otherwise, recording.get("column_hex")) {
        (Some((.., bytes)), _) => vec![bytes.to_vec()],
        (None, Some(column)) => array(column).iter().map(from_hex).collect(),
        (None, None) => vec![from_hex(&recording["hex"])],
    })
}

#[test]
fn python_conversions() {
    let recordings = golden("vectors/python_conversions.json");
    let mut seen = Vec::new();
    for recording in array(&recordings) {
        let (value_type, python) = (text(&recording["value_type"]), text(&recording["python"]));
        let values = match python.strip_prefix("column ").map(parse) {
            Some(Python::List(values)) => values,
            Some(other) => panic!("{other:?}"),
            None => vec![parse(python)],
        };
        let column = column(&values, ["STRUCT", "JSON"].contains(&value_type));
        assert_eq!(outcome(&declared(value_type), column), expected(recording), "{value_type} {python}");
        seen.push((value_type, python));
    }
    let otherwise = OTHERWISE_IN_COLUMNS.iter().map(|(value_type, python, _)| (*value_type, *python));
    for entry in NOT_IN_ARROW.into_iter().chain(REFUSED).chain(otherwise) {
        assert!(seen.contains(&entry), "{entry:?} is no recording");
    }
}
