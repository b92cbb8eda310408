use prost::Message;
use serde_json::Value;

use super::{
    convert::{SourceRows, data_source_from_message, data_source_to_message},
    messages::{self, DecodeError, decode},
};
use crate::model::{DataSource, ObjectKind, Timestamp};

/// A data source as the JSON of protobuf, as if it was not stored.
pub fn data_source_json(source: &DataSource) -> Value {
    let message = data_source_to_message(source, None, &SourceRows::default(), Timestamp::from_micros(0));
    // Every message has a JSON form.
    serde_json::to_value(messages::DataSource { meta: None, ..message }).unwrap_or_default()
}

/// The data source that a message is.
pub fn data_source_of(message: &messages::DataSource) -> DataSource {
    data_source_from_message(message)
}

/// A stored message as the JSON of protobuf.
///
/// # Errors
/// When the bytes are not a message of this kind.
pub fn to_json(kind: ObjectKind, proto: &[u8]) -> Result<Value, DecodeError> {
    to_whole_json(kind, proto).map(|(json, _)| json)
}

/// The same, and how many bytes of the message it does not show: those of fields that only a newer Feast knows.
///
/// # Errors
/// As [`to_json`].
pub(super) fn to_whole_json(kind: ObjectKind, proto: &[u8]) -> Result<(Value, usize), DecodeError> {
    fn json<M: Message + Default + serde::Serialize>(bytes: &[u8]) -> Result<(Value, usize), DecodeError> {
        let message: M = decode(bytes)?;
        let unknown = bytes.len().saturating_sub(message.encoded_len());
        // Every message has a JSON form.
        Ok((serde_json::to_value(message).unwrap_or_default(), unknown))
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
