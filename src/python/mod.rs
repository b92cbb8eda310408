//! Functions of Python that compute on-demand views, translated to SQL expressions where these give the same values
//! in every row. What is not surely the same is refused, with the reason.
//!
//! A source is parsed (`parse`), carried out on symbols (`run`, `evaluate`), and what its columns are worth is written
//! as SQL. How Python computes is in `arithmetic`, `comparison`, `choice`, `cast` and `functions`.

mod arithmetic;
mod cast;
mod choice;
mod comparison;
mod condition;
mod evaluate;
mod functions;
mod inputs;
mod name;
mod output;
mod parse;
mod run;
mod sql;
mod syntax;
mod term;

use std::fmt;

use serde::Serialize;

use crate::model::{Expression, OnDemandFeatureView, PythonFunction, PythonMode};
use term::Rules;

/// What of a function is translated.
#[derive(Debug, Clone, PartialEq)]
pub struct Translation {
    /// An expression for each output of the view in its order, or why there is none.
    pub outputs: Vec<(String, Result<String, Refused>)>,
}

/// Why something is not translated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The line of the function's source, from 1; `None` if it is about the whole.
    pub line: Option<usize>,
    /// What it is and why.
    pub reason: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

impl Translation {
    /// The expressions of all outputs; `None` if one is missing.
    pub fn expressions(&self) -> Option<Vec<Expression>> {
        let expressions = self
            .outputs
            .iter()
            .map(|(name, sql)| Some(Expression { name: name.clone(), sql: sql.as_ref().ok()?.clone() }));
        expressions.collect()
    }

    /// The first reason why an output is not translated.
    pub fn refused(&self) -> Option<&Refused> {
        self.outputs.iter().find_map(|(_, sql)| sql.as_ref().err())
    }
}

/// The outputs of a view as SQL expressions over its inputs, as its function computes them.
pub fn translate(function: &PythonFunction, view: &OnDemandFeatureView) -> Translation {
    let columns = columns(function, view);
    let outputs = view.features.iter().map(|feature| {
        let sql = columns.clone().and_then(|mut columns| match columns.remove(&feature.name) {
            Some(column) => output::sql(column?, &feature.dtype).map_err(|reason| Refused { line: None, reason }),
            None => Err(Refused { line: None, reason: format!("it does not return `{}`", feature.name) }),
        });
        (feature.name.clone(), sql)
    });
    Translation { outputs: outputs.collect() }
}

fn columns(function: &PythonFunction, view: &OnDemandFeatureView) -> Result<run::Columns, Refused> {
    let refused = |reason: &str| Err(Refused { line: None, reason: reason.to_owned() });
    let rules = match function.mode {
        PythonMode::Pandas => Rules::Column,
        PythonMode::Python { singleton: false } => Rules::Element,
        PythonMode::Python { singleton: true } => {
            return refused("it computes one row by itself, which Feast does for serving only");
        }
    };
    let parsed = parse::function(&function.source)?;
    run::run(&parsed, &inputs::columns(&view.sources, rules), rules)
}

#[cfg(test)]
mod tests;
