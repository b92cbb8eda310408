use super::{super::source::LoweredSource, ViewLowering};
use crate::{
    definitions::format::RawAggregation,
    diagnostics::{Diagnostics, closest},
    model::{Aggregation, Ttl},
};

/// The functions Feast documents or computes itself.
const FUNCTIONS: [&str; 10] = ["sum", "count", "min", "max", "mean", "avg", "count_distinct", "std", "var", "nunique"];

/// The aggregations as written; two of them cannot have the same result.
pub(crate) fn lower(raw: Vec<RawAggregation>, diagnostics: &mut Diagnostics) -> Vec<Aggregation> {
    let mut aggregations: Vec<Aggregation> = Vec::with_capacity(raw.len());
    for raw in raw {
        let function = &raw.function;
        if function.value.trim().is_empty() {
            diagnostics.error(&function.span, "an aggregation needs a function");
        } else if !FUNCTIONS.contains(&function.value.as_str()) {
            // Feast stores any word, and only the engine that computes it knows better.
            let help = match closest(&function.value, FUNCTIONS) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("Feast has {}", FUNCTIONS.join(", ")),
            };
            let message = format!("`{}` is not an aggregate function of Feast", function.value);
            diagnostics.warning(&function.span, message, help);
        }
        let time_window = raw.time_window.map(|window| window.0).unwrap_or_default();
        let aggregation = Aggregation {
            column: raw.column.value,
            function: raw.function.value,
            time_window,
            slide_interval: raw
                .slide_interval
                .map(|interval| interval.0)
                .filter(|slide| *slide != Ttl::UNLIMITED)
                .unwrap_or(time_window),
            name: raw.name,
        };
        if aggregations.contains(&aggregation) {
            diagnostics.error(&raw.span, "the same aggregation is listed twice");
        }
        aggregations.push(aggregation);
    }
    aggregations
}

impl ViewLowering<'_, '_> {
    /// Compares aggregated columns with the files of a source.
    pub(super) fn check_aggregated(&mut self, raw: &[RawAggregation], source: &LoweredSource) {
        for aggregation in raw.iter().filter(|_| self.validate_sources) {
            self.checks.check_exists(source, &aggregation.column, self.diagnostics);
        }
    }
}
