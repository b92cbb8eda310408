//! Which roles an account has, and from which namespaces it comes: from role bindings (`rbac.authorization.k8s.io/v1`), as
//! Feast finds it (`feast/permissions/auth/kubernetes_token_parser.py`).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::token_review::Account;
use crate::{config::Bindings, permissions::User};

/// What is known of roles and of who has them.
#[derive(Debug, Default)]
pub(super) struct RoleBindings(BTreeMap<Key, Object>);

/// Objects of one kind, which the API server lists together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Collection {
    RoleBindings,
    ClusterRoleBindings,
    ClusterRoles,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    collection: Collection,
    /// Empty for what is in no namespace.
    namespace: String,
    name: String,
}

/// An object, as far as it matters here.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Object {
    pub(super) metadata: Metadata,
    subjects: Option<Vec<Subject>>,
    role_ref: Option<RoleRef>,
    rules: Option<Vec<Rule>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    pub(super) resource_version: String,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Deserialize)]
struct Subject {
    kind: String,
    name: String,
    #[serde(default)]
    namespace: String,
}

#[derive(Debug, Clone, Deserialize)]
struct RoleRef {
    kind: String,
    name: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    verbs: Option<Vec<String>>,
    resources: Option<Vec<String>>,
    resource_names: Option<Vec<String>>,
}

/// What bindings say depends on where the server is, and on whose count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here<'a> {
    /// The namespace of the server.
    pub(super) namespace: &'a str,
    pub(super) bindings: Bindings,
}

impl RoleBindings {
    /// Replaces all objects of a kind.
    pub(super) fn replace(&mut self, collection: Collection, objects: Vec<Object>) {
        self.0.retain(|key, _| key.collection != collection);
        objects.into_iter().for_each(|object| self.put(collection, object));
    }

    pub(super) fn put(&mut self, collection: Collection, object: Object) {
        self.0.insert(Key::of(collection, &object.metadata), object);
    }

    pub(super) fn remove(&mut self, collection: Collection, object: &Object) {
        self.0.remove(&Key::of(collection, &object.metadata));
    }

    /// Who an account is for policies.
    pub(super) fn user(&self, account: &Account, here: Here<'_>) -> User {
        match account.service() {
            Some((namespace, name)) => self.service(account, (namespace, name), here),
            None => self.person(account, here),
        }
    }

    /// The account of a service has the roles that the server's namespace gives it by its name.
    fn service(&self, account: &Account, (namespace, name): (&str, &str), here: Here<'_>) -> User {
        let is_it = |subject: &Subject| {
            subject.kind == "ServiceAccount" && subject.name == name && subject.namespace == namespace
        };
        let own = self.of(Collection::RoleBindings).filter(|binding| binding.metadata.namespace == here.namespace);
        let mut groups = account.groups.clone();
        if here.bindings == Bindings::All {
            groups.extend(self.groups_of(namespace));
        }
        User {
            name: format!("{namespace}:{name}"),
            roles: roles(own, is_it),
            groups,
            namespaces: BTreeSet::from([namespace.to_owned()]),
            ..User::default()
        }
    }

    /// A person has roles by name and by group, and comes from the namespaces that bindings make it the administrator of.
    fn person(&self, account: &Account, here: Here<'_>) -> User {
        let is_it = |subject: &Subject| match subject.kind.as_str() {
            "User" => subject.name == account.name,
            "Group" => account.groups.contains(&subject.name),
            _ => false,
        };
        let counts = |binding: &&Object| here.bindings == Bindings::All || binding.metadata.namespace == here.namespace;
        let bindings = self.of(Collection::RoleBindings).filter(counts).chain(self.of(Collection::ClusterRoleBindings));
        let is_named = |binding: &&Object| {
            binding.subjects().any(|subject| subject.kind == "User" && subject.name == account.name)
        };
        let administered =
            self.of(Collection::RoleBindings).filter(|binding| binding.makes_administrators()).filter(is_named);
        User {
            name: account.name.clone(),
            roles: roles(bindings, is_it),
            groups: account.groups.clone(),
            namespaces: administered.map(|binding| binding.metadata.namespace.clone()).collect(),
            ..User::default()
        }
    }

