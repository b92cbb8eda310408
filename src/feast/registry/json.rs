use prost::Message;
use serde_json::Value;

use super::messages::{self, DecodeError, decode};
use crate::model::ObjectKind;

/// A stored message as the JSON of protobuf.
///
/// # Errors
/// When the bytes are not a message of this kind.
pub fn to_json(kind: ObjectKind, proto: &[u8]) -> Result<Value, DecodeError> {
    fn json<M: Message + Default + serde::Serialize>(bytes: &[u8]) -> Result<Value, DecodeError> {
        // Every message has a JSON form.
        decode::<M>(bytes).map(|message| serde_json::to_value(message).unwrap_or_default())
    }
    match kind {
        ObjectKind::Project => json::<messages::Project>(proto),
        ObjectKind::DataSource => json::<messages::DataSource>(proto),
        ObjectKind::Entity => json::<messages::Entity>(proto),
        ObjectKind::FeatureView => json::<messages::FeatureView>(proto),
        ObjectKind::OnDemandFeatureView => json::<messages::OnDemandFeatureView>(proto),
        ObjectKind::StreamFeatureView => json::<messages::StreamFeatureView>(proto),
        ObjectKind::LabelView => json::<messages::LabelView>(proto),
        ObjectKind::FeatureService => json::<messages::FeatureService>(proto),
        ObjectKind::Permission => json::<messages::Permission>(proto),
        ObjectKind::SavedDataset => json::<messages::SavedDataset>(proto),
        ObjectKind::ValidationReference => json::<messages::ValidationReference>(proto),
    }
}
