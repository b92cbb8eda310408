//! What the expressions of a view can name.

use crate::model::{DataType, OnDemandSource, SourceKind};

/// Something that expressions can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// What expressions call it: its own name, or `source__name` where several inputs have that.
    pub name: String,
    /// Another name for it: `source__name`, unless `name` is that or it means something else.
    pub qualified: Option<String>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::testing::{request, view};

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
}
