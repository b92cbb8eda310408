use super::{
    SourceRows, Unmanaged, created,
    feature_view::view_source,
    field::{by_name, fields_from_messages, fields_to_messages},
    version::RowVersion,
};
use crate::{
    feast::registry::messages::{self as wire, ConflictResolutionPolicy},
    model::{ConflictPolicy, LabelView, Timestamp, Ttl},
};

/// The view a row describes.
///
/// # Errors
/// When the row holds something that definitions cannot express.
pub(crate) fn label_view_from_message(message: &wire::LabelView) -> Result<LabelView, Unmanaged> {
    let spec = message.spec.clone().unwrap_or_default();
    Ok(LabelView {
        name: spec.name,
        entities: spec.entities,
        entity_columns: fields_from_messages(&spec.entity_columns),
        features: fields_from_messages(&spec.features),
        ttl: spec.ttl.map(Ttl::from).unwrap_or_default(),
        source: view_source(spec.source.as_ref())?,
        online: spec.online,
        labeler_field: spec.labeler_field,
        conflict_policy: match ConflictResolutionPolicy::try_from(spec.conflict_policy) {
            Ok(ConflictResolutionPolicy::LastWriteWins) => ConflictPolicy::LastWriteWins,
            Ok(ConflictResolutionPolicy::LabelerPriority) => ConflictPolicy::LabelerPriority,
            Ok(ConflictResolutionPolicy::MajorityVote) => ConflictPolicy::MajorityVote,
            Err(_) => {
                let number = spec.conflict_policy;
                return Unmanaged::because(format!("definitions cannot express its conflict policy ({number})"));
            }
        },
        retain_history: spec.retain_history,
        reference_feature_view: spec.reference_feature_view,
        description: spec.description,
        owner: spec.owner,
        tags: wire::to_map(&spec.tags),
    })
}

/// Whether a changed view gets a new version number, as Feast decides it: when its labels differ.
pub(crate) fn is_new_label_version(before: &LabelView, after: &LabelView) -> bool {
    by_name(&before.features) != by_name(&after.features)
}

/// The row of a view that is new or changed at `now`. It does not say which version it is.
pub(crate) fn label_view_to_message(
    view: &LabelView,
    stored: Option<wire::LabelView>,
    sources: &SourceRows,
    version: RowVersion,
    project: &str,
    now: Timestamp,
) -> wire::LabelView {
    let stored = stored.unwrap_or_default();
    let spec = stored.spec.unwrap_or_default();
    let meta = stored.meta.unwrap_or_default();
    let conflict_policy = match view.conflict_policy {
        ConflictPolicy::LastWriteWins => ConflictResolutionPolicy::LastWriteWins,
        ConflictPolicy::LabelerPriority => ConflictResolutionPolicy::LabelerPriority,
        ConflictPolicy::MajorityVote => ConflictResolutionPolicy::MajorityVote,
    };
    wire::LabelView {
        spec: Some(wire::LabelViewSpec {
            name: view.name.clone(),
            project: version.project(spec.project, project),
            entities: view.entities.clone(),
            features: fields_to_messages(&view.features, &spec.features),
            tags: wire::from_map(&view.tags),
            ttl: Some(view.ttl.into()),
            source: sources.copy_in_view(view.source.as_ref(), spec.source, now),
            online: view.online,
            description: view.description.clone(),
            owner: view.owner.clone(),
            entity_columns: fields_to_messages(&view.entity_columns, &spec.entity_columns),
            labeler_field: view.labeler_field.clone(),
            conflict_policy: conflict_policy as i32,
            retain_history: view.retain_history,
            reference_feature_view: view.reference_feature_view.clone(),
        }),
        meta: Some(wire::LabelViewMeta {
            created_timestamp: created(meta.created_timestamp, now),
            last_updated_timestamp: Some(now.into()),
        }),
    }
}
