//! On-demand views as SQL expressions, stored so that Python Feast can compute them as well.
//!
//! Feast stores the source text of a Python function. Its first line is a comment with the
//! expressions, which is what is read back; the function below evaluates them with DuckDB.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::model::{DataType, Expression, OnDemandFeatureView, OnDemandSource, SourceKind};

/// The name of the function.
pub const FUNCTION: &str = "feastr_expressions";

/// What the first line starts with.
const MARK: &str = "# feastr.expressions ";

/// The layout of the first line.
const VERSION: u32 = 1;

/// The column that keeps the order of rows.
const ROW: &str = "__feastr_row";

/// Something that expressions can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// What expressions call it: its own name, or `source__name` where several inputs have that.
    pub name: String,
    /// Another name for it: `source__name`, unless `name` is that or it means something else.
    pub qualified: Option<String>,
    /// The column of the frame that Feast hands to the function.
    pub column: String,
    pub dtype: DataType,
}

/// What expressions over these sources can name, in the order of sources and their columns.
///
/// SQL does not tell names apart that differ in case alone, so neither does this.
pub fn inputs(sources: &[OnDemandSource]) -> Vec<Input> {
    let mut columns = Vec::new();
    for source in sources {
        let (fields, is_view) = match source {
            OnDemandSource::View(projection) => (&projection.features, true),
            OnDemandSource::Request(request) => match &request.kind {
                SourceKind::Request(request) => (&request.schema, false),
                _ => continue,
            },
        };
        columns.extend(fields.iter().map(|field| (source.name(), field, is_view)));
    }
    let is_taken = |wanted: &str, times: usize| {
        columns.iter().filter(|(_, field, _)| field.name.eq_ignore_ascii_case(wanted)).count() > times
    };
    columns
        .iter()
        .map(|(source, field, is_view)| {
            let qualified = format!("{source}__{}", field.name);
            let column = if *is_view { qualified.clone() } else { field.name.clone() };
            let (name, qualified) = if is_taken(&field.name, 1) {
                (qualified, None)
            } else {
                let unambiguous = !is_taken(&qualified, 0);
                (field.name.clone(), Some(qualified).filter(|_| unambiguous))
            };
            Input { name, qualified, column, dtype: field.dtype.clone() }
        })
        .collect()
}

/// How DuckDB's SQL calls a type; `None` for types whose values expressions cannot work with.
pub fn sql_type(dtype: &DataType) -> Option<String> {
    let name = match dtype {
        DataType::Bool => "BOOLEAN",
        DataType::Int32 => "INTEGER",
        DataType::Int64 => "BIGINT",
        DataType::Float32 => "FLOAT",
        DataType::Float64 => "DOUBLE",
        DataType::String | DataType::Json | DataType::Uuid | DataType::TimeUuid => "VARCHAR",
        DataType::Bytes | DataType::PdfBytes | DataType::ImageBytes => "BLOB",
        DataType::UnixTimestamp => "TIMESTAMP",
        DataType::Array(element) | DataType::Set(element) => return Some(format!("{}[]", sql_type(element)?)),
        DataType::Struct(members) => {
            let members: Option<Vec<_>> =
                members.iter().map(|(name, dtype)| Some(format!("{} {}", quoted(name), sql_type(dtype)?))).collect();
            return Some(format!("STRUCT({})", members?.join(", ")));
        }
        DataType::Decimal | DataType::Map | DataType::ScalarMap | DataType::ZonedTimestamp | DataType::Unknown(_) => {
            return None;
        }
    };
    Some(name.to_owned())
}

/// The first line, after its mark.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    /// Name, column of the frame, SQL type.
    inputs: Vec<(String, String, String)>,
    /// Name, SQL type, expression.
    outputs: Vec<(String, String, String)>,
}

/// The expressions in the source of a function that [`python_source`] made.
pub fn read(source: &str) -> Option<Vec<Expression>> {
    let line = source.lines().next()?.strip_prefix(MARK)?;
    let stored: Stored = serde_json::from_str(line).ok().filter(|stored: &Stored| stored.version == VERSION)?;
    Some(stored.outputs.into_iter().map(|(name, _, sql)| Expression { name, sql }).collect())
}