    /// The groups that may look into a namespace, in all of which Feast sees its accounts of services.
    fn groups_of(&self, namespace: &str) -> BTreeSet<String> {
        let of_namespace = self.of(Collection::RoleBindings).filter(|binding| binding.metadata.namespace == namespace);
        let of_cluster = self.of(Collection::ClusterRoleBindings).filter(|binding| {
            let role = binding.role_ref.as_ref().map(|role| &role.name);
            self.of(Collection::ClusterRoles).any(|known| Some(&known.metadata.name) == role && known.shows(namespace))
        });
        let subjects = of_namespace.chain(of_cluster).flat_map(Object::subjects);
        subjects.filter(|subject| subject.kind == "Group").map(|subject| subject.name.clone()).collect()
    }

    fn of(&self, collection: Collection) -> impl Iterator<Item = &Object> {
        self.0.iter().filter(move |(key, _)| key.collection == collection).map(|(_, object)| object)
    }
}

impl Key {
    fn of(collection: Collection, metadata: &Metadata) -> Self {
        Self { collection, namespace: metadata.namespace.clone(), name: metadata.name.clone() }
    }
}

impl Object {
    fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.subjects.iter().flatten()
    }

    /// As the dashboard of Open Data Hub makes them, or whoever binds the usual role for it.
    fn makes_administrators(&self) -> bool {
        let labels = self.metadata.labels.as_ref();
        let of_dashboard = self.metadata.name.starts_with("dashboard-permissions-")
            && labels.and_then(|labels| labels.get("opendatahub.io/dashboard")).is_some_and(|value| value == "true");
        let is_admin = |role: &RoleRef| role.kind == "ClusterRole" && role.name == "admin";
        of_dashboard || self.role_ref.as_ref().is_some_and(is_admin)
    }

    /// Whether a role lets its subjects look at namespaces, or names this one.
    fn shows(&self, namespace: &str) -> bool {
        let has = |words: &Option<Vec<String>>, wanted: &[&str]| {
            words.iter().flatten().any(|word| wanted.contains(&word.as_str()))
        };
        self.rules.iter().flatten().any(|rule| {
            (has(&rule.resources, &["namespaces", "*"]) && has(&rule.verbs, &["get", "list", "*"]))
                || has(&rule.resource_names, &[namespace])
        })
    }
}

