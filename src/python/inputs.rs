//! The columns that Feast hands to a function.

use super::{
    Refused, name,
    run::Columns,
    sql::Sql,
    term::{Rules, Term},
};
use crate::{
    expression::{Input, inputs},
    model::{OnDemandSource, SourceKind},
};

/// Each input under the names that the function finds it by: of a feature `view__feature`, and its own name where that
/// is clear.
pub(super) fn columns(sources: &[OnDemandSource], rules: Rules) -> Columns {
    let mut columns = Columns::new();
    for (own, input) in own_names(sources).into_iter().zip(inputs(sources)) {
        let term = term(&input, rules);
        let is_own = input.column == own;
        for name in std::iter::once(own).chain((!is_own).then_some(input.column)) {
            let ambiguous = Refused { line: None, reason: "several sources have an input of this name".to_owned() };
            let is_taken = columns.contains_key(&name);
            columns.insert(name, if is_taken { Err(ambiguous) } else { term.clone() });
        }
    }
    columns
}

fn term(input: &Input, rules: Rules) -> Result<Term, Refused> {
    let name = Sql::input(name::written(&input.name));
    Term::input(name, &input.dtype, rules).ok_or_else(|| Refused {
        line: None,
        reason: format!("`{}` has values of type {}, which are not translated", input.name, input.dtype),
    })
}

/// The names of the columns in their sources, in the order of [`inputs`].
fn own_names(sources: &[OnDemandSource]) -> Vec<String> {
    let names = sources.iter().flat_map(|source| match source {
        OnDemandSource::View(projection) => projection.features.as_slice(),
        OnDemandSource::Request(request) => match &request.kind {
            SourceKind::Request(request) => request.schema.as_slice(),
            _ => &[],
        },
    });
    names.map(|field| field.name.clone()).collect()
}
