//! Feature views between message and model, and when a change makes a new version.

use super::{
    SourceRows, Unmanaged, created,
    data_source::data_source_from_message,
    field::{by_name, fields_from_messages, fields_to_messages},
    version::{RowVersion, version_to_text},
};
use crate::{
    feast::registry::messages as wire,
    model::{DataSource, FeatureView, SourceKind, Timestamp, Ttl, ViewVersion},
};

/// The view a row describes.
///
/// # Errors
/// When the row holds something that definitions cannot express.
pub(crate) fn feature_view_from_message(message: &wire::FeatureView) -> Result<FeatureView, Unmanaged> {
    let spec = message.spec.clone().unwrap_or_default();
    if spec.feature_transformation.is_some() {
        return Unmanaged::because("its transformation is a Python function");
    }
    if !spec.source_views.is_empty() {
        return Unmanaged::because("it is derived from other views, which definitions cannot express");
    }
    Ok(FeatureView {
        name: spec.name,
        entities: spec.entities,
        entity_columns: fields_from_messages(&spec.entity_columns),
        features: fields_from_messages(&spec.features),
        ttl: spec.ttl.map(Ttl::from).unwrap_or_default(),
        source: view_source(spec.batch_source.as_ref())?,
        stream_source: view_source(spec.stream_source.as_ref())?,
        online: spec.online,
        offline: spec.offline,
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

/// The copy of a source inside a view.
pub(super) fn view_source(message: Option<&wire::DataSource>) -> Result<Option<DataSource>, Unmanaged> {
    match message.map(data_source_from_message) {
        Some(DataSource { kind: SourceKind::Foreign(kind), .. }) => {
            Unmanaged::because(format!("definitions cannot express its source, of type {kind}"))
        }
        source => Ok(source),
    }
}

/// The version a view is pinned to.
pub(super) fn view_version(text: &str) -> Result<ViewVersion, Unmanaged> {
    text.parse().map_err(|error| Unmanaged(format!("{error}")))
}

/// Whether a changed view gets a new version number, as Feast decides it: when its columns or
/// entities differ. Their order does not count.
pub(crate) fn is_new_version(before: &FeatureView, after: &FeatureView) -> bool {
    sorted(&before.entities) != sorted(&after.entities)
        || by_name(&before.entity_columns) != by_name(&after.entity_columns)
        || by_name(&before.features) != by_name(&after.features)
}

fn sorted(names: &[String]) -> Vec<&String> {
    let mut names: Vec<_> = names.iter().collect();
    names.sort_unstable();
    names
}

/// The row of a view that is new or changed at `now`.
///
/// Intervals, state and everything else Feast records about the view stay.
pub(crate) fn feature_view_to_message(
    view: &FeatureView,
    stored: Option<wire::FeatureView>,
    sources: &SourceRows,
    version: RowVersion,
    project: &str,
    now: Timestamp,
) -> wire::FeatureView {
    let stored = stored.unwrap_or_default();
    let spec = stored.spec.unwrap_or_default();
    let meta = stored.meta.unwrap_or_default();
    wire::FeatureView {
        spec: Some(wire::FeatureViewSpec {
            name: view.name.clone(),
            project: version.project(spec.project, project),
            entities: view.entities.clone(),
            features: fields_to_messages(&view.features, &spec.features),
            tags: wire::from_map(&view.tags),
            ttl: Some(view.ttl.into()),
            batch_source: sources.copy_in_view(view.source.as_ref(), spec.batch_source, now),
            online: view.online,
            description: view.description.clone(),
            owner: view.owner.clone(),
            entity_columns: fields_to_messages(&view.entity_columns, &spec.entity_columns),
            offline: view.offline,
            mode: view.mode.clone(),
            enable_validation: view.enable_validation,
            version: version_to_text(view.version, spec.version),
            org: view.org.clone(),
            disabled: !view.enabled,
            stream_source: sources.copy_in_view(view.stream_source.as_ref(), spec.stream_source, now),
            source_views: spec.source_views,
            feature_transformation: spec.feature_transformation,
        }),
        meta: Some(view_meta(meta, version, now)),
    }
}

/// What Feast records about a view, after a change at `now`.
pub(super) fn view_meta(stored: wire::FeatureViewMeta, version: RowVersion, now: Timestamp) -> wire::FeatureViewMeta {
    wire::FeatureViewMeta {
        created_timestamp: created(stored.created_timestamp, now),
        last_updated_timestamp: Some(now.into()),
        current_version_number: version.number(stored.current_version_number),
        ..stored
    }
}
