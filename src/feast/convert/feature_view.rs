use super::{
    Unmanaged, created,
    data_source::{copy_with_class, data_source_from_message},
    field::{fields_from_messages, fields_to_messages},
};
use crate::{
    feast::messages as wire,
    model::{FeatureView, Interval, MaterializedView, SourceKind, Timestamp, Ttl, ViewVersion},
};

/// The text Feast stores for a view that is not pinned to a version.
const LATEST: &str = "latest";

/// The view a row describes.
///
/// # Errors
/// When the row holds something that definitions cannot express yet.
pub fn feature_view_from_message(message: &wire::FeatureView) -> Result<FeatureView, Unmanaged> {
    let spec = message.spec.clone().unwrap_or_default();
    if spec.feature_transformation.is_some() {
        return Unmanaged::because("it has a transformation, which definitions cannot express yet");
    }
    if !spec.source_views.is_empty() {
        return Unmanaged::because("it is derived from other views, which definitions cannot express yet");
    }
    if !spec.version.is_empty() && !spec.version.eq_ignore_ascii_case(LATEST) {
        return Unmanaged::because(format!("it is pinned to version `{}`", spec.version));
    }
    if let Some(stream) = &spec.stream_source {
        let kind = data_source_from_message(stream).kind;
        return Unmanaged::because(format!("its source is of type {kind}, which is not supported yet"));
    }
    let source = spec.batch_source.as_ref().map(data_source_from_message);
    if let Some(SourceKind::Foreign(kind)) = source.as_ref().map(|source| &source.kind) {
        return Unmanaged::because(format!("its source is of type {kind}, which is not supported yet"));
    }
    Ok(FeatureView {
        name: spec.name,
        entities: spec.entities,
        entity_columns: fields_from_messages(&spec.entity_columns),
        features: fields_from_messages(&spec.features),
        ttl: spec.ttl.map(Ttl::from).unwrap_or_default(),
        source,
        stream_source: None,
        online: spec.online,
        offline: spec.offline,
        enabled: !spec.disabled,
        enable_validation: spec.enable_validation,
        mode: spec.mode,
        version: ViewVersion::Latest,
        description: spec.description,
        owner: spec.owner,
        org: spec.org,
        tags: wire::to_map(&spec.tags),
    })
}

/// Whether a changed view gets a new version number, as Feast decides it: when its columns or
/// entities differ. The order of features does not count.
pub fn is_new_version(before: &FeatureView, after: &FeatureView) -> bool {
    let by_name = |view: &FeatureView| {
        let mut features = view.features.clone();
        features.sort_by(|a, b| a.name.cmp(&b.name));
        features
    };
    before.entities != after.entities
        || before.entity_columns != after.entity_columns
        || by_name(before) != by_name(after)
}

/// Which version a written view row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowVersion {
    /// The one that is stored.
    Same,
    /// A new one with this number.
    New(i32),
}

/// The row of a view that is new or changed at `now`.
///
/// `source_row` is the row of the view's source after the change. Intervals, state and everything
/// else Feast records about the view stay.
pub fn feature_view_to_message(
    view: &FeatureView,
    stored: Option<wire::FeatureView>,
    source_row: Option<&wire::DataSource>,
    version: RowVersion,
    project: &str,
    now: Timestamp,
) -> wire::FeatureView {
    let stored = stored.unwrap_or_default();
    let spec = stored.spec.unwrap_or_default();
    let meta = stored.meta.unwrap_or_default();
    let same_source = spec.batch_source.as_ref().map(data_source_from_message) == view.source;
    let batch_source = if same_source { spec.batch_source } else { source_row.map(copy_with_class) };
    wire::FeatureView {
        spec: Some(wire::FeatureViewSpec {
            name: view.name.clone(),
            project: match version {
                RowVersion::Same => spec.project,
                RowVersion::New(_) => project.to_owned(),
            },
            entities: view.entities.clone(),
            features: fields_to_messages(&view.features, &spec.features),
            tags: wire::from_map(&view.tags),
            ttl: Some(view.ttl.into()),
            batch_source,
            online: view.online,
            description: view.description.clone(),
            owner: view.owner.clone(),
            entity_columns: fields_to_messages(&view.entity_columns, &spec.entity_columns),
            offline: view.offline,
            mode: view.mode.clone(),
            enable_validation: view.enable_validation,
            version: if spec.version.is_empty() { LATEST.to_owned() } else { spec.version },
            org: view.org.clone(),
            disabled: !view.enabled,
            stream_source: spec.stream_source,
            source_views: spec.source_views,
            feature_transformation: spec.feature_transformation,
        }),
        meta: Some(wire::FeatureViewMeta {
            created_timestamp: created(meta.created_timestamp, now),
            last_updated_timestamp: Some(now.into()),
            current_version_number: match version {
                RowVersion::Same => meta.current_version_number,
                RowVersion::New(number) => number,
            },
            ..meta
        }),
    }
}

/// What the row says about materialization.
pub fn materialized_from_message(message: &wire::FeatureView) -> MaterializedView {
    let intervals = message.meta.iter().flat_map(|meta| &meta.materialization_intervals);
    MaterializedView {
        intervals: intervals
            .filter_map(|interval| {
                Some(Interval { start: interval.start_time?.into(), end: interval.end_time?.into() })
            })
            .collect(),
    }
}

/// The row after `interval` was written to the online store, at `now`.
pub fn record_materialization(mut stored: wire::FeatureView, interval: Interval, now: Timestamp) -> wire::FeatureView {
    let meta = stored.meta.get_or_insert_default();
    meta.materialization_intervals.push(wire::MaterializationInterval {
        start_time: Some(interval.start.into()),
        end_time: Some(interval.end.into()),
    });
    meta.state = wire::FeatureViewState::AvailableOnline as i32;
    meta.last_updated_timestamp = Some(now.into());
    stored
}
