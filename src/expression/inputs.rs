//! What the expressions of a view can name.

use crate::model::{DataType, OnDemandSource, SourceKind};

/// Something that expressions can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// What expressions call it: its own name, or `source__name` where several inputs have that.
    pub name: String,
    /// Other names for it: `source__name`, also with the alias of a view, unless `name` is that or it means something
    /// else.
    pub qualified: Vec<String>,
    /// The column of the frame that Feast hands to the function.
    pub column: String,
    /// The declared type of its values.
    pub dtype: DataType,
}

/// What expressions over these sources can name, in the order of sources and their columns.
///
/// SQL does not tell names apart that differ in case alone, so neither does this.
pub fn inputs(sources: &[OnDemandSource]) -> Vec<Input> {
    let mut columns = Vec::new();
    for source in sources {
        let (fields, alias, is_view) = match source {
            OnDemandSource::View(projection) => (&projection.features, projection.name_alias.as_deref(), true),
            OnDemandSource::Request(request) => match &request.kind {
                SourceKind::Request(request) => (&request.schema, None, false),
                _ => continue,
            },
        };
        columns.extend(fields.iter().map(|field| (source.name(), alias, field, is_view)));
    }
    let is_taken = |wanted: &str, times: usize| {
        columns.iter().filter(|(.., field, _)| field.name.eq_ignore_ascii_case(wanted)).count() > times
    };
    columns
        .iter()
        .map(|(source, alias, field, is_view)| {
            let of = |source: &str| format!("{source}__{}", field.name);
            let column = if *is_view { of(source) } else { field.name.clone() };
            let aliased = alias.map(of);
            let (name, itself) =
                if is_taken(&field.name, 1) { (of(source), None) } else { (field.name.clone(), Some(of(source))) };
            let unambiguous = |name: &String| !is_taken(name, 0);
            let qualified = itself.into_iter().chain(aliased).filter(unambiguous).collect();
            Input { name, qualified, column, dtype: field.dtype.clone() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        expression::testing::{request, view},
        model::Projection,
    };

    #[test]
    fn inputs_of_a_view_with_an_alias_go_by_both() {
        let rate = [("rate", DataType::Float32)];
        let aliased = |source| match source {
            OnDemandSource::View(projection) => {
                OnDemandSource::View(Projection { name_alias: Some("origin".to_owned()), ..projection })
            }
            request => request,
        };
        let names = |sources: &[OnDemandSource]| {
            inputs(sources).into_iter().map(|input| (input.name, input.qualified)).collect::<Vec<_>>()
        };
        let own = |text: &str| text.to_owned();
        let one = aliased(view("a", &rate));
        let expected = (own("rate"), vec![own("a__rate"), own("origin__rate")]);
        assert_eq!(names(std::slice::from_ref(&one)), [expected]);
        let expected = [(own("a__rate"), vec![own("origin__rate")]), (own("b__rate"), vec![])];
        assert_eq!(names(&[one, view("b", &rate)]), expected);
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
                (own("a__rate"), vec![], own("a__rate")),
                (own("trips"), vec![], own("a__trips")),
                (own("b__Rate"), vec![], own("b__Rate")),
                (own("a__trips"), vec![own("b__a__trips")], own("b__a__trips")),
                (own("tip"), vec![own("now__tip")], own("tip")),
            ]
        );
    }
}
