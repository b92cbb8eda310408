//! On-demand views as SQL expressions, stored so that Python Feast can compute them as well.
//!
//! Feast stores the source text of a Python function. Its first line is a comment with the
//! expressions, which is what is read back; the function below evaluates them with DuckDB.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::{
    expression::Computation,
    model::{Expression, OnDemandFeatureView},
};

/// The name of the function.
pub(crate) const FUNCTION: &str = "feastr_expressions";

/// What the first line starts with.
const MARK: &str = "# feastr.expressions ";

/// The layout of the first line.
const VERSION: u32 = 1;

/// The table that the function makes of its frame.
const TABLE: &str = "feastr_rows";

/// The column that keeps the order of rows.
const ROW: &str = "__feastr_row";

/// The first line, after its mark.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    /// Name, column of the frame, SQL type.
    inputs: Vec<(String, String, String)>,
    /// Name, SQL type, expression.
    outputs: Vec<(String, String, String)>,
}

impl Stored {
    fn of(computation: Computation) -> Self {
        Self {
            version: VERSION,
            inputs: computation.inputs.into_iter().map(|input| (input.name, input.column, input.sql_type)).collect(),
            outputs: computation.outputs.into_iter().map(|output| (output.name, output.sql_type, output.sql)).collect(),
        }
    }
}

/// The expressions in the source of a function that [`python_source`] made; `None` of any other.
pub(crate) fn read(source: &str) -> Option<Vec<Expression>> {
    let line = source.lines().next()?.strip_prefix(MARK)?;
    let stored: Stored = serde_json::from_str(line).ok().filter(|stored: &Stored| stored.version == VERSION)?;
    Some(stored.outputs.into_iter().map(|(name, _, sql)| Expression { name, sql }).collect())
}

/// The source of a Python function from a frame of inputs to a frame of outputs.
///
/// It imports what it needs itself, so that Feast can load it without DuckDB. Integers with nulls
/// arrive as floats, so every input is brought to its type first; NaN counts as null. The result
/// leaves DuckDB through Arrow, which keeps such integers exact.
pub(crate) fn python_source(view: &OnDemandFeatureView) -> String {
    let computation = Computation::of(view);
    let query = computation.query(TABLE, ROW);
    let stored = Stored::of(computation);
    // Texts in Python are written as in JSON, but for characters that JSON need not escape.
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let mut source = format!("{MARK}{}\n", serde_json::to_string(&stored).unwrap_or_default());
    let _ = write!(
        source,
        "def {FUNCTION}(inputs):\n    import duckdb\n    import pandas\n\n    rows = pandas.DataFrame()\n"
    );
    let _ = writeln!(source, "    rows[{}] = range(len(inputs))", text(ROW));
    if !stored.inputs.is_empty() {
        source.push_str("    for name, column in (\n");
        for (name, column, _) in &stored.inputs {
            let _ = writeln!(source, "        ({}, {}),", text(name), text(column));
        }
        source.push_str(
            "    ):\n        values = inputs[column]\n        if values.ndim > 1:\n            values = values.iloc[:, 0]\n        \
             rows[name] = values.array\n",
        );
    }
    source.push_str("    query = (\n");
    for line in query.split_inclusive('\n') {
        let _ = writeln!(source, "        {}", text(line));
    }
    source.push_str(
        "    )\n    database = duckdb.connect(\":default:\").cursor()\n    try:\n        \
         database.execute(\"SET TimeZone = 'UTC'\")\n        database.register(\"feastr_rows\", rows)\n        \
         computed = database.execute(query).to_arrow_table()\n    finally:\n        database.close()\n    \
         return computed.to_pandas(integer_object_nulls=True)\n",
    );
    source
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        expression::testing::{computed, request, view},
        model::DataType,
    };

    #[test]
    fn expressions_read_back() {
        let outputs = [
            ("sum", DataType::Float64, "rate + tip -- \"with\" a comment"),
            ("text", DataType::String, "'Zoë\\n' ||\n'\u{1}'"),
        ];
        let view = computed(vec![view("v", &[("rate", DataType::Float32)])], &outputs);
        assert_eq!(read(&python_source(&view)), Some(view.expressions));
        for text in ["", "def f(inputs):", "# feastr.expressions", "# feastr.expressions {}"] {
            assert_eq!(read(text), None);
        }
        assert_eq!(read(r#"# feastr.expressions {"version":2,"inputs":[],"outputs":[]}"#), None);
    }

    #[test]
    fn only_inputs_that_are_named_are_handed_over() {
        let sources = vec![
            view("v", &[("rate", DataType::Float32), ("trips", DataType::Int64), ("place", DataType::Map)]),
            request("r", &[("tip", DataType::Float64), ("an odd name", DataType::Int64)]),
        ];
        let source = python_source(&computed(
            sources,
            &[("x", DataType::Int64, "RATE * 2 + v__rate + v__trips + \"An odd name\"")],
        ));
        let line = source.lines().next().unwrap();
        assert_eq!(
            line,
            "# feastr.expressions {\"version\":1,\"inputs\":[[\"rate\",\"v__rate\",\"FLOAT\"],[\"v__rate\",\"v__rate\",\"FLOAT\"],\
             [\"v__trips\",\"v__trips\",\"BIGINT\"],[\"an odd name\",\"an odd name\",\"BIGINT\"]],\
             \"outputs\":[[\"x\",\"BIGINT\",\"RATE * 2 + v__rate + v__trips + \\\"An odd name\\\"\"]]}"
        );
    }
}
