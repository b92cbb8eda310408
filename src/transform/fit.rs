//! Whether expressions go together with the types that are declared: asked of the engine that will compute them.

use std::sync::Arc;

use arrow::{
    array::{RecordBatch, new_null_array},
    datatypes::{DataType as ArrowType, Field, Schema, SchemaRef},
};

use super::{Engine, input_rows::Slot};
use crate::{
    diagnostics::with_article,
    embedded::words,
    expression::{Computation, Misfit, Output},
    model::{DataType, OnDemandFeatureView},
    problem::Problem,
};

/// The expressions of a view that do not go together with the declared types of its inputs and outputs.
///
/// # Errors
/// When DuckDB does not start.
pub fn misfits(engine: &Engine, view: &OnDemandFeatureView) -> Result<Vec<Misfit>, Problem> {
    let computation = Computation::of(view);
    let connection = engine.connection()?;
    // Of which type columns come is brought to the declared type in any case; here they are of none.
    let fields: Vec<Field> =
        computation.inputs.iter().map(|input| Field::new(&input.name, ArrowType::Utf8, true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let slot = Slot::new(Arc::clone(&schema));
    slot.put(Some(nothing(&schema)));
    let mut misfits = Vec::new();
    for (index, (output, field)) in computation.outputs.iter().zip(&view.features).enumerate() {
        let misfit =
            |message: String, help: Option<String>| Misfit { output: index, message, help, only_elsewhere: false };
        match natural_type(&connection, &computation, output, &slot) {
            Ok(natural) if fits(&natural, &field.dtype) => {
                if let Err(error) = over_nothing(&connection, &computation, output, &slot) {
                    let message = format!("the expression fails where its inputs are null: {}", words(&error));
                    misfits.push(misfit(message, None));
                }
            }
            Ok(natural) => misfits.push(misfit(
                format!(
                    "the expression makes {}, and `{}` is declared as {}",
                    with_article(&natural),
                    field.name,
                    field.dtype
                ),
                Some(help(&natural, &field.dtype, &output.sql_type)),
            )),
            Err(error) => misfits.push(misfit(words(&error), None)),
        }
    }
    Ok(misfits)
}

/// A row in which each input is null.
fn nothing(schema: &SchemaRef) -> RecordBatch {
    let columns = schema.fields().iter().map(|field| new_null_array(field.data_type(), 1)).collect();
    RecordBatch::try_new(Arc::clone(schema), columns).unwrap_or_else(|_| RecordBatch::new_empty(Arc::clone(schema)))
}

/// Computes an expression of inputs that are null: what is wrong with constants comes out.
fn over_nothing(
    connection: &duckdb::Connection,
    computation: &Computation,
    output: &Output,
    slot: &Slot,
) -> duckdb::Result<()> {
    let sql = format!("SELECT {} IS NULL{}", output.value(), from(computation, slot));
    connection.query_row(&sql, [], |row| row.get::<_, bool>(0)).map(drop)
}

/// Where inputs come from, if there are some.
fn from(computation: &Computation, slot: &Slot) -> String {
    let inputs: Vec<String> = computation.typed_inputs().collect();
    if inputs.is_empty() { String::new() } else { format!(" FROM (SELECT {} FROM {})", inputs.join(", "), slot.sql()) }
}

/// The type of an expression in SQL, before it is brought to the declared one.
fn natural_type(
    connection: &duckdb::Connection,
    computation: &Computation,
    output: &Output,
    slot: &Slot,
) -> duckdb::Result<String> {
    let sql = format!("DESCRIBE SELECT {} AS x{}", output.expression(), from(computation, slot));
    connection.query_row(&sql, [], |row| row.get("column_type"))
}

/// Whether values of a type in SQL can be of a declared type without being changed on purpose.
fn fits(natural: &str, declared: &DataType) -> bool {
    let base = natural.split('(').next().unwrap_or(natural).trim_matches('"');
    let is_integer = base.ends_with("INT") || base.ends_with("INTEGER");
    let is_number = is_integer || matches!(base, "FLOAT" | "DOUBLE" | "DECIMAL");
    if base == "NULL" {
        return true;
    }
    match declared {
        DataType::Array(element) | DataType::Set(element) => {
            natural.ends_with(']') && natural.rsplit_once('[').is_some_and(|(inner, _)| fits(inner, element))
        }
        _ if natural.ends_with(']') => false,
        DataType::Int32 | DataType::Int64 => is_integer,
        DataType::Float32 | DataType::Float64 => is_number,
        DataType::Bool => base == "BOOLEAN",
        DataType::String | DataType::Json | DataType::Uuid | DataType::TimeUuid => {
            matches!(base, "VARCHAR" | "JSON" | "UUID" | "ENUM")
        }
        DataType::Bytes | DataType::PdfBytes | DataType::ImageBytes => base == "BLOB",
        DataType::UnixTimestamp => base == "DATE" || (base.starts_with("TIMESTAMP") && !base.contains("TIME ZONE")),
        // What SQL has no word for is refused where it is declared.
        _ => true,
    }
}

fn help(natural: &str, declared: &DataType, sql_type: &str) -> String {
    match declared {
        DataType::Int32 | DataType::Int64
            if matches!(natural, "FLOAT" | "DOUBLE") || natural.starts_with("DECIMAL") =>
        {
            format!("declare it as Float64, or say how to round: CAST(round(…) AS {sql_type})")
        }
        _ => format!("declare another type, or say what is meant: CAST(… AS {sql_type})"),
    }
}
