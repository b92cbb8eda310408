//! A few rows of inputs as parameters of a statement: a list for each input. Statements over tables of rows are planned anew
//! each time they run (DuckDB 2.0.0), those over parameters of the same types are not, which is what serving is about.

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::{
        DataType as ArrowType, Float32Type, Float64Type, Int32Type, Int64Type, Schema, TimeUnit,
        TimestampMicrosecondType,
    },
};
use duckdb::types::{TimeUnit as DuckdbUnit, Value};

use crate::sql_name::quoted;

/// The column that tells which rows count.
const COUNTS: &str = "__feastr_counts";

/// Parameters as a table, if all columns can be.
pub(super) fn table(columns: &Schema) -> Option<String> {
    let mut lists = Vec::with_capacity(columns.fields().len() + 1);
    for (index, field) in columns.fields().iter().enumerate() {
        let kind = sql_type(field.data_type())?;
        lists.push(format!("unnest(CAST(${} AS {kind}[])) AS {}", index + 1, quoted(field.name())));
    }
    lists.push(format!("unnest(CAST(${} AS BOOLEAN[])) AS {COUNTS}", lists.len() + 1));
    Some(format!("(SELECT {}) WHERE {COUNTS}", lists.join(", ")))
}

/// The parameters that such a table has rows of.
pub(super) fn of(rows: &RecordBatch) -> Option<Vec<Value>> {
    let lists = rows.columns().iter().map(list);
    lists.chain([Some(counting(rows.num_rows()))]).collect()
}

/// The type of a column in SQL, if its rows can be parameters.
fn sql_type(kind: &ArrowType) -> Option<String> {
    Some(match kind {
        ArrowType::Boolean => "BOOLEAN".to_owned(),
        ArrowType::Int32 => "INTEGER".to_owned(),
        ArrowType::Int64 => "BIGINT".to_owned(),
        ArrowType::Float32 => "FLOAT".to_owned(),
        ArrowType::Float64 => "DOUBLE".to_owned(),
        ArrowType::Utf8 => "VARCHAR".to_owned(),
        ArrowType::Binary => "BLOB".to_owned(),
        ArrowType::Timestamp(TimeUnit::Microsecond, None) => "TIMESTAMP".to_owned(),
        ArrowType::List(element) => format!("{}[]", sql_type(element.data_type())?),
        _ => return None,
    })
}

/// The list of a column's values. In front of them stands one that is never looked at: it tells the type, also where all
/// others are null.
fn list(column: &ArrayRef) -> Option<Value> {
    let mut values = Vec::with_capacity(column.len() + 1);
    values.push(any(column.data_type())?);
    values.extend(each(column)?);
    Some(Value::List(values))
}

/// Which of the rows count: all but the one in front.
fn counting(rows: usize) -> Value {
    let counts = std::iter::once(false).chain(std::iter::repeat_n(true, rows));
    Value::List(counts.map(Value::Boolean).collect())
}

/// Some value of a type.
fn any(kind: &ArrowType) -> Option<Value> {
    Some(match kind {
        ArrowType::Boolean => Value::Boolean(false),
        ArrowType::Int32 => Value::Int(0),
        ArrowType::Int64 => Value::BigInt(0),
        ArrowType::Float32 => Value::Float(0.0),
        ArrowType::Float64 => Value::Double(0.0),
        ArrowType::Utf8 => Value::Text(String::new()),
        ArrowType::Binary => Value::Blob(Vec::new()),
        ArrowType::Timestamp(TimeUnit::Microsecond, None) => Value::Timestamp(DuckdbUnit::Microsecond, 0),
        ArrowType::List(element) => Value::List(vec![any(element.data_type())?]),
        _ => return None,
    })
}

fn each(column: &ArrayRef) -> Option<Vec<Value>> {
    macro_rules! values {
        ($column:expr, $value:expr) => {
            $column.iter().map(|value| value.map_or(Value::Null, $value)).collect()
        };
    }
    Some(match column.data_type() {
        ArrowType::Boolean => values!(column.as_boolean(), Value::Boolean),
        ArrowType::Int32 => values!(column.as_primitive::<Int32Type>(), Value::Int),
        ArrowType::Int64 => values!(column.as_primitive::<Int64Type>(), Value::BigInt),
        ArrowType::Float32 => values!(column.as_primitive::<Float32Type>(), Value::Float),
        ArrowType::Float64 => values!(column.as_primitive::<Float64Type>(), Value::Double),
        ArrowType::Utf8 => values!(column.as_string::<i32>(), |text| Value::Text(text.to_owned())),
        ArrowType::Binary => values!(column.as_binary::<i32>(), |bytes| Value::Blob(bytes.to_vec())),
        ArrowType::Timestamp(TimeUnit::Microsecond, None) => {
            let times = column.as_primitive::<TimestampMicrosecondType>();
            values!(times, |time| Value::Timestamp(DuckdbUnit::Microsecond, time))
        }
        ArrowType::List(_) => {
            let lists = column.as_list::<i32>();
            let list = |list: Option<ArrayRef>| match list {
                Some(elements) => Some(Value::List(each(&elements)?)),
                None => Some(Value::Null),
            };
            lists.iter().map(list).collect::<Option<_>>()?
        }
        _ => return None,
    })
}
