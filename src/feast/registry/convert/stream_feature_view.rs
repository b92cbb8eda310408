//! Stream feature views between message and model, and when a change makes a new version.

use super::{
    SourceRows, Unmanaged,
    feature_view::{view_meta, view_source, view_version},
    field::{by_name, fields_from_messages, fields_to_messages},
    version::{RowVersion, version_to_text},
};
use crate::{
    feast::registry::messages as wire,
    model::{Aggregation, StreamFeatureView, Timestamp, Ttl},
};

/// The view a row describes.
///
/// # Errors
/// When the row holds something that definitions cannot express.
pub(crate) fn stream_feature_view_from_message(
    message: &wire::StreamFeatureView,
) -> Result<StreamFeatureView, Unmanaged> {
    let spec = message.spec.clone().unwrap_or_default();
    if spec.user_defined_function.is_some() || spec.feature_transformation.is_some() {
        return Unmanaged::because("its transformation is a Python function");
    }
    let entity_columns = fields_from_messages(&spec.entity_columns);
    Ok(StreamFeatureView {
        name: spec.name,
        entities: spec.entities,
        features: {
            let mut schema = fields_from_messages(&spec.features);
            schema.retain(|column| !entity_columns.iter().any(|key| key.name == column.name));
            schema.into()
        },
        entity_columns,
        ttl: spec.ttl.map(Ttl::from).unwrap_or_default(),
        source: view_source(spec.batch_source.as_ref())?,
        stream_source: view_source(spec.stream_source.as_ref())?,
        aggregations: spec.aggregations.iter().map(aggregation_from_message).collect(),
        timestamp_field: spec.timestamp_field,
        enable_tiling: spec.enable_tiling,
        tiling_hop_size: spec.tiling_hop_size.map(Ttl::from),
        online: spec.online,
        enabled: !spec.disabled,
        enable_validation: spec.enable_validation,
        mode: spec.mode,
        version: view_version(&spec.version)?,
        description: spec.description,
        owner: spec.owner,
        org: spec.org,
        tags: wire::to_map(&spec.tags),
    })
}

/// Whether a changed view gets a new version number, as Feast decides it.
pub(crate) fn is_new_stream_version(before: &StreamFeatureView, after: &StreamFeatureView) -> bool {
    before.features != after.features
        || by_name(&before.entity_columns) != by_name(&after.entity_columns)
        || before.entities != after.entities
        || before.aggregations != after.aggregations
        || before.timestamp_field != after.timestamp_field
        || before.mode != after.mode
}

/// The row of a view that is new or changed at `now`.
///
/// Intervals, state and everything else Feast records about the view stay.
pub(crate) fn stream_feature_view_to_message(
    view: &StreamFeatureView,
    stored: Option<wire::StreamFeatureView>,
    sources: &SourceRows,
    version: RowVersion,
    project: &str,
    now: Timestamp,
) -> wire::StreamFeatureView {
    let before = stored.as_ref().and_then(|stored| stream_feature_view_from_message(stored).ok());
    let stored = stored.unwrap_or_default();
    let spec = stored.spec.unwrap_or_default();
    // Feast has the schema in no order; a stored one stays.
    let same_schema =
        before.is_some_and(|before| before.features == view.features && before.entity_columns == view.entity_columns);
    wire::StreamFeatureView {
        spec: Some(wire::StreamFeatureViewSpec {
            name: view.name.clone(),
            project: version.project(spec.project, project),
            entities: view.entities.clone(),
            features: if same_schema {
                spec.features
            } else {
                let schema: Vec<_> = view.entity_columns.iter().chain(&*view.features).cloned().collect();
                fields_to_messages(&schema, &spec.features)
            },
            entity_columns: fields_to_messages(&view.entity_columns, &spec.entity_columns),
            description: view.description.clone(),
            tags: wire::from_map(&view.tags),
            owner: view.owner.clone(),
            ttl: Some(view.ttl.into()),
            batch_source: sources.copy_in_view(view.source.as_ref(), spec.batch_source, now),
            stream_source: sources.copy_in_view(view.stream_source.as_ref(), spec.stream_source, now),
            online: view.online,
            user_defined_function: spec.user_defined_function,
            mode: view.mode.clone(),
            aggregations: view
                .aggregations
                .iter()
                .map(|aggregation| {
                    let same = spec.aggregations.iter().find(|stored| aggregation_from_message(stored) == *aggregation);
                    same.cloned().unwrap_or_else(|| aggregation_to_message(aggregation))
                })
                .collect(),
            timestamp_field: view.timestamp_field.clone(),
            feature_transformation: spec.feature_transformation,
            enable_tiling: view.enable_tiling,
            tiling_hop_size: view.tiling_hop_size.map(Into::into),
            enable_validation: view.enable_validation,
            version: version_to_text(view.version, spec.version),
            org: view.org.clone(),
            disabled: !view.enabled,
        }),
        meta: Some(view_meta(stored.meta.unwrap_or_default(), version, now)),
    }
}

fn aggregation_from_message(message: &wire::Aggregation) -> Aggregation {
    let time_window = message.time_window.map(Ttl::from).unwrap_or_default();
    let slide_interval = message.slide_interval.map(Ttl::from).unwrap_or_default();
    Aggregation {
        column: message.column.clone(),
        function: message.function.clone(),
        time_window,
        slide_interval: if slide_interval == Ttl::UNLIMITED { time_window } else { slide_interval },
        name: message.name.clone(),
    }
}

fn aggregation_to_message(aggregation: &Aggregation) -> wire::Aggregation {
    let span = |span: Ttl| span.limit().map(|_| span.into());
    wire::Aggregation {
        column: aggregation.column.clone(),
        function: aggregation.function.clone(),
        time_window: span(aggregation.time_window),
        slide_interval: span(aggregation.slide_interval),
        name: aggregation.name.clone(),
    }
}
