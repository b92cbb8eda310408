use serde::Serialize;

use super::Tags;

/// Who may do what with which objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Permission {
    /// Unique among the permissions of a project.
    pub name: String,
    /// The kinds of objects it is about, in declared order.
    pub types: Vec<PermissionType>,
    /// Regular expressions of object names; none means every name.
    pub name_patterns: Vec<String>,
    /// Tags an object must carry.
    pub required_tags: Tags,
    /// What is allowed, in declared order.
    pub actions: Vec<PermissionAction>,
    /// Who may.
    pub policy: Policy,
    /// Labels, and what Feast has no field for.
    pub tags: Tags,
}

/// Who is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Everybody.
    #[default]
    AllowAll,
    /// Users with one of these roles.
    Roles(Vec<String>),
    /// Users in one of these groups.
    Groups(Vec<String>),
    /// Users from one of these Kubernetes namespaces.
    Namespaces(Vec<String>),
    /// Users in one of the groups or from one of the namespaces.
    GroupsAndNamespaces {
        /// The groups.
        groups: Vec<String>,
        /// The namespaces.
        namespaces: Vec<String>,
    },
}

/// A closed set of words with their names in definitions.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($variant:ident => $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub enum $name {
            $(
                #[doc = concat!("`", $word, "`.")]
                #[serde(rename = $word)]
                $variant,
            )*
        }

        impl $name {
            /// Every one, in Feast's order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word of the definitions format.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}

words! {
    /// A kind of object that permissions know, in the order Feast writes all of them.
    PermissionType {
        Project => "Project",
        FeatureView => "FeatureView",
        OnDemandFeatureView => "OnDemandFeatureView",
        BatchFeatureView => "BatchFeatureView",
        StreamFeatureView => "StreamFeatureView",
        LabelView => "LabelView",
        Entity => "Entity",
        FeatureService => "FeatureService",
        DataSource => "DataSource",
        ValidationReference => "ValidationReference",
        SavedDataset => "SavedDataset",
        Permission => "Permission",
    }
}

words! {
    /// Something that can be allowed, in the order of Feast's numbers.
    PermissionAction {
        Create => "CREATE",
        Describe => "DESCRIBE",
        Update => "UPDATE",
        Delete => "DELETE",
        ReadOnline => "READ_ONLINE",
        ReadOffline => "READ_OFFLINE",
        WriteOnline => "WRITE_ONLINE",
        WriteOffline => "WRITE_OFFLINE",
    }
}