/// The names of the roles that bindings give to a subject.
fn roles<'a>(bindings: impl Iterator<Item = &'a Object>, is_it: impl Fn(&Subject) -> bool) -> BTreeSet<String> {
    let given = bindings.filter(|binding| binding.subjects().any(&is_it));
    given.filter_map(|binding| binding.role_ref.as_ref()).map(|role| role.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn words(words: &[&str]) -> BTreeSet<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn account(name: &str, groups: &[&str]) -> Account {
        Account { name: name.to_owned(), groups: words(groups), ..Account::default() }
    }

    fn binding(namespace: &str, name: &str, role: (&str, &str), subject: Json) -> Object {
        let role = json!({ "kind": role.0, "name": role.1 });
        let metadata = json!({ "namespace": namespace, "name": name });
        serde_json::from_value(json!({ "metadata": metadata, "roleRef": role, "subjects": [subject] })).unwrap()
    }

    fn bindings(objects: Vec<(Collection, Object)>) -> RoleBindings {
        let mut bindings = RoleBindings::default();
        objects.into_iter().for_each(|(collection, object)| bindings.put(collection, object));
        bindings
    }

    const OWN: Here<'_> = Here { namespace: "feast", bindings: Bindings::Own };
    const ALL: Here<'_> = Here { namespace: "feast", bindings: Bindings::All };

    #[test]
    fn a_service_has_the_roles_that_the_servers_namespace_gives_it() {
        let reader = json!({ "kind": "ServiceAccount", "name": "reader", "namespace": "team" });
        let group = json!({ "kind": "Group", "name": "admins" });
        let known = bindings(vec![
            (Collection::RoleBindings, binding("feast", "a", ("Role", "feast-reader"), reader.clone())),
            (Collection::RoleBindings, binding("team", "b", ("Role", "feast-writer"), reader.clone())),
            (Collection::ClusterRoleBindings, binding("", "c", ("ClusterRole", "feast-admin"), reader)),
            (Collection::RoleBindings, binding("team", "d", ("ClusterRole", "view"), group)),
        ]);
        let account = account("system:serviceaccount:team:reader", &["system:serviceaccounts:team"]);
        let user = known.user(&account, OWN);
        assert_eq!((user.name.as_str(), user.roles), ("team:reader", words(&["feast-reader"])));
        assert_eq!((user.groups, user.namespaces), (words(&["system:serviceaccounts:team"]), words(&["team"])));
        // As in Feast, whoever may bind roles in a namespace gives its accounts any group.
        let user = known.user(&account, ALL);
        assert_eq!(user.groups, words(&["admins", "system:serviceaccounts:team"]));
        assert_eq!(user.roles, words(&["feast-reader"]));
    }

    #[test]
    fn groups_of_the_cluster_count_where_their_role_shows_namespaces() {
        let role = |name: &str, rule: Json| -> (Collection, Object) {
            let role = json!({ "metadata": { "name": name }, "rules": [rule] });
            (Collection::ClusterRoles, serde_json::from_value(role).unwrap())
        };
        let bound = |role: &str| {
            let group = json!({ "kind": "Group", "name": format!("of-{role}") });
            (Collection::ClusterRoleBindings, binding("", role, ("ClusterRole", role), group))
        };
        let known = bindings(vec![
            role("lists", json!({ "resources": ["namespaces"], "verbs": ["list"] })),
            role("all", json!({ "resources": ["*"], "verbs": ["*"] })),
            role("named", json!({ "resources": ["pods"], "verbs": ["get"], "resourceNames": ["team"] })),
            role("pods", json!({ "resources": ["pods"], "verbs": ["get"] })),
            bound("lists"),
            bound("all"),
            bound("named"),
            bound("pods"),
        ]);
        let user = known.user(&account("system:serviceaccount:team:reader", &[]), ALL);
        assert_eq!(user.groups, words(&["of-all", "of-lists", "of-named"]));
    }

    #[test]
    fn a_person_has_the_roles_of_the_servers_namespace_and_of_the_cluster() {
        let ann = json!({ "kind": "User", "name": "ann" });
        let group = json!({ "kind": "Group", "name": "team" });
        let known = bindings(vec![
            (Collection::RoleBindings, binding("feast", "a", ("Role", "reader"), ann.clone())),
            (Collection::RoleBindings, binding("mine", "b", ("Role", "admin-of-features"), ann.clone())),
            (Collection::ClusterRoleBindings, binding("", "c", ("ClusterRole", "cluster-reader"), group)),
            (Collection::RoleBindings, binding("own", "d", ("ClusterRole", "admin"), ann.clone())),
            (Collection::RoleBindings, binding("other", "e", ("Role", "admin"), ann)),
        ]);
        let ann = account("ann", &["team"]);
        let user = known.user(&ann, OWN);
        assert_eq!((user.name.as_str(), user.roles), ("ann", words(&["cluster-reader", "reader"])));
        assert_eq!((user.groups, user.namespaces), (words(&["team"]), words(&["own"])));
        let everywhere = words(&["admin", "admin-of-features", "cluster-reader", "reader"]);
        assert_eq!(known.user(&ann, ALL).roles, everywhere);
    }

    #[test]
    fn the_dashboard_makes_administrators() {
        let ann = json!({ "kind": "User", "name": "ann" });
        let mut labelled = binding("mine", "dashboard-permissions-1", ("ClusterRole", "edit"), ann.clone());
        labelled.metadata.labels = Some([("opendatahub.io/dashboard".to_owned(), "true".to_owned())].into());
        let bare = binding("other", "dashboard-permissions-2", ("ClusterRole", "edit"), ann);
        let known = bindings(vec![(Collection::RoleBindings, labelled), (Collection::RoleBindings, bare)]);
        assert_eq!(known.user(&account("ann", &[]), OWN).namespaces, words(&["mine"]));
    }

    #[test]
    fn what_is_removed_counts_no_more() {
        let ann = json!({ "kind": "User", "name": "ann" });
        let object = binding("feast", "a", ("Role", "reader"), ann.clone());
        let mut known = bindings(vec![(Collection::RoleBindings, object.clone())]);
        known.remove(Collection::RoleBindings, &object);
        assert!(known.user(&account("ann", &[]), OWN).roles.is_empty());
        known.put(Collection::RoleBindings, object);
        known.replace(Collection::RoleBindings, vec![binding("feast", "b", ("Role", "writer"), ann)]);
        assert_eq!(known.user(&account("ann", &[]), OWN).roles, words(&["writer"]));
    }
}
