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

/// Why somebody may; or why not, if there is more to say than that nothing allows it.
pub fn reason(cluster: &Cluster, attempt: Attempt<'_>) -> Result<String, Option<String>> {
    if attempt.groups.contains(&"system:masters") {
        return Ok(String::new());
    }
    let of_cluster = cluster.list("clusterrolebindings", None).map(|binding| (binding, "ClusterRoleBinding"));
    let of_namespace = cluster.list("rolebindings", Some(attempt.namespace)).map(|binding| (binding, "RoleBinding"));
    let mut missing = Vec::new();
    for (binding, kind) in of_cluster.chain(of_namespace.filter(|_| !attempt.namespace.is_empty())) {
        let Some(subject) = list(binding, "subjects").find(|subject| is_subject(subject, attempt)) else { continue };
        let (name, role_ref) = (&binding["metadata"]["name"], &binding["roleRef"]);
        let role_kind = role_ref["kind"].as_str().unwrap_or_default();
        match role(cluster, binding) {
            Some(role) if list(role, "rules").any(|rule| covers(rule, attempt)) => {
                let at =
                    if kind == "RoleBinding" { format!("{}/{}", text(name), attempt.namespace) } else { text(name) };
                let role = text(&role_ref["name"]);
                return Ok(format!("RBAC: allowed by {kind} \"{at}\" of {role_kind} \"{role}\" to {}", shown(subject)));
            }
            Some(_) => {}
            None => missing.push(format!(
                "{}.rbac.authorization.k8s.io \"{}\" not found",
                role_kind.to_lowercase(),
                text(&role_ref["name"])
            )),
        }
    }
    match missing.as_slice() {
        [] => Err(None),
        [one] => Err(Some(format!("rbac: RBAC: {one}"))),
        all => Err(Some(format!("rbac: RBAC: [{}]", all.join(", ")))),
    }
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A subject as reasons name it.
fn shown(subject: &Json) -> String {
    let (kind, name) = (text(&subject["kind"]), text(&subject["name"]));
    match subject["namespace"].as_str() {
        Some(namespace) => format!("{kind} \"{name}/{namespace}\""),
        None => format!("{kind} \"{name}\""),
    }
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
