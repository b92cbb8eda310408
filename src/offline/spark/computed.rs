//! On-demand features of results that the cluster writes: computed by it, in its own SQL.

use arrow::datatypes::{DataType as ArrowType, Schema};

use super::{
    entity_columns::sent_type,
    expression::{Kind, Refused, Value, cast, declared, of_text, outputs},
    joined_feature::JoinedFeature,
    sql::quoted,
};
use crate::{
    expression::Input,
    problem::{Advice, Kind as ProblemKind, Problem},
    retrieval::{InputFrom, Retrieval, SelectedOnDemand, Shown},
    sources::type_name,
};

/// What is computed of joined rows.
pub(super) struct Computed<'a> {
    retrieval: &'a Retrieval,
    /// The inputs as they are read of entity rows and features, each once: `i0`, ….
    inputs: Vec<String>,
    /// What is computed of them, and what it is called.
    outputs: Vec<(&'a str, String)>,
}

impl<'a> Computed<'a> {
    /// What is asked for, of rows with columns of these types, in which features stand last.
    ///
    /// # Errors
    /// When something is not computed alike by the cluster.
    pub(super) fn of(retrieval: &'a Retrieval, rows: &Schema, features: &[JoinedFeature<'_>]) -> Result<Self, Problem> {
        let mut computed = Self { retrieval, inputs: Vec::new(), outputs: Vec::new() };
        for selected in &retrieval.on_demand {
            let values = selected.inputs.iter().map(|input| {
                let value = read(retrieval, &input.from, (rows, features));
                (input.column.as_str(), value.map(|value| computed.named(value)))
            });
            let values: Vec<(&str, Result<Value, Refused>)> = values.collect();
            let value = |input: &Input| {
                let known = values.iter().find(|(column, _)| *column == input.column);
                let value =
                    known.map_or_else(|| Err(format!("`{}` is not read", input.name)), |(_, value)| value.clone())?;
                Ok(cast(value, declared(&input.dtype)?)?.number())
            };
            for (sql, output) in outputs(&selected.view, &value).into_iter().zip(&selected.outputs) {
                computed.outputs.push((output, sql.map_err(|why| refused(selected, output, &why))?));
            }
        }
        Ok(computed)
    }

    /// The same value under a name of its own.
    fn named(&mut self, value: Value) -> Value {
        let known = self.inputs.iter().position(|known| *known == value.sql);
        let number = known.unwrap_or_else(|| {
            self.inputs.push(value.sql);
            self.inputs.len() - 1
        });
        Value::new(format!("i{number}"), value.kind)
    }

    /// Whether each feature is part of the result: some are only computed with.
    pub(super) fn shown(&self) -> impl Iterator<Item = bool> {
        self.retrieval.fetched().map(|feature| feature.shown != Shown::Never)
    }

    /// The statement that selects columns under their names, and what is computed behind them.
    pub(super) fn beside<'n>(&self, columns: impl Iterator<Item = (String, &'n str)>, from: &str) -> String {
        if self.outputs.is_empty() {
            let columns: Vec<String> = columns.map(|(column, name)| format!("{column} AS {}", quoted(name))).collect();
            return format!("SELECT {} FROM {from}", columns.join(", "));
        }
        let (mut read, mut selected) = (Vec::new(), Vec::new());
        for (number, (column, name)) in columns.enumerate() {
            read.push(format!("{column} AS c{number}"));
            selected.push(format!("c{number} AS {}", quoted(name)));
        }
        read.extend(self.inputs.iter().enumerate().map(|(number, input)| format!("{input} AS i{number}")));
        selected.extend(self.outputs.iter().map(|(name, sql)| format!("{sql} AS {}", quoted(name))));
        format!("SELECT {} FROM (\nSELECT {} FROM {from}\n) AS x", selected.join(", "), read.join(", "))
    }
}

/// The values of an input in entity rows `r` and joined rows `j`.
fn read(
    retrieval: &Retrieval,
    from: &InputFrom,
    (rows, features): (&Schema, &[JoinedFeature<'_>]),
) -> Result<Value, Refused> {
    match from {
        InputFrom::Feature(view, feature) => {
            let before: usize = retrieval.views[..*view].iter().map(|view| view.features.len()).sum();
            let kind = declared(&retrieval.views[*view].features[*feature].field.dtype)?;
            Ok(moment(features[before + feature].value(), kind))
        }
        InputFrom::Request(field) => {
            let Some((column, found)) = rows.column_with_name(&field.name) else {
                return Err(format!("there is no column `{}`", field.name));
            };
            match kind_of(found.data_type()) {
                Some(Kind::Text) => of_text(&Value::new(format!("r.e{column}"), Kind::Text), declared(&field.dtype)?),
                Some(kind) => Ok(moment(format!("r.e{column}"), kind)),
                None => Err(format!("the column `{}` holds {} values", field.name, type_name(found.data_type()))),
            }
        }
    }
}

/// A value that is a moment whether or not it says that it is one in UTC.
fn moment(sql: String, kind: Kind) -> Value {
    let sql = if kind == Kind::Time { format!("CAST({sql} AS TIMESTAMP)") } else { sql };
    Value::new(sql, kind)
}

/// As what a column of entity rows is computed with.
fn kind_of(found: &ArrowType) -> Option<Kind> {
    Some(match sent_type(found)? {
        ArrowType::Boolean => Kind::Bool,
        ArrowType::Int8 | ArrowType::Int16 | ArrowType::Int32 => Kind::Int,
        ArrowType::Int64 => Kind::Long,
        ArrowType::Float32 => Kind::Float,
        ArrowType::Float64 => Kind::Double,
        ArrowType::Utf8 => Kind::Text,
        ArrowType::Timestamp(..) => Kind::Time,
        _ => return None,
    })
}

fn refused(selected: &SelectedOnDemand, output: &str, why: &str) -> Problem {
    let view = &selected.view.name;
    let message =
        format!("Spark does not compute `{output}` of on demand feature view `{view}` as it is computed here: {why}");
    Problem::new(ProblemKind::Unsupported, message, None).advise(Advice::OneFile)
}
