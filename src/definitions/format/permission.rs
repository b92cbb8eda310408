use super::{
    about::RawLabels,
    values::{Actions, OneOrMany},
};
use crate::{
    model::{PermissionType, Tags},
    yaml::{Spanned, record},
};

record! {
    /// Who may do what with which objects.
    pub(crate) struct RawPermission, "a permission";
    required {
        /// Unique among the permissions of the project.
        name: Spanned<String>,
    }
    optional {
        /// The kinds of objects it is about; all when left out.
        types: Vec<PermissionType>,
        /// What is allowed: actions, or READ, WRITE, CRUD or ALL; everything when left out.
        actions: Spanned<Actions>,
        /// Who is allowed; everybody when left out, which Python Feast cannot read.
        policy: RawPolicy,
    }
    defaulted {
        /// Regular expressions, one of which matches the whole name of an object; none means every name.
        name_patterns: OneOrMany,
        /// Tags an object must carry.
        required_tags: Tags,
    }
    flatten { labels: RawLabels, }
}

record! {
    /// Who is allowed: users with one of the roles, or in one of the groups or namespaces.
    pub(crate) struct RawPolicy, "a policy";
    optional {
        /// Roles of users.
        roles: Vec<String>,
        /// Groups of users.
        groups: Vec<String>,
        /// Kubernetes namespaces that users come from.
        namespaces: Vec<String>,
    }
}
