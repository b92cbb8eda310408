//! What the first rows of a JSON file show of its columns.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    sync::Arc,
};

use arrow::datatypes::{DataType as ArrowType, Field};
use serde_json::{Map, Value};

use super::files::unreadable;
use crate::model::{SourceColumn, SourceProblem, SourceSchema};

/// So many rows are looked at.
const ROWS: usize = 1_000;

/// The columns that the first rows have, in the order in which they come. Objects, and values of
/// several kinds, count as texts.
///
/// # Errors
/// When the file cannot be read, or a row is no JSON object.
pub fn inspect(path: &Path) -> Result<SourceSchema, SourceProblem> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let (mut columns, mut rows): (Vec<SourceColumn>, usize) = (Vec::new(), 0);
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| unreadable(path, &error))?;
        if line.trim().is_empty() {
            continue;
        }
        let row: Map<String, Value> = serde_json::from_str(&line).map_err(|error| {
            SourceProblem::new(
                format!("line {} of {} is no JSON object: {error}", index + 1, path.display()),
                "write one object per line".to_owned(),
            )
        })?;
        for (name, value) in &row {
            match columns.iter_mut().find(|column| column.name == *name) {
                Some(column) => column.arrow = either(&column.arrow, &kind(value)),
                None => columns.push(SourceColumn { name: name.clone(), arrow: kind(value) }),
            }
        }
        rows += 1;
        if rows == ROWS {
            break;
        }
    }
    Ok(SourceSchema { columns, rows: (rows == 0).then_some(0) })
}

fn kind(value: &Value) -> ArrowType {
    match value {
        Value::Null => ArrowType::Null,
        Value::Bool(_) => ArrowType::Boolean,
        Value::Number(number) if number.is_i64() => ArrowType::Int64,
        Value::Number(_) => ArrowType::Float64,
        Value::String(_) | Value::Object(_) => ArrowType::Utf8,
        Value::Array(elements) => {
            list_of(elements.iter().fold(ArrowType::Null, |known, element| either(&known, &kind(element))))
        }
    }
}

/// The kind of a column that has values of two kinds.
fn either(one: &ArrowType, other: &ArrowType) -> ArrowType {
    use ArrowType::{Float64, Int64, List, Null, Utf8};
    match (one, other) {
        (one, other) if one == other => one.clone(),
        (Null, other) | (other, Null) => other.clone(),
        (Int64, Float64) | (Float64, Int64) => Float64,
        (List(one), List(other)) => list_of(either(one.data_type(), other.data_type())),
        _ => Utf8,
    }
}

fn list_of(element: ArrowType) -> ArrowType {
    ArrowType::List(Arc::new(Field::new_list_field(element, true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_a_type_for_all_their_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        let look = |text: &str| {
            std::fs::write(&path, text).unwrap();
            inspect(&path).map_err(|problem| problem.message)
        };
        let schema = look(
            "\n{\"b\":1,\"l\":[1,null],\"n\":null,\"m\":1}\n{\"a\":true,\"b\":1.5,\"l\":[2.5],\"m\":\"x\",\"o\":{}}\n",
        );
        let shown: Vec<_> = schema.unwrap().columns.into_iter().map(|column| (column.name, column.arrow)).collect();
        let expected = [
            ("b", ArrowType::Float64),
            ("l", list_of(ArrowType::Float64)),
            ("n", ArrowType::Null),
            ("m", ArrowType::Utf8),
            ("a", ArrowType::Boolean),
            ("o", ArrowType::Utf8),
        ];
        assert_eq!(shown, expected.map(|(name, arrow)| (name.to_owned(), arrow)));
        assert_eq!(look("").unwrap().rows, Some(0));
        let error = look("{}\n[1]\n").unwrap_err();
        assert!(error.starts_with("line 2 of ") && error.contains("is no JSON object"), "{error}");
    }
}
