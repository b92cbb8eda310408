//! Who may do what, by roles and bindings, as the authorizer `RBAC` finds it.

use serde_json::Value as Json;

use super::cluster::Cluster;

/// Something that somebody wants to do.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    pub user: &'a str,
    pub groups: &'a [&'a str],
    pub verb: &'a str,
    pub group: &'a str,
    pub resource: &'a str,
    /// Empty for what is in no namespace, or in all.
    pub namespace: &'a str,
    /// Empty for all names.
    pub name: &'a str,
}

/// Why somebody may; `None` if not.
pub fn reason(cluster: &Cluster, attempt: Attempt<'_>) -> Option<String> {
    if attempt.groups.contains(&"system:masters") {
        return Some(String::new());
    }
    let of_cluster = cluster.list("clusterrolebindings", None).map(|binding| (binding, "ClusterRoleBinding"));
    let of_namespace = cluster.list("rolebindings", Some(attempt.namespace)).map(|binding| (binding, "RoleBinding"));
    let allows = |binding: &Json| {
        let is_bound = list(binding, "subjects").any(|subject| is_subject(subject, attempt));
        is_bound && role(cluster, binding).is_some_and(|role| list(role, "rules").any(|rule| covers(rule, attempt)))
    };
    let mut bindings = of_cluster.chain(of_namespace.filter(|_| !attempt.namespace.is_empty()));
    let (binding, kind) = bindings.find(|(binding, _)| allows(binding))?;
    let (name, role) = (&binding["metadata"]["name"], &binding["roleRef"]);
    Some(format!("RBAC: allowed by {kind} {name} of {} {}", role["kind"].as_str()?, role["name"]))
}

fn role<'c>(cluster: &'c Cluster, binding: &Json) -> Option<&'c Json> {
    let role = &binding["roleRef"];
    let (collection, namespace) = match role["kind"].as_str()? {
        "ClusterRole" => ("clusterroles", None),
        _ => ("roles", Some(binding["metadata"]["namespace"].as_str()?)),
    };
    cluster.list(collection, namespace).find(|known| known["metadata"]["name"] == role["name"])
}

fn is_subject(subject: &Json, attempt: Attempt<'_>) -> bool {
    let name = subject["name"].as_str().unwrap_or_default();
    match subject["kind"].as_str() {
        Some("User") => name == attempt.user,
        Some("Group") => attempt.groups.contains(&name),
        Some("ServiceAccount") => {
            let namespace = subject["namespace"].as_str().unwrap_or_default();
            attempt.user == format!("system:serviceaccount:{namespace}:{name}")
        }
        _ => false,
    }
}

fn covers(rule: &Json, attempt: Attempt<'_>) -> bool {
    let has = |key: &str, word: &str| list(rule, key).any(|known| known == word || known == "*");
    let names: Vec<&Json> = list(rule, "resourceNames").collect();
    has("verbs", attempt.verb)
        && has("apiGroups", attempt.group)
        && has("resources", attempt.resource)
        && (names.is_empty() || names.iter().any(|known| *known == attempt.name))
}

fn list<'j>(object: &'j Json, key: &str) -> impl Iterator<Item = &'j Json> {
    object[key].as_array().into_iter().flatten()
}
