//! A stored object as the model has it.

use super::{
    convert::{
        Unmanaged, data_source_from_message, entity_from_message, feature_service_from_message,
        feature_view_from_message, label_view_from_message, materialized_from_message,
        on_demand_feature_view_from_message, permission_from_message, project_from_message, saved_dataset_from_message,
        stream_feature_view_from_message, validation_reference_from_message,
    },
    messages::{self, decode},
};
use crate::model::{MaterializedView, Object, ObjectKind, SourceKind};

/// What a stored message says.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The object, or why feastr cannot manage it.
    pub object: Result<Object, Unmanaged>,
    /// What was materialized of it; `None` for objects that are never materialized and for damaged bytes.
    pub materialized: Option<MaterializedView>,
    /// Which version of a feature view or stream feature view it is.
    pub version: Option<u32>,
}

impl Stored {
    /// Reads the message `proto` of the object called `name`.
    pub fn read(kind: ObjectKind, name: &str, proto: &[u8]) -> Self {
        let (mut materialized, mut version) = (None, None);
        let object = object(kind, name, proto, |meta| {
            materialized = Some(materialized_from_message(meta));
            version = Some(meta.map_or(0, |meta| meta.current_version_number.max(0).cast_unsigned()));
        });
        Self { object, materialized, version }
    }
}

/// The object; what a view says about materialization and its version is noted even where the object cannot be managed.
fn object(
    kind: ObjectKind,
    name: &str,
    proto: &[u8],
    mut note: impl FnMut(Option<&messages::FeatureViewMeta>),
) -> Result<Object, Unmanaged> {
    Ok(match kind {
        ObjectKind::Project => Object::Project(project_from_message(&read(proto)?)),
        ObjectKind::Entity => Object::Entity(entity_from_message(&read(proto)?)),
        ObjectKind::DataSource => {
            let mut source = data_source_from_message(&read(proto)?);
            if source.name.is_empty() {
                source.name = name.to_owned();
            }
            if source.name.is_empty() {
                return Unmanaged::because("it has no name, and no path or table that could stand for one");
            }
            if let SourceKind::Foreign(kind) = &source.kind {
                return Unmanaged::because(format!("definitions cannot express this source, of type {kind}"));
            }
            Object::DataSource(source)
        }
        ObjectKind::FeatureView => {
            let message: messages::FeatureView = read(proto)?;
            note(message.meta.as_ref());
            Object::FeatureView(feature_view_from_message(&message)?)
        }
        ObjectKind::OnDemandFeatureView => {
            Object::OnDemandFeatureView(on_demand_feature_view_from_message(&read(proto)?)?)
        }
        ObjectKind::StreamFeatureView => {
            let message: messages::StreamFeatureView = read(proto)?;
            note(message.meta.as_ref());
            Object::StreamFeatureView(stream_feature_view_from_message(&message)?)
        }
        ObjectKind::LabelView => Object::LabelView(label_view_from_message(&read(proto)?)?),
        ObjectKind::FeatureService => Object::FeatureService(feature_service_from_message(&read(proto)?)?),
        ObjectKind::Permission => Object::Permission(permission_from_message(&read(proto)?)?),
        ObjectKind::SavedDataset => Object::SavedDataset(saved_dataset_from_message(&read(proto)?)?),
        ObjectKind::ValidationReference => {
            Object::ValidationReference(validation_reference_from_message(&read(proto)?))
        }
    })
}

fn read<M: prost::Message + Default>(proto: &[u8]) -> Result<M, Unmanaged> {
    decode(proto).map_err(|error| Unmanaged(format!("its row is damaged: {error}")))
}
