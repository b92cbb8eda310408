//! Users, as those who vouch for them describe them.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Policy;

/// Somebody who asks, and what policies look at. Words are compared exactly, as by Feast.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User {
    /// Who it is, for logs; decisions do not look at it.
    pub name: String,
    /// The roles of the user.
    pub roles: BTreeSet<String>,
    /// The groups that the user is in.
    pub groups: BTreeSet<String>,
    /// The Kubernetes namespaces that the user comes from.
    pub namespaces: BTreeSet<String>,
    /// What Kubernetes tells this account by, also from a later one of the same name; empty elsewhere. No policy looks at it.
    pub uid: String,
    /// What Kubernetes says of the user besides, for those who decide there. No policy looks at it.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// Whether a policy lets the user.
    pub fn is_let_by(&self, policy: &Policy) -> bool {
        let any = |words: &[String], own: &BTreeSet<String>| words.iter().any(|word| own.contains(word));
        match policy {
            Policy::AllowAll => true,
            Policy::Roles(roles) => any(roles, &self.roles),
            Policy::Groups(groups) => any(groups, &self.groups),
            Policy::Namespaces(namespaces) => any(namespaces, &self.namespaces),
            Policy::GroupsAndNamespaces { groups, namespaces } => {
                any(groups, &self.groups) || any(namespaces, &self.namespaces)
            }
        }
    }
}
