use super::{
    super::source::{FoundSource, Reference},
    DeclaredViews, ViewLowering,
    columns::{JoinKeyTypes, Origin},
};
use crate::{
    definitions::format::RawLabelView,
    diagnostics::{Diagnostics, did_you_mean},
    model::LabelView,
    yaml::Spanned,
};

impl ViewLowering<'_, '_> {
    /// The label view a definition declares; `None` after an error.
    pub(crate) fn label_view(&mut self, raw: RawLabelView, source: &Reference) -> Option<LabelView> {
        self.check_name(&raw.name);
        let sources = self.sources;
        let source = match sources.find(source, self.diagnostics) {
            FoundSource::Broken => return self.without_source(raw.entities, Some(raw.schema)),
            FoundSource::None => None,
            FoundSource::Source(lowered) => {
                self.check_holds_rows(lowered, source.span());
                Some(lowered)
            }
        };
        let history =
            source.and_then(
                |lowered| {
                    if lowered.source.kind.is_stream() { sources.history_of(lowered) } else { Some(lowered) }
                },
            );
        // Labels are pushed, so the history need not have them yet.
        let origin = Origin { source: history, as_they_are: false, join_keys: JoinKeyTypes::Text };
        let columns = self.columns(&raw.name, raw.entities, Some(raw.schema), origin)?;
        Some(LabelView {
            name: raw.name.value,
            entities: columns.entities,
            entity_columns: columns.entity_columns,
            features: columns.features,
            ttl: raw.ttl.map(|ttl| ttl.0).unwrap_or_default(),
            source: source.map(|lowered| lowered.source.clone()),
            online: raw.online,
            labeler_field: raw.labeler_field,
            conflict_policy: raw.conflict_policy.unwrap_or_default(),
            retain_history: raw.retain_history,
            reference_feature_view: raw.reference_feature_view.map(|view| view.value).unwrap_or_default(),
            description: raw.about.description,
            owner: raw.about.owner,
            tags: raw.about.labels.into_tags(),
        })
    }
}

/// Says when the view whose rows are labelled is not among the definitions. Nothing depends on it,
/// and it may be one that Python defined.
pub(crate) fn check_labelled(view: &Spanned<String>, views: &DeclaredViews, diagnostics: &mut Diagnostics) {
    if !views.contains_key(&view.value) {
        let help = did_you_mean(&view.value, views.keys().map(String::as_str));
        diagnostics.warning(&view.span, format!("there is no view `{}` in these definitions", view.value), help);
    }
}
