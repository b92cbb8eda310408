//! Feature views and batch feature views into the model; batch views keep what Feast has no fields for in tags.

use super::{
    super::source::{FoundSource, LoweredSource, Reference},
    ViewLowering,
    columns::{JoinKeyTypes, Origin, ViewColumns},
    transformation::Written,
};
use crate::{
    definitions::format::{RawBatchFeatureView, RawFeatureView, RawMaterialize, RawStoredKeys},
    diagnostics::Span,
    model::{AGGREGATIONS_TAG, Checks, FeatureView, SQL_TAG, SourceKind},
    yaml::Spanned,
};

/// What feature views and batch feature views say in the same way.
struct Stored {
    name: Spanned<String>,
    online: bool,
    offline: bool,
    mode: String,
    keys: RawStoredKeys,
}

impl<'a> ViewLowering<'a, '_> {
    /// The feature view a definition declares; `None` after an error.
    pub(crate) fn feature_view(&mut self, raw: RawFeatureView, source: &Reference) -> Option<FeatureView> {
        self.check_name(&raw.name);
        let checks = self.checks_of_source(raw.stored.materialize.as_ref());
        let sources = self.sources;
        let (source, stream) = match sources.find(source, self.diagnostics) {
            FoundSource::Broken => return self.without_source(raw.stored.entities, raw.schema),
            FoundSource::None => (None, None),
            FoundSource::Source(lowered) if lowered.source.kind.is_stream() => {
                let Some(history) = self.history(lowered, source.span()) else {
                    return self.without_source(raw.stored.entities, raw.schema);
                };
                (Some(history), Some(lowered))
            }
            FoundSource::Source(lowered) => {
                self.check_holds_rows(lowered, source.span());
                (Some(lowered), None)
            }
        };
        let origin = Origin { source, as_they_are: true, join_keys: JoinKeyTypes::Source };
        let columns = self.columns(&raw.name, raw.stored.entities.clone(), raw.schema, origin)?;
        let stored =
            Stored { name: raw.name, online: raw.online, offline: raw.offline, mode: raw.mode, keys: raw.stored };
        let mut view = stored.into_view(columns, source);
        view.stream_source = stream.map(|stream| stream.source.clone());
        checks.add_to(&mut view.tags);
        Some(view)
    }

    /// The batch feature view a definition declares, as Feast can keep it: a feature view with the
    /// transformation in tags. `None` after an error.
    pub(crate) fn batch_feature_view(&mut self, raw: RawBatchFeatureView, source: &Reference) -> Option<FeatureView> {
        self.check_name(&raw.name);
        let checks = self.checks_of_source(raw.stored.materialize.as_ref());
        let sources = self.sources;
        let lowered = match sources.find(source, self.diagnostics) {
            FoundSource::Broken => return self.without_source(raw.stored.entities, raw.schema),
            FoundSource::None => {
                self.diagnostics.error(&raw.name.span, "a batch feature view needs a `source`");
                return self.without_source(raw.stored.entities, raw.schema);
            }
            FoundSource::Source(lowered) => lowered,
        };
        if lowered.source.kind.is_stream() {
            let span = source.span().unwrap_or(&lowered.name.span);
            let help = match lowered.source.kind.batch_source() {
                Some(batch) => format!("use its batch source, `{}`", batch.name),
                None => "use a source that holds history, such as one of type file".to_owned(),
            };
            let message = format!("a batch feature view cannot read from a {} source", lowered.source.kind);
            self.diagnostics.error_with_help(span, message, help);
            return self.without_source(raw.stored.entities, raw.schema);
        }
        self.check_holds_rows(lowered, source.span());
        let as_they_are = raw.sql.is_none() && raw.aggregations.is_empty();
        self.check_sql(raw.sql.as_ref());
        let written = Written {
            name: raw.name.span.clone(),
            sql: raw.sql,
            aggregations: raw.aggregations.iter().map(|aggregation| aggregation.span.clone()).collect(),
        };
        // What feastr alone computes is right or wrong.
        let (aggregations, are_known) = self.aggregations(raw.aggregations, Self::error);
        let declared = (raw.schema.as_ref(), raw.stored.entities.as_slice());
        let are_declared = self.check_outputs(declared, &aggregations, Self::error);
        let origin = Origin { source: Some(lowered), as_they_are, join_keys: JoinKeyTypes::Source };
        let columns = self.columns(&raw.name, raw.stored.entities.clone(), raw.schema, origin);
        let stored =
            Stored { name: raw.name, online: raw.online, offline: raw.offline, mode: String::new(), keys: raw.stored };
        let mut view = stored.into_view(columns?, Some(lowered));
        checks.add_to(&mut view.tags);
        view.tags.extend(written.sql.as_ref().map(|sql| (SQL_TAG.to_owned(), sql.value.clone())));
        if !aggregations.is_empty() {
            let stored = serde_json::to_string(&aggregations).unwrap_or_default();
            view.tags.insert(AGGREGATIONS_TAG.to_owned(), stored);
        }
        if are_known && are_declared {
            self.check_transformation(&view, lowered, &written);
        }
        Some(view)
    }

    /// What a view wants to be checked of its source.
    pub(super) fn checks_of_source(&mut self, written: Option<&RawMaterialize>) -> Checks {
        let Some(RawMaterialize { checks, .. }) = written else { return Checks::default() };
        let min_rows = checks.min_rows.as_ref().map_or(0, |floor| {
            u64::try_from(floor.value).unwrap_or_else(|_| {
                self.diagnostics.error(&floor.span, format!("{} is not a number of rows", floor.value));
                0
            })
        });
        Checks { null_keys: checks.null_keys, out_of_range: checks.out_of_range, future: checks.future, min_rows }
    }

    /// The source with the history of a stream, which views need.
    pub(super) fn history(&mut self, stream: &LoweredSource, reference: Option<&Span>) -> Option<&'a LoweredSource> {
        let history = self.sources.history_of(stream);
        if history.is_none() {
            self.diagnostics.error_with_help(
                reference.unwrap_or(&stream.name.span),
                format!(
                    "{} source `{}` has no `batch_source` with its history",
                    stream.source.kind, stream.source.name
                ),
                "give it one: views read their past values from there".to_owned(),
            );
        }
        history
    }

    /// Requests bring values, not rows.
    pub(super) fn check_holds_rows(&mut self, lowered: &LoweredSource, reference: Option<&Span>) {
        if matches!(lowered.source.kind, SourceKind::Request(_)) {
            self.diagnostics.error_with_help(
                reference.unwrap_or(&lowered.name.span),
                format!("request source `{}` has no rows that a view could read", lowered.source.name),
                "use it in an on demand feature view".to_owned(),
            );
        }
    }
}

impl Stored {
    fn into_view(self, columns: ViewColumns, source: Option<&LoweredSource>) -> FeatureView {
        let keys = self.keys;
        FeatureView {
            name: self.name.value,
            entities: columns.entities,
            entity_columns: columns.entity_columns,
            features: columns.features,
            ttl: keys.ttl.map(|ttl| ttl.0).unwrap_or_default(),
            source: source.map(|lowered| lowered.source.clone()),
            stream_source: None,
            online: self.online,
            offline: self.offline,
            enabled: keys.enabled,
            enable_validation: keys.enable_validation,
            mode: self.mode,
            version: keys.version,
            description: keys.about.description,
            owner: keys.about.owner,
            org: keys.org,
            tags: keys.about.labels.into_tags(),
        }
    }
}
