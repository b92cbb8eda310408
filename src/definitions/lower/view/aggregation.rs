use super::ViewLowering;
use crate::{
    definitions::format::RawAggregation,
    diagnostics::{Span, closest},
    model::{Aggregation, Ttl},
};

impl ViewLowering<'_, '_> {
    /// The aggregations as written, and whether each of them can be told from the others and computed: `report` is told
    /// where one cannot.
    pub(super) fn aggregations(
        &mut self,
        raw: Vec<RawAggregation>,
        report: fn(&mut Self, &Span, String, Option<String>),
    ) -> (Vec<Aggregation>, bool) {
        let mut aggregations: Vec<Aggregation> = Vec::with_capacity(raw.len());
        let mut are_known = true;
        for raw in raw {
            let function = &raw.function;
            if function.value.trim().is_empty() {
                self.diagnostics.error(&function.span, "an aggregation needs a function");
                are_known = false;
            } else if !Aggregation::FUNCTIONS.contains(&function.value.as_str()) {
                let help = match closest(&function.value, Aggregation::FUNCTIONS) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("there are {}", Aggregation::FUNCTIONS.join(", ")),
                };
                let message = format!("there is no aggregate function `{}`", function.value);
                report(self, &function.span, message, Some(help));
                are_known = false;
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
                self.diagnostics.error(&raw.span, "the same aggregation is listed twice");
                are_known = false;
            } else if aggregations.iter().any(|known| known.output() == aggregation.output()) {
                let help = "give one of them another `name`".to_owned();
                report(self, &raw.span, format!("two aggregations give `{}`", aggregation.output()), Some(help));
                are_known = false;
            }
            aggregations.push(aggregation);
        }
        (aggregations, are_known)
    }

    /// Something that keeps the definitions from being applied.
    pub(super) fn error(&mut self, span: &Span, message: String, help: Option<String>) {
        self.diagnostics.error_with_help(span, message, help);
    }

    /// Something that is stored as it is.
    pub(super) fn warn(&mut self, span: &Span, message: String, help: Option<String>) {
        self.diagnostics.warning(span, message, help);
    }
}
