//! Expressions of on-demand views in SQL for Spark and Sail, where a cluster writes the features that are computed.
//!
//! Only what gives the same values there as in DuckDB, which computes expressions everywhere else, is translated: the types
//! that DuckDB finds are written down, and what differs is written in another way (`operators.rs`, `casts.rs`) or refused.
//! Which functions are alike says a table (`functions.rs`). What fails for a row in DuckDB fails in the cluster.

mod casts;
mod functions;
mod kind;
mod operators;
mod parsed;
mod value;

pub(super) use casts::{cast, of_text};
pub(super) use kind::Kind;
pub(super) use value::Value;

use crate::{
    expression::{Input, Misfit, inputs},
    model::{DataType, Field, OnDemandFeatureView},
};

/// Why an expression is not computed by a cluster, as the end of a sentence that begins with its feature.
pub(super) type Refused = String;

/// The outputs of a view in SQL, each as what is declared, or why it is not computed alike. `value` gives an input as it is in
/// the statement.
pub(super) fn outputs(
    view: &OnDemandFeatureView,
    value: &dyn Fn(&Input) -> Result<Value, Refused>,
) -> Vec<Result<String, Refused>> {
    let inputs = inputs(&view.sources);
    let outputs = view.features.iter().zip(&view.expressions);
    outputs.map(|(feature, expression)| output(&expression.sql, &feature.dtype, &inputs, value)).collect()
}

/// The outputs of a view that a cluster does not compute alike, whatever its inputs are read of.
pub(super) fn misfits(view: &OnDemandFeatureView) -> Vec<Misfit> {
    let value = |input: &Input| Ok(Value::new("x".to_owned(), declared(&input.dtype)?));
    let outputs = outputs(view, &value).into_iter().zip(&view.features).enumerate();
    let misfit = |(output, (sql, feature)): (usize, (Result<String, Refused>, &Field))| {
        let refused = sql.err()?;
        let message = format!("Spark does not compute `{}` as it is computed here: {refused}", feature.name);
        let help = "results that come here have it as ever; those that Spark writes itself cannot, unless it is written in another \
                    way: see docs/engine.md"
            .to_owned();
        Some(Misfit { output, message, help: Some(help), only_elsewhere: true })
    };
    outputs.filter_map(misfit).collect()
}

/// As what an input of a type is computed with.
///
/// # Errors
/// When there is nothing like it.
pub(super) fn declared(dtype: &DataType) -> Result<Kind, Refused> {
    Kind::of(dtype).ok_or_else(|| format!("an input has values of type {dtype}"))
}

fn output(
    sql: &str,
    dtype: &DataType,
    inputs: &[Input],
    value: &dyn Fn(&Input) -> Result<Value, Refused>,
) -> Result<String, Refused> {
    let kind = Kind::of(dtype).ok_or_else(|| format!("its values are of type {dtype}"))?;
    let named = |name: &str| {
        let is_named = |known: &str| known.eq_ignore_ascii_case(name);
        inputs.iter().find(|input| is_named(&input.name) || input.qualified.iter().any(|known| is_named(known)))
    };
    let found = operators::translated(&parsed::parsed(sql)?, &|name: &str| match named(name) {
        Some(input) => value(input),
        None => Err(format!("`{name}` is no input")),
    })?;
    Ok(cast(found, kind)?.number().sql)
}

#[cfg(test)]
mod tests;
