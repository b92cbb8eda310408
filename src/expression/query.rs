//! The query that computes a view, of which training, serving and Python Feast need the same.

use super::{inputs::inputs, types::sql_type};
use crate::{model::OnDemandFeatureView, sql_name::quoted};

/// What is computed of what: the inputs that expressions name, and the outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computation {
    /// In the order of the view's sources and their columns; one that goes by two names is there twice.
    pub inputs: Vec<NamedInput>,
    /// In the order of the view's features.
    pub outputs: Vec<Output>,
}

/// An input under a name that some expression uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedInput {
    /// As expressions call it.
    pub name: String,
    /// As the column with its values is called: `view__feature`, or the name of a request's field.
    pub column: String,
    /// The type that values are brought to.
    pub sql_type: String,
}

/// An output of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The name of the feature.
    pub name: String,
    /// The type that the result is brought to.
    pub sql_type: String,
    /// The expression as written.
    pub sql: String,
}

impl Computation {
    /// What a view computes.
    pub fn of(view: &OnDemandFeatureView) -> Self {
        let outputs = view.features.iter().zip(&view.expressions).map(|(feature, expression)| Output {
            name: feature.name.clone(),
            // Types that SQL has no word for are texts in Python.
            sql_type: sql_type(&feature.dtype).unwrap_or_else(|| "VARCHAR".to_owned()),
            sql: expression.sql.clone(),
        });
        Self { inputs: named_inputs(view), outputs: outputs.collect() }
    }

    /// The columns with the values of inputs, each once.
    pub fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = Vec::new();
        for input in &self.inputs {
            if !columns.contains(&input.column.as_str()) {
                columns.push(&input.column);
            }
        }
        columns
    }

    /// The query over `table`, whose columns have the inputs' names; one row of outputs per row, in the
    /// order of its column `row`.
    pub fn query(&self, table: &str, row: &str) -> String {
        let outputs = self.outputs.iter().map(|output| format!("{} AS {}", output.value(), quoted(&output.name)));
        let row = quoted(row);
        let inputs: Vec<String> = std::iter::once(row.clone()).chain(self.typed_inputs()).collect();
        format!(
            "SELECT {}\nFROM (SELECT {} FROM {table})\nORDER BY {row}",
            outputs.collect::<Vec<_>>().join(",\n"),
            inputs.join(", "),
        )
    }

    /// The inputs in their types, each under its name.
    pub fn typed_inputs(&self) -> impl Iterator<Item = String> {
        self.inputs.iter().map(|input| input.named(&input.value()))
    }
}

impl NamedInput {
    /// Its column, in the declared type.
    pub fn value(&self) -> String {
        brought_to(&self.sql_type, &quoted(&self.name))
    }

    /// The same of a column from which whoever computes took out what is no number.
    pub fn cast(&self) -> String {
        cast(&self.sql_type, &quoted(&self.name))
    }

    /// A value under the input's name.
    pub fn named(&self, value: &str) -> String {
        format!("{value} AS {}", quoted(&self.name))
    }
}

impl Output {
    /// The expression, in the declared type.
    pub fn value(&self) -> String {
        brought_to(&self.sql_type, &self.expression())
    }

    /// The same where what is no number still is a value, which whoever computes it has to take out.
    pub fn cast(&self) -> String {
        cast(&self.sql_type, &self.expression())
    }

    /// The expression as it can stand in a statement.
    pub fn expression(&self) -> String {
        // The line break ends a comment at the end of an expression.
        format!("({}\n)", self.sql)
    }
}

/// A value as one of a type. What is no number is no value: pandas does not tell the two apart, so that training,
/// serving and Python could not agree otherwise.
fn brought_to(sql_type: &str, value: &str) -> String {
    let cast = cast(sql_type, value);
    if matches!(sql_type, "FLOAT" | "DOUBLE") { format!("nullif({cast}, 'NaN')") } else { cast }
}

fn cast(sql_type: &str, value: &str) -> String {
    format!("CAST({value} AS {sql_type})")
}

/// The inputs that expressions name, each under the name they use.
fn named_inputs(view: &OnDemandFeatureView) -> Vec<NamedInput> {
    let words: Vec<&str> = view.expressions.iter().flat_map(|expression| words(&expression.sql)).collect();
    let mut named = Vec::new();
    for input in inputs(&view.sources) {
        let Some(sql_type) = sql_type(&input.dtype) else { continue };
        for name in std::iter::once(input.name).chain(input.qualified) {
            let in_quotes = || view.expressions.iter().any(|expression| contains(&expression.sql, &quoted(&name)));
            if words.iter().any(|word| word.eq_ignore_ascii_case(&name)) || (!is_word(&name) && in_quotes()) {
                named.push(NamedInput { name, column: input.column.clone(), sql_type: sql_type.clone() });
            }
        }
    }
    named
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        expression::testing::{computed, request, view},
        model::DataType,
    };

    #[test]
    fn only_inputs_that_are_named_are_asked_for() {
        let sources = vec![
            view("v", &[("rate", DataType::Float32), ("trips", DataType::Int64), ("place", DataType::Map)]),
            request("r", &[("tip", DataType::Float64), ("an odd name", DataType::Int64)]),
        ];
        let outputs = [("x", DataType::Int64, "RATE * 2 + v__rate + v__trips + \"An odd name\"")];
        let computation = Computation::of(&computed(sources, &outputs));
        let inputs = computation.inputs.iter().map(|input| [&*input.name, &*input.column, &*input.sql_type]);
        assert_eq!(
            inputs.collect::<Vec<_>>(),
            [
                ["rate", "v__rate", "FLOAT"],
                ["v__rate", "v__rate", "FLOAT"],
                ["v__trips", "v__trips", "BIGINT"],
                ["an odd name", "an odd name", "BIGINT"],
            ]
        );
    }

    #[test]
    fn values_are_brought_to_their_types_on_both_sides() {
        let outputs = [("a", DataType::Float64, "rate + 1 -- more"), ("b \"c\"", DataType::Decimal, "'x'")];
        let computation = Computation::of(&computed(vec![view("v", &[("rate", DataType::Float32)])], &outputs));
        assert_eq!(
            computation.query("answers", "at"),
            "SELECT nullif(CAST((rate + 1 -- more\n) AS DOUBLE), 'NaN') AS \"a\",\n\
             CAST(('x'\n) AS VARCHAR) AS \"b \"\"c\"\"\"\n\
             FROM (SELECT \"at\", nullif(CAST(\"rate\" AS FLOAT), 'NaN') AS \"rate\" FROM answers)\nORDER BY \"at\""
        );
    }
}