/// The source of a Python function from a frame of inputs to a frame of outputs.
///
/// It imports what it needs itself, so that Feast can load it without DuckDB. Integers with nulls
/// arrive as floats, so every input is brought to its type first; NaN counts as null. The result
/// leaves DuckDB through Arrow, which keeps such integers exact.
pub fn python_source(view: &OnDemandFeatureView) -> String {
    let stored = Stored { version: VERSION, inputs: named_inputs(view), outputs: outputs(view) };
    let query = query(&stored);
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

/// The query that evaluates the expressions over the table `feastr_rows`.
fn query(stored: &Stored) -> String {
    // The line break ends a comment at the end of an expression.
    let outputs =
        stored.outputs.iter().map(|(name, dtype, sql)| format!("CAST(({sql}\n) AS {dtype}) AS {}", quoted(name)));
    let inputs = stored.inputs.iter().map(|(name, _, dtype)| format!("CAST({0} AS {dtype}) AS {0}", quoted(name)));
    let inputs: Vec<String> = std::iter::once(quoted(ROW)).chain(inputs).collect();
    format!(
        "SELECT {}\nFROM (SELECT {} FROM feastr_rows)\nORDER BY {}",
        outputs.collect::<Vec<_>>().join(",\n"),
        inputs.join(", "),
        quoted(ROW)
    )
}

/// The inputs that expressions name, each under the name they use.
fn named_inputs(view: &OnDemandFeatureView) -> Vec<(String, String, String)> {
    let words: Vec<&str> = view.expressions.iter().flat_map(|expression| words(&expression.sql)).collect();
    let mut named = Vec::new();
    for input in inputs(&view.sources) {
        let Some(dtype) = sql_type(&input.dtype) else { continue };
        for name in std::iter::once(input.name).chain(input.qualified) {
            let in_quotes = || view.expressions.iter().any(|expression| contains(&expression.sql, &quoted(&name)));
            if words.iter().any(|word| word.eq_ignore_ascii_case(&name)) || (!is_word(&name) && in_quotes()) {
                named.push((name, input.column.clone(), dtype.clone()));
            }
        }
    }
    named
}

fn outputs(view: &OnDemandFeatureView) -> Vec<(String, String, String)> {
    let outputs = view.features.iter().zip(&view.expressions).map(|(feature, expression)| {
        // Types that SQL has no word for are texts in Python.
        let dtype = sql_type(&feature.dtype).unwrap_or_else(|| "VARCHAR".to_owned());
        (feature.name.clone(), dtype, expression.sql.clone())
    });
    outputs.collect()
}

/// Everything in an expression that may be a name. Words inside texts are among them, which only
/// makes an input known that nobody asks for.
fn words(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(|c: char| !is_word_character(c)).filter(|word| !word.is_empty())
}

/// Whether a text is part of an expression, in any case.
fn contains(sql: &str, text: &str) -> bool {
    sql.to_ascii_lowercase().contains(&text.to_ascii_lowercase())
}

fn is_word(name: &str) -> bool {
    name.chars().all(is_word_character)
}

fn is_word_character(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{DataSource, Field, Projection, RequestSource, Tags, ViewVersion};

    fn view(name: &str, features: &[(&str, DataType)]) -> OnDemandSource {
        OnDemandSource::View(Projection {
            view: name.to_owned(),
            features: fields(features),
            name_alias: None,
            join_key_map: BTreeMap::new(),
            source: None,
            labels: false,
        })
    }

    fn request(name: &str, schema: &[(&str, DataType)]) -> OnDemandSource {
        OnDemandSource::Request(DataSource {
            name: name.to_owned(),
            kind: SourceKind::Request(RequestSource { schema: fields(schema) }),
            timestamp_field: String::new(),
            created_timestamp_column: String::new(),
            field_mapping: BTreeMap::new(),
            date_partition_column: String::new(),
            description: String::new(),
            owner: String::new(),
            tags: Tags::new(),
        })
    }

    fn fields(columns: &[(&str, DataType)]) -> Vec<Field> {
        columns.iter().map(|(name, dtype)| Field::new(*name, dtype.clone())).collect()
    }

    fn computed(sources: Vec<OnDemandSource>, outputs: &[(&str, DataType, &str)]) -> OnDemandFeatureView {
        let expression =
            |(name, _, sql): &(&str, DataType, &str)| Expression { name: (*name).into(), sql: (*sql).into() };
        OnDemandFeatureView {
            name: "computed".to_owned(),
            entities: Vec::new(),
            entity_columns: Vec::new(),
            sources,
            features: outputs.iter().map(|(name, dtype, _)| Field::new(*name, dtype.clone())).collect(),
            expressions: outputs.iter().map(expression).collect(),
            write_to_online_store: false,
            enabled: true,
            version: ViewVersion::Latest,
            description: String::new(),
            owner: String::new(),
            org: String::new(),
            tags: Tags::new(),
        }
    }

    #[test]
    fn inputs_are_called_by_their_own_name_where_that_is_clear() {
        let sources = [
            view("a", &[("rate", DataType::Float32), ("trips", DataType::Int64)]),
            view("b", &[("Rate", DataType::Float64), ("a__trips", DataType::Int64)]),
            request("now", &[("tip", DataType::Float64)]),
        ];
        let names: Vec<_> =
            inputs(&sources).into_iter().map(|input| (input.name, input.qualified, input.column)).collect();
        let own = |text: &str| text.to_owned();
        assert_eq!(
            names,
            [
                (own("a__rate"), None, own("a__rate")),
                (own("trips"), None, own("a__trips")),
                (own("b__Rate"), None, own("b__Rate")),
                (own("a__trips"), Some(own("b__a__trips")), own("b__a__trips")),
                (own("tip"), Some(own("now__tip")), own("tip")),
            ]
        );
    }

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

    #[test]
    fn types_are_those_of_sql() {
        for (dtype, sql) in [
            ("Array(Int32)", Some("INTEGER[]")),
            ("Struct(a: Int64, b: Array(String))", Some("STRUCT(\"a\" BIGINT, \"b\" VARCHAR[])")),
            ("UnixTimestamp", Some("TIMESTAMP")),
            ("Set(Bool)", Some("BOOLEAN[]")),
            ("Map", None),
            ("Array(Decimal)", None),
        ] {
            assert_eq!(sql_type(&dtype.parse().unwrap()).as_deref(), sql, "{dtype}");
        }
    }
}
