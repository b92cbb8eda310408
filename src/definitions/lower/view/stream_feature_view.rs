use super::{
    super::source::{FoundSource, LoweredSource, Reference},
    ViewLowering,
    columns::{JoinKeyTypes, Origin},
    transformation::Written,
};
use crate::{
    definitions::format::RawStreamFeatureView,
    diagnostics::Span,
    model::{Aggregation, SQL_TAG, SourceKind, StreamFeatureView, Ttl},
    yaml::Spanned,
};

/// Length of a tile that is not declared.
const DEFAULT_HOP: Ttl = Ttl::from_micros(5 * 60 * 1_000_000);

impl<'a> ViewLowering<'a, '_> {
    /// The stream feature view a definition declares; `None` after an error.
    pub(crate) fn stream_feature_view(
        &mut self,
        raw: RawStreamFeatureView,
        source: &Reference,
    ) -> Option<StreamFeatureView> {
        self.check_name(&raw.name);
        let checks = self.checks_of_source(raw.stored.materialize.as_ref());
        let Some((history, stream)) = self.stream_source(&raw.name, source) else {
            return self.without_source(raw.stored.entities, Some(raw.schema));
        };
        if let (Some(first), None) = (raw.aggregations.first(), &raw.timestamp_field) {
            self.diagnostics.error_with_help(
                &first.span,
                "aggregations need to know the time of each row",
                "name the column with the event times in the view's `timestamp_field`".to_owned(),
            );
        }
        let as_they_are = raw.sql.is_none() && raw.aggregations.is_empty();
        self.check_sql(raw.sql.as_ref());
        let written = Written {
            name: raw.name.span.clone(),
            sql: raw.sql,
            aggregations: raw.aggregations.iter().map(|aggregation| aggregation.span.clone()).collect(),
        };
        // Feast stores any of them, and another engine may compute what feastr cannot.
        let (aggregations, are_known) = self.aggregations(raw.aggregations, Self::warn);
        let declared = (Some(&raw.schema), raw.stored.entities.as_slice());
        let are_declared = self.check_outputs(declared, &aggregations, Self::warn);
        if let Some(column) = raw.timestamp_field.as_ref().filter(|_| !aggregations.is_empty()) {
            self.check_time_of_aggregates(column, history);
        }
        let origin = Origin { source: Some(history), as_they_are, join_keys: JoinKeyTypes::Source };
        let columns = self.columns(&raw.name, raw.stored.entities, Some(raw.schema), origin);
        let hop = raw.tiling_hop_size.as_ref().map(|hop| Spanned { value: hop.value.0, span: hop.span.clone() });
        if raw.enable_tiling {
            self.check_tiles(&aggregations, hop.as_ref(), &raw.name.span);
        }
        let mut tags = raw.stored.about.labels.into_tags();
        tags.extend(written.sql.as_ref().map(|sql| (SQL_TAG.to_owned(), sql.value.clone())));
        checks.add_to(&mut tags);
        let columns = columns?;
        let view = StreamFeatureView {
            name: raw.name.value,
            entities: columns.entities,
            entity_columns: columns.entity_columns,
            features: columns.features.into(),
            ttl: raw.stored.ttl.map(|ttl| ttl.0).unwrap_or_default(),
            source: Some(history.source.clone()),
            stream_source: stream.map(|stream| stream.source.clone()),
            aggregations,
            timestamp_field: raw.timestamp_field.map(|column| column.value).unwrap_or_default(),
            enable_tiling: raw.enable_tiling,
            tiling_hop_size: hop.map(|hop| hop.value),
            online: raw.online,
            enabled: raw.stored.enabled,
            enable_validation: raw.stored.enable_validation,
            mode: raw.mode,
            version: raw.stored.version,
            description: raw.stored.about.description,
            owner: raw.stored.about.owner,
            org: raw.stored.org,
            tags,
        };
        if are_known && are_declared && !as_they_are {
            self.check_transformation(&view.over_history(), history, &written);
        }
        Some(view)
    }

    /// Aggregates are computed of the history, whose rows have the times that its source names.
    fn check_time_of_aggregates(&mut self, column: &Spanned<String>, history: &LoweredSource) {
        let source = &history.source;
        let known = [source.timestamp_field.as_str(), source.event_column(), source.mapped(source.event_column())];
        if !source.timestamp_field.is_empty() && !known.contains(&column.value.as_str()) {
            self.diagnostics.warning(
                &column.span,
                format!("aggregates go by `{}`, the event times of source `{}`", source.timestamp_field, source.name),
                "name that column in the view's `timestamp_field`".to_owned(),
            );
        }
    }

    /// The history and the stream in front of it; a custom source is both.
    fn stream_source(
        &mut self,
        name: &Spanned<String>,
        source: &Reference,
    ) -> Option<(&'a LoweredSource, Option<&'a LoweredSource>)> {
        let sources = self.sources;
        let lowered = match sources.find(source, self.diagnostics) {
            FoundSource::Broken => return None,
            FoundSource::None => {
                self.diagnostics.error(&name.span, "a stream feature view needs a `source`");
                return None;
            }
            FoundSource::Source(lowered) => lowered,
        };
        match &lowered.source.kind {
            SourceKind::Push(_) | SourceKind::Kafka(_) => Some((self.history(lowered, source.span())?, Some(lowered))),
            // Feast keeps PostgreSQL sources as custom ones, and takes both for streams of Python's.
            SourceKind::Custom(_) | SourceKind::Postgres(_) => Some((lowered, None)),
            other => {
                let message = format!("a stream feature view cannot read from a {other} source");
                let help = "use a push, kafka or custom source".to_owned();
                self.diagnostics.error_with_help(source.span().unwrap_or(&lowered.name.span), message, help);
                None
            }
        }
    }

    /// Tiles must be shorter than every window, or aggregates would be wrong.
    fn check_tiles(&mut self, aggregations: &[Aggregation], hop: Option<&Spanned<Ttl>>, name: &Span) {
        let windows = aggregations.iter().filter_map(|aggregation| aggregation.time_window.limit());
        let length = hop.map_or(DEFAULT_HOP, |hop| hop.value);
        if let Some(shortest) = windows.min().filter(|shortest| length.micros() >= *shortest) {
            let what = if hop.is_some() { "`tiling_hop_size`" } else { "`tiling_hop_size` (when left out)" };
            self.diagnostics.error_with_help(
                hop.map_or(name, |hop| &hop.span),
                format!("{what} is {length}, but the shortest window is {}", Ttl::from_micros(shortest)),
                "make tiles shorter than every window of the aggregations".to_owned(),
            );
        }
    }
}
