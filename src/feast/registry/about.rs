//! What permissions and lists ask of a stored object, whatever it is and whether definitions can declare it or not.

use prost::Message as _;

use super::{
    fields::{Part, SPEC, message},
    messages::{MapEntry, to_map},
    project_field::identity,
};
use crate::{
    feast::wire::split,
    model::{ObjectKind, PermissionType, Tags},
};

/// What an object is to those who ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its name, as its message has it.
    pub name: String,
    /// What it is to permissions.
    pub permission_type: PermissionType,
    /// Its labels.
    pub tags: Tags,
}

/// What a message says of the object; `None` if it is none of this kind, or has no name.
pub fn about(kind: ObjectKind, proto: &[u8]) -> Option<About> {
    let (name, _) = identity(kind, proto)?;
    let (mut fields, mut message) = (split(proto)?, message(kind));
    if let Some(spec) = message.spec() {
        fields = split(fields.iter().find(|field| field.number == SPEC)?.content?)?;
        message = spec;
    }
    let mut entries = Vec::new();
    let mut is_transformed = false;
    for field in &fields {
        match (message.part(field.number), field.content) {
            (Some(Part::Tags), Some(content)) => entries.push(MapEntry::decode(content).ok()?),
            (Some(Part::Transformation), _) => is_transformed = true,
            _ => {}
        }
    }
    let permission_type = permission_type(kind, is_transformed);
    Some(About { name, permission_type, tags: to_map(&entries) })
}

/// What objects of a kind are to permissions. Feast reads a batch view as one only where something computes its rows.
const fn permission_type(kind: ObjectKind, is_transformed: bool) -> PermissionType {
    match kind {
        ObjectKind::Project => PermissionType::Project,
        ObjectKind::DataSource => PermissionType::DataSource,
        ObjectKind::Entity => PermissionType::Entity,
        ObjectKind::FeatureView if is_transformed => PermissionType::BatchFeatureView,
        ObjectKind::FeatureView => PermissionType::FeatureView,
        ObjectKind::OnDemandFeatureView => PermissionType::OnDemandFeatureView,
        ObjectKind::StreamFeatureView => PermissionType::StreamFeatureView,
        ObjectKind::LabelView => PermissionType::LabelView,
        ObjectKind::FeatureService => PermissionType::FeatureService,
        ObjectKind::Permission => PermissionType::Permission,
        ObjectKind::SavedDataset => PermissionType::SavedDataset,
        ObjectKind::ValidationReference => PermissionType::ValidationReference,
    }
}
