//! Permissions between message and model.

use super::{Unmanaged, created};
use crate::{
    feast::registry::messages::{self as wire, Action as WireAction, PermissionType as WireType},
    model::{Permission, PermissionAction, PermissionType, Policy, Timestamp},
};

/// The kinds of objects as both sides call them.
const TYPES: [(PermissionType, WireType); 12] = [
    (PermissionType::Project, WireType::Project),
    (PermissionType::FeatureView, WireType::FeatureView),
    (PermissionType::OnDemandFeatureView, WireType::OnDemandFeatureView),
    (PermissionType::BatchFeatureView, WireType::BatchFeatureView),
    (PermissionType::StreamFeatureView, WireType::StreamFeatureView),
    (PermissionType::LabelView, WireType::LabelView),
    (PermissionType::Entity, WireType::Entity),
    (PermissionType::FeatureService, WireType::FeatureService),
    (PermissionType::DataSource, WireType::DataSource),
    (PermissionType::ValidationReference, WireType::ValidationReference),
    (PermissionType::SavedDataset, WireType::SavedDataset),
    (PermissionType::Permission, WireType::Permission),
];

/// The actions as both sides call them.
const ACTIONS: [(PermissionAction, WireAction); 8] = [
    (PermissionAction::Create, WireAction::Create),
    (PermissionAction::Describe, WireAction::Describe),
    (PermissionAction::Update, WireAction::Update),
    (PermissionAction::Delete, WireAction::Delete),
    (PermissionAction::ReadOnline, WireAction::ReadOnline),
    (PermissionAction::ReadOffline, WireAction::ReadOffline),
    (PermissionAction::WriteOnline, WireAction::WriteOnline),
    (PermissionAction::WriteOffline, WireAction::WriteOffline),
];

/// The permission a row describes.
///
/// # Errors
/// When the row holds something that definitions cannot express.
pub(crate) fn permission_from_message(message: &wire::Permission) -> Result<Permission, Unmanaged> {
    let spec = message.spec.clone().unwrap_or_default();
    let kind = |number: &i32| {
        let known = TYPES.iter().find(|(_, wire)| *wire as i32 == *number);
        known
            .map(|(kind, _)| *kind)
            .ok_or_else(|| Unmanaged(format!("it is about objects of an unknown kind ({number})")))
    };
    let action = |number: &i32| {
        let known = ACTIONS.iter().find(|(_, wire)| *wire as i32 == *number);
        known.map(|(action, _)| *action).ok_or_else(|| Unmanaged(format!("it allows an unknown action ({number})")))
    };
    Ok(Permission {
        types: spec.types.iter().map(kind).collect::<Result<_, _>>()?,
        actions: spec.actions.iter().map(action).collect::<Result<_, _>>()?,
        policy: policy_from_message(&spec.policy.unwrap_or_default())?,
        name: spec.name,
        name_patterns: spec.name_patterns,
        required_tags: wire::to_map(&spec.required_tags),
        tags: wire::to_map(&spec.tags),
    })
}

fn policy_from_message(message: &wire::Policy) -> Result<Policy, Unmanaged> {
    let wire::Policy {
        role_based_policy: roles,
        group_based_policy: groups,
        namespace_based_policy: namespaces,
        combined_group_namespace_policy: both,
        ..
    } = message.clone();
    Ok(match (roles, groups, namespaces, both) {
        (None, None, None, None) => Policy::AllowAll,
        (Some(policy), None, None, None) => Policy::Roles(policy.roles),
        (None, Some(policy), None, None) => Policy::Groups(policy.groups),
        (None, None, Some(policy), None) => Policy::Namespaces(policy.namespaces),
        (None, None, None, Some(policy)) => {
            Policy::GroupsAndNamespaces { groups: policy.groups, namespaces: policy.namespaces }
        }
        _ => return Unmanaged::because("it has several policies at once"),
    })
}

/// The row of a permission that is new or changed at `now`.
pub(crate) fn permission_to_message(
    permission: &Permission,
    stored: Option<wire::Permission>,
    now: Timestamp,
) -> wire::Permission {
    let stored = stored.unwrap_or_default();
    let spec = stored.spec.unwrap_or_default();
    let meta = stored.meta.unwrap_or_default();
    let types = TYPES.iter();
    let number_of_type =
        |kind: &PermissionType| types.clone().find(|(own, _)| own == kind).map(|(_, wire)| *wire as i32);
    let actions = ACTIONS.iter();
    let number_of_action =
        |action: &PermissionAction| actions.clone().find(|(own, _)| own == action).map(|(_, wire)| *wire as i32);
    wire::Permission {
        spec: Some(wire::PermissionSpec {
            name: permission.name.clone(),
            project: spec.project,
            types: permission.types.iter().filter_map(number_of_type).collect(),
            name_patterns: permission.name_patterns.clone(),
            required_tags: wire::from_map(&permission.required_tags),
            actions: permission.actions.iter().filter_map(number_of_action).collect(),
            policy: Some(policy_to_message(&permission.policy, spec.policy.unwrap_or_default())),
            tags: wire::from_map(&permission.tags),
        }),
        meta: Some(wire::PermissionMeta {
            created_timestamp: created(meta.created_timestamp, now),
            last_updated_timestamp: Some(now.into()),
        }),
    }
}

fn policy_to_message(policy: &Policy, stored: wire::Policy) -> wire::Policy {
    let mut message = wire::Policy { name: stored.name, project: stored.project, ..wire::Policy::default() };
    match policy.clone() {
        Policy::AllowAll => {}
        Policy::Roles(roles) => message.role_based_policy = Some(wire::RoleBasedPolicy { roles }),
        Policy::Groups(groups) => message.group_based_policy = Some(wire::GroupBasedPolicy { groups }),
        Policy::Namespaces(namespaces) => {
            message.namespace_based_policy = Some(wire::NamespaceBasedPolicy { namespaces });
        }
        Policy::GroupsAndNamespaces { groups, namespaces } => {
            message.combined_group_namespace_policy = Some(wire::CombinedGroupNamespacePolicy { groups, namespaces });
        }
    }
    message
}
