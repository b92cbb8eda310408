use super::{
    SourceRows, Unmanaged,
    data_source::data_source_from_message,
    field::{fields_from_messages, fields_to_messages},
};
use crate::{
    feast::registry::messages as wire,
    model::{Projection, SourceKind, Timestamp},
};

/// What Feast writes into the projections of views.
const VIEW_TYPE: &str = "featureView";

/// What Feast writes into the projections of label views.
const LABEL_VIEW_TYPE: &str = "labelView";

/// Refuses a projection that definitions cannot express.
pub(crate) fn check_projection(message: &wire::FeatureViewProjection) -> Result<(), Unmanaged> {
    let view = &message.feature_view_name;
    if message.version_tag.is_some() {
        return Unmanaged::because(format!("it selects a pinned version of `{view}`"));
    }
    match message.batch_source.as_ref().map(|source| data_source_from_message(source).kind) {
        Some(SourceKind::Foreign(kind)) => Unmanaged::because(format!(
            "it selects from `{view}`, whose source of type {kind} definitions cannot express"
        )),
        _ => Ok(()),
    }
}

/// A stored selection from a view; an empty alias is `None`.
pub(crate) fn projection_from_message(message: &wire::FeatureViewProjection) -> Projection {
    let alias = &message.feature_view_name_alias;
    Projection {
        view: message.feature_view_name.clone(),
        features: fields_from_messages(&message.feature_columns),
        name_alias: (!alias.is_empty()).then(|| alias.clone()),
        join_key_map: wire::to_map(&message.join_key_map),
        source: message.batch_source.as_ref().map(data_source_from_message),
        labels: message.view_type == LABEL_VIEW_TYPE,
    }
}

/// The message of a projection; one of `stored` that says the same stays as it is.
pub(crate) fn projection_to_message<'a>(
    projection: &Projection,
    mut stored: impl Iterator<Item = &'a wire::FeatureViewProjection>,
    sources: &SourceRows,
    now: Timestamp,
) -> wire::FeatureViewProjection {
    if let Some(same) = stored.find(|message| projection_from_message(message) == *projection) {
        return same.clone();
    }
    let source = projection.source.as_ref();
    let created_column = source.map(|source| source.created_timestamp_column.clone()).unwrap_or_default();
    wire::FeatureViewProjection {
        feature_view_name: projection.view.clone(),
        feature_columns: fields_to_messages(&projection.features, &[]),
        feature_view_name_alias: projection.name_alias.clone().unwrap_or_default(),
        join_key_map: wire::from_map(&projection.join_key_map),
        // Not a slip: Feast stores the created column in both fields.
        timestamp_field: created_column.clone(),
        date_partition_column: source.map(|source| source.date_partition_column.clone()).unwrap_or_default(),
        created_timestamp_column: created_column,
        batch_source: source.map(|source| sources.copy(source, now)),
        stream_source: None,
        version_tag: None,
        view_type: if projection.labels { LABEL_VIEW_TYPE } else { VIEW_TYPE }.to_owned(),
    }
}
