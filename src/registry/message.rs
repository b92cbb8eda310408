use prost::Message;
use serde_json::Value;

use super::objects::{Row, Snapshot};
use crate::{
    feast::registry::messages::{self, DecodeError, decode},
    model::ObjectKind,
};

/// The rows of a project as one message, as a file registry holds them.
///
/// # Errors
/// When a row is damaged.
pub fn to_message(snapshot: &Snapshot) -> Result<messages::Registry, DecodeError> {
    let mut registry = messages::Registry::default();
    for Row { kind, proto, .. } in &snapshot.rows {
        match kind {
            ObjectKind::Project => registry.projects.push(decode(proto)?),
            ObjectKind::DataSource => registry.data_sources.push(decode(proto)?),
            ObjectKind::Entity => registry.entities.push(decode(proto)?),
            ObjectKind::FeatureView => registry.feature_views.push(decode(proto)?),
            ObjectKind::OnDemandFeatureView => registry.on_demand_feature_views.push(decode(proto)?),
            ObjectKind::StreamFeatureView => registry.stream_feature_views.push(decode(proto)?),
            ObjectKind::LabelView => registry.label_views.push(decode(proto)?),
            ObjectKind::FeatureService => registry.feature_services.push(decode(proto)?),
            ObjectKind::Permission => registry.permissions.push(decode(proto)?),
            ObjectKind::SavedDataset => registry.saved_datasets.push(decode(proto)?),
            ObjectKind::ValidationReference => registry.validation_references.push(decode(proto)?),
        }
    }
    registry.infra = snapshot.infra.as_deref().map(decode).transpose()?;
    Ok(registry)
}

/// A stored message as the JSON of protobuf.
///
/// # Errors
/// When the row is damaged.
pub fn to_json(row: &Row) -> Result<Value, DecodeError> {
    fn json<M: Message + Default + serde::Serialize>(bytes: &[u8]) -> Result<Value, DecodeError> {
        // Every message has a JSON form.
        decode::<M>(bytes).map(|message| serde_json::to_value(message).unwrap_or_default())
    }
    match row.kind {
        ObjectKind::Project => json::<messages::Project>(&row.proto),
        ObjectKind::DataSource => json::<messages::DataSource>(&row.proto),
        ObjectKind::Entity => json::<messages::Entity>(&row.proto),
        ObjectKind::FeatureView => json::<messages::FeatureView>(&row.proto),
        ObjectKind::OnDemandFeatureView => json::<messages::OnDemandFeatureView>(&row.proto),
        ObjectKind::StreamFeatureView => json::<messages::StreamFeatureView>(&row.proto),
        ObjectKind::LabelView => json::<messages::LabelView>(&row.proto),
        ObjectKind::FeatureService => json::<messages::FeatureService>(&row.proto),
        ObjectKind::Permission => json::<messages::Permission>(&row.proto),
        ObjectKind::SavedDataset => json::<messages::SavedDataset>(&row.proto),
        ObjectKind::ValidationReference => json::<messages::ValidationReference>(&row.proto),
    }
}
