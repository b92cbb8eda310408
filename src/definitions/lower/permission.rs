//! Permissions into the model: what a left out type, action or policy means.

use regex::Regex;

use super::names::check_object_name;
use crate::{
    definitions::format::{RawPermission, RawPolicy},
    diagnostics::Diagnostics,
    model::{Permission, PermissionAction, PermissionType, Policy, Tags},
    yaml::Spanned,
};

/// The permission a definition declares; `None` after an error.
pub(crate) fn lower_permission(raw: RawPermission, diagnostics: &mut Diagnostics) -> Option<Permission> {
    check_object_name(&raw.name, "a permission", diagnostics);
    let mut types: Vec<PermissionType> = Vec::new();
    for kind in raw.types.unwrap_or_default() {
        if !types.contains(&kind) {
            types.push(kind);
        }
    }
    if raw.policy.is_none() {
        let message = format!("permission `{}` has no policy, and Python Feast cannot read it", raw.name.value);
        let help = "Feast 0.67 writes it and then fails on the whole registry; name `roles`, `groups` or `namespaces`";
        diagnostics.warning(&raw.name.span, message, help.to_owned());
    }
    // Feast takes no type for all types, and no action for a mistake.
    if types.is_empty() {
        types = PermissionType::ALL.to_vec();
    }
    let actions = match raw.actions {
        None => PermissionAction::ALL.to_vec(),
        Some(actions) => {
            if actions.value.0.is_empty() {
                let help = "leave `actions` out to allow everything".to_owned();
                diagnostics.error_with_help(&actions.span, "a permission allows at least one action", help);
            }
            actions.value.0
        }
    };
    Some(Permission {
        name: raw.name.value,
        types,
        name_patterns: raw.name_patterns.0.into_iter().map(|pattern| lower_pattern(pattern, diagnostics)).collect(),
        required_tags: trimmed(raw.required_tags),
        actions,
        policy: match raw.policy {
            Some(policy) => lower_policy(policy, diagnostics)?,
            None => Policy::AllowAll,
        },
        tags: trimmed(raw.labels.into_tags()),
    })
}

/// Feast trims patterns, and matches them with whole names.
fn lower_pattern(pattern: Spanned<String>, diagnostics: &mut Diagnostics) -> String {
    let text = pattern.value.trim();
    if let Err(error) = Regex::new(&format!("^(?:{text})$")) {
        let reason = match &error {
            // The last line says what is wrong; those above draw the pattern.
            regex::Error::Syntax(drawing) => drawing.lines().last().unwrap_or_default().trim().to_owned(),
            other => other.to_string(),
        };
        let reason = reason.strip_prefix("error: ").unwrap_or(&reason);
        diagnostics.error_with_help(
            &pattern.span,
            format!("`{text}` is not a regular expression: {reason}"),
            "patterns match whole names, such as `driver_.*`; look-around and back-references do not exist".to_owned(),
        );
    }
    text.to_owned()
}

fn trimmed(tags: Tags) -> Tags {
    tags.into_iter().map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
}

fn lower_policy(raw: RawPolicy, diagnostics: &mut Diagnostics) -> Option<Policy> {
    let policy = match (raw.roles, raw.groups, raw.namespaces) {
        (Some(roles), None, None) => Policy::Roles(roles),
        (None, Some(groups), None) => Policy::Groups(groups),
        (None, None, Some(namespaces)) => Policy::Namespaces(namespaces),
        (None, Some(groups), Some(namespaces)) => Policy::GroupsAndNamespaces { groups, namespaces },
        (None, None, None) => {
            let help = "name `roles`, `groups` or `namespaces`, or leave `policy` out to allow everybody".to_owned();
            diagnostics.error_with_help(&raw.span, "the policy names nobody", help);
            return None;
        }
        (Some(_), _, _) => {
            let help = "declare one permission for the roles and another for the rest".to_owned();
            diagnostics.error_with_help(&raw.span, "roles cannot be mixed with groups or namespaces", help);
            return None;
        }
    };
    Some(policy)
}

#[cfg(test)]
mod tests {
    use crate::{
        definitions::testing::{each, findings, repo},
        model::{Permission, PermissionAction, PermissionType, Policy},
    };

    fn permission(keys: &str) -> Permission {
        let repo = repo(&format!("permissions:\n  - {{name: p, {keys}}}\n"));
        let [permission] = each::<Permission, 1>(&repo);
        permission.clone()
    }

    #[test]
    fn actions_expand_as_in_feast() {
        use PermissionAction::{Create, Delete, Describe, ReadOffline, ReadOnline, Update, WriteOffline, WriteOnline};
        assert_eq!(permission("actions: [READ, describe]").actions, [ReadOffline, ReadOnline, Describe]);
        assert_eq!(permission("actions: write").actions, [WriteOffline, WriteOnline]);
        assert_eq!(permission("actions: [CRUD, CREATE]").actions, [Create, Describe, Update, Delete]);
        assert_eq!(permission("actions: ALL").actions, PermissionAction::ALL);
        assert_eq!(permission("").actions, PermissionAction::ALL);
    }

    #[test]
    fn nothing_said_means_everything_for_everybody() {
        let all = permission("types: []");
        assert_eq!(all.types, PermissionType::ALL);
        assert_eq!(all.policy, Policy::AllowAll);
        assert!(all.name_patterns.is_empty());
    }

    #[test]
    fn without_a_policy_python_feast_is_lost() {
        let found = findings("permissions:\n  - {name: p}\n");
        assert_eq!(found, ["permission `p` has no policy, and Python Feast cannot read it"]);
        assert!(findings("permissions:\n  - {name: p, policy: {roles: [a]}}\n").is_empty());
    }

    #[test]
    fn patterns_are_trimmed_and_policies_chosen() {
        let one = permission("name_patterns: ' driver_.* ', policy: {groups: [a]}");
        assert_eq!(one.name_patterns, ["driver_.*"]);
        assert_eq!(one.policy, Policy::Groups(vec!["a".to_owned()]));
        let both = permission("policy: {groups: [a], namespaces: [b]}").policy;
        assert!(matches!(both, Policy::GroupsAndNamespaces { .. }));
    }
}
