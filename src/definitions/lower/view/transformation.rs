//! What views compute of their sources: whether it can be computed, and gives what they declare.

use super::{
    super::{inner_span::span_inside, source::LoweredSource},
    ViewLowering,
};
use crate::{
    definitions::format::RawField,
    diagnostics::{Span, did_you_mean},
    model::{Aggregation, FeatureView, TransformationPart},
    yaml::Spanned,
};

/// Where a view says what it computes.
pub(super) struct Written {
    /// The name of the view.
    pub name: Span,
    /// Its query.
    pub sql: Option<Spanned<String>>,
    /// Its aggregations.
    pub aggregations: Vec<Span>,
}

impl ViewLowering<'_, '_> {
    /// The query of a view, which must say something.
    pub(super) fn check_sql(&mut self, sql: Option<&Spanned<String>>) {
        if let Some(sql) = sql.filter(|sql| sql.value.trim().is_empty()) {
            self.diagnostics.error(&sql.span, "the query is empty");
        }
    }

    /// Whether every declared feature is the output of an aggregation; `is_wrong` is told where one is not, and what to
    /// do about it.
    pub(super) fn check_outputs(
        &mut self,
        (schema, entities): (Option<&Spanned<Vec<RawField>>>, &[Spanned<String>]),
        aggregations: &[Aggregation],
        report: fn(&mut Self, &Span, String, Option<String>),
    ) -> bool {
        if aggregations.is_empty() || !self.validate_sources {
            return true;
        }
        let outputs: Vec<String> = aggregations.iter().map(Aggregation::output).collect();
        let known = self.entities;
        let join_keys = entities.iter().filter_map(|name| known.get(&name.value)?.as_ref());
        let join_keys: Vec<&str> = join_keys.map(|entity| entity.join_key.as_str()).collect();
        let columns = schema.into_iter().flat_map(|schema| &schema.value);
        let mut all = true;
        for column in columns.filter(|column| !join_keys.contains(&column.name.value.as_str())) {
            let name = &column.name.value;
            if !outputs.contains(name) {
                let help = did_you_mean(name, outputs.iter().map(String::as_str));
                report(self, &column.name.span, format!("no aggregation gives feature `{name}`"), help);
                all = false;
            }
        }
        all
    }

    /// Compares what a view computes with its source and with what it declares.
    pub(super) fn check_transformation(&mut self, view: &FeatureView, source: &LoweredSource, written: &Written) {
        let columns = if self.validate_sources { self.checks.open(source, self.diagnostics) } else { None };
        let Err((part, problem)) = self.checks.check_transformation(view, columns.as_deref()) else { return };
        let sql = written.sql.as_ref();
        let span = match part {
            Some(TransformationPart::Sql(Some((start, end)))) => sql.map(|sql| {
                let characters = |bytes: usize| sql.value.get(..bytes).map_or(0, |before| before.chars().count());
                span_inside(sql, characters(start), characters(end))
            }),
            Some(TransformationPart::Aggregation(index)) => written.aggregations.get(index).cloned(),
            Some(TransformationPart::Sql(None)) | None => sql.map(|sql| sql.span.clone()),
        };
        self.diagnostics.problem(&span.unwrap_or_else(|| written.name.clone()), problem);
    }
}
