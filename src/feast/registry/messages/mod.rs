//! The messages of Feast's registry, each a struct of its own with Feast's field numbers.
//!
//! Decoding and encoding a message that Feast 0.67 wrote gives the same bytes. Fields of later
//! versions are lost on the way; [`unknown_fields`](super::unknown_fields) brings them back.
//! Serialising gives the JSON mapping of protobuf.
//!
//! The fields of a `oneof` are separate options here, which is the same on the wire. Enumerations
//! are plain numbers: read them with `try_from`, because the getters that prost derives turn
//! unknown numbers into the default.

mod data_format;
mod data_source;
mod declared;
pub(crate) mod described;
mod entity;
mod feature;
mod feature_service;
mod feature_view;
mod infra;
mod json;
mod label_view;
mod map;
mod on_demand_feature_view;
mod permission;
mod project;
mod registry;
mod saved_dataset;
mod stream_feature_view;
mod transformation;

pub use crate::feast::well_known::*;
pub use data_format::*;
pub use data_source::*;
pub use entity::*;
pub use feature::*;
pub use feature_service::*;
pub use feature_view::*;
pub use infra::*;
pub use label_view::*;
pub use map::*;
pub use on_demand_feature_view::*;
pub use permission::*;
pub use project::*;
pub use registry::*;
pub use saved_dataset::*;
pub use stream_feature_view::*;
pub use transformation::*;

/// Reads a stored message.
///
/// # Errors
/// When the bytes are not a message of this kind.
pub fn decode<M: prost::Message + Default>(bytes: &[u8]) -> Result<M, DecodeError> {
    M::decode(bytes).map_err(|source| DecodeError { message: message_name::<M>(), source })
}

/// Bytes that are not a message of the expected kind.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("cannot read these bytes as Feast's {message}")]
pub struct DecodeError {
    message: &'static str,
    source: prost::DecodeError,
}

/// The name of the struct, which is Feast's name of the message.
fn message_name<M>() -> &'static str {
    let path = std::any::type_name::<M>();
    path.rsplit("::").next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use proptest::prelude::*;
    use prost::Message as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn unreadable_bytes_are_reported_with_the_message() {
        let error = decode::<FeatureView>(&[0x0a, 0x05, 0x0a, 0x01]).unwrap_err();
        assert_eq!(error.to_string(), "cannot read these bytes as Feast's FeatureView");
        assert!(error.source().unwrap().to_string().contains("FeatureView.spec"));
        let cut_text = decode::<Entity>(&[0x0a, 0x02, 0x0a, 0x05]);
        assert!(cut_text.is_err());
    }

    #[test]
    fn deep_nesting_is_refused() {
        let mut bytes = Vec::new();
        for _ in 0..1_000 {
            let mut source = vec![0xd2, 0x01];
            prost::encode_length_delimiter(bytes.len(), &mut source).unwrap();
            source.extend(&bytes);
            bytes = source;
        }
        assert!(decode::<DataSource>(&bytes).is_err());
    }

    #[test]
    fn maps_keep_order_and_empty_values() {
        // Two tags, `z` without text and `a`, each with both fields of the entry.
        let bytes = [0x1a, 0x05, 0x0a, 0x01, b'z', 0x12, 0x00, 0x1a, 0x06, 0x0a, 0x01, b'a', 0x12, 0x01, b'1'];
        let spec: ProjectSpec = decode(&bytes).unwrap();
        assert_eq!(spec.encode_to_vec(), bytes);
        assert_eq!(serde_json::to_string(&spec).unwrap(), r#"{"tags":{"a":"1","z":""}}"#);
        let tags = to_map(&spec.tags);
        assert_eq!(from_map(&tags), [MapEntry::new("a", "1"), MapEntry::new("z", "")]);
    }

    #[test]
    fn json_follows_the_mapping_of_protobuf() {
        let permission = PermissionSpec {
            types: vec![PermissionType::LabelView as i32, 99],
            actions: vec![Action::Create as i32],
            policy: Some(Policy::default()),
            ..PermissionSpec::default()
        };
        assert_eq!(
            serde_json::to_value(&permission).unwrap(),
            json!({"types": ["LABEL_VIEW", 99], "actions": ["CREATE"], "policy": {}})
        );
        let field = FeatureSpecV2 { value_type: 30, vector_length: 3, ..FeatureSpecV2::default() };
        assert_eq!(serde_json::to_value(&field).unwrap(), json!({"valueType": 30, "vectorLength": 3}));
        let lance = LanceFormat { version: u64::MAX, ..LanceFormat::default() };
        assert_eq!(serde_json::to_value(&lance).unwrap(), json!({"version": "18446744073709551615"}));
        let view = FeatureViewProjection { version_tag: Some(0), ..FeatureViewProjection::default() };
        assert_eq!(serde_json::to_value(&view).unwrap(), json!({"versionTag": 0}));
        let custom = CustomSourceOptions { configuration: vec![0xfb, 0xff] };
        assert_eq!(serde_json::to_value(&custom).unwrap(), json!({"configuration": "+/8="}));
    }

    #[test]
    fn json_shows_numbers_with_single_precision_as_written() {
        for (rate, text) in [
            (0.1, "0.1"),
            (1.0, "1.0"),
            (1e-10, "1e-10"),
            (f32::NAN, r#""NaN""#),
            (f32::INFINITY, r#""Infinity""#),
            (f32::NEG_INFINITY, r#""-Infinity""#),
        ] {
            let config = LoggingConfig { sample_rate: rate, ..LoggingConfig::default() };
            assert_eq!(serde_json::to_string(&config).unwrap(), format!(r#"{{"sampleRate":{text}}}"#));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_decode_or_fail(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(registry) = decode::<Registry>(&bytes) {
                serde_json::to_string(&registry).unwrap();
            }
            if let Ok(view) = decode::<OnDemandFeatureView>(&bytes) {
                serde_json::to_string(&view).unwrap();
            }
        }
    }
}
