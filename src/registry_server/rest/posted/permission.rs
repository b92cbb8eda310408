use serde::Deserialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::{put, schema_of};
use crate::{
    model::{Object, Permission, PermissionAction, PermissionType, Policy, Tags, printable},
    registry_server::rest::{asked::Asked, refusal::Refusal},
};

/// A permission.
#[derive(Debug, Deserialize, ToSchema)]
struct Body {
    /// Its name.
    #[schema(example = "readers")]
    name: String,
    /// The name of its project.
    #[schema(example = "my_project")]
    project: String,
    /// The kinds of objects that it is about, such as `FEATURE_VIEW`.
    #[serde(default)]
    #[schema(example = json!(["FEATURE_VIEW"]))]
    types: Vec<String>,
    /// Patterns of their names; all if there is none.
    #[serde(default)]
    name_patterns: Vec<String>,
    /// What it permits, such as `DESCRIBE`.
    #[serde(default)]
    #[schema(example = json!(["DESCRIBE"]))]
    actions: Vec<String>,
    /// Whom; everybody, if it says nothing.
    #[schema(inline, example = json!({"role_based_policy": {"roles": ["reader"]}}))]
    policy: PolicyBody,
    /// Labels.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    tags: Option<Tags>,
    /// Labels that objects have to have.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    required_tags: Option<Tags>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct PolicyBody {
    /// Those with one of these roles.
    #[schema(inline)]
    role_based_policy: Option<Roles>,
    /// Those in one of these groups.
    #[schema(inline)]
    group_based_policy: Option<Groups>,
    /// Those from one of these namespaces.
    #[schema(inline)]
    namespace_based_policy: Option<Namespaces>,
    /// Those in one of the groups or from one of the namespaces.
    #[schema(inline)]
    combined_group_namespace_policy: Option<GroupsAndNamespaces>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct Roles {
    roles: Vec<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct Groups {
    groups: Vec<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct Namespaces {
    namespaces: Vec<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct GroupsAndNamespaces {
    groups: Vec<String>,
    namespaces: Vec<String>,
}

/// Puts a permission into a project.
pub(in crate::registry_server::rest) fn permission(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let body: Body = asked.body()?;
    let permission = Permission {
        types: words("types", &body.types, PermissionType::ALL, |kind| kind.as_str())?,
        actions: words("actions", &body.actions, PermissionAction::ALL, |action| action.as_str())?,
        policy: body.policy.policy(),
        name: body.name,
        name_patterns: body.name_patterns,
        required_tags: body.required_tags.unwrap_or_default(),
        tags: body.tags.unwrap_or_default(),
    };
    put(asked, &body.project, &Object::Permission(permission))
}

/// What the body looks like.
pub(in crate::registry_server::rest) fn schema() -> Json {
    schema_of::<Body>()
}

impl PolicyBody {
    fn policy(self) -> Policy {
        if let Some(Roles { roles }) = self.role_based_policy {
            Policy::Roles(roles)
        } else if let Some(Groups { groups }) = self.group_based_policy {
            Policy::Groups(groups)
        } else if let Some(Namespaces { namespaces }) = self.namespace_based_policy {
            Policy::Namespaces(namespaces)
        } else if let Some(GroupsAndNamespaces { groups, namespaces }) = self.combined_group_namespace_policy {
            Policy::GroupsAndNamespaces { groups, namespaces }
        } else {
            Policy::AllowAll
        }
    }
}

/// What words stand for; Feast writes `FEATURE_VIEW` here, and `FeatureView` elsewhere.
fn words<T: Copy>(
    what: &str,
    given: &[String],
    all: &[T],
    word: impl Fn(T) -> &'static str,
) -> Result<Vec<T>, Refusal> {
    let plain = |word: &str| word.replace('_', "").to_ascii_lowercase();
    let one = |text: &String| {
        all.iter().copied().find(|one| plain(word(*one)) == plain(text)).ok_or_else(|| {
            let words: Vec<String> = all.iter().map(|one| format!("`{}`", word(*one))).collect();
            Refusal::Wrong(format!("`{}` is none of {what}; there are {}", printable(text), words.join(", ")))
        })
    };
    given.iter().map(one).collect()
}
