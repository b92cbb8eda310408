use super::{
    MapEntry, Timestamp,
    json::{enums, map, messages, names_of},
};

messages! {
    /// `feast.core.Permission`.
    pub struct Permission {
        #[prost(message, optional, tag = "1")]
        pub spec: Option<PermissionSpec>,
        #[prost(message, optional, tag = "2")]
        pub meta: Option<PermissionMeta>,
    }

    /// `feast.core.PermissionSpec`.
    pub struct PermissionSpec {
        #[prost(string, tag = "1")]
        pub name: String,
        /// Empty in SQL rows, set in a file registry.
        #[prost(string, tag = "2")]
        pub project: String,
        /// [`PermissionType`] numbers.
        #[prost(enumeration = "PermissionType", repeated, tag = "3")]
        #[serde(serialize_with = "names_of::<PermissionType, _>")]
        pub types: Vec<i32>,
        /// Regular expressions; none means every name.
        #[prost(string, repeated, tag = "4")]
        pub name_patterns: Vec<String>,
        /// Tags an object must carry.
        #[prost(message, repeated, tag = "5")]
        #[serde(serialize_with = "map")]
        pub required_tags: Vec<MapEntry>,
        /// [`Action`] numbers.
        #[prost(enumeration = "Action", repeated, tag = "6")]
        #[serde(serialize_with = "names_of::<Action, _>")]
        pub actions: Vec<i32>,
        /// Empty to allow everybody.
        #[prost(message, optional, tag = "7")]
        pub policy: Option<Policy>,
        #[prost(message, repeated, tag = "8")]
        #[serde(serialize_with = "map")]
        pub tags: Vec<MapEntry>,
    }

    /// `feast.core.PermissionMeta`.
    pub struct PermissionMeta {
        #[prost(message, optional, tag = "1")]
        pub created_timestamp: Option<Timestamp>,
        #[prost(message, optional, tag = "2")]
        pub last_updated_timestamp: Option<Timestamp>,
    }

    /// `feast.core.Policy`: none of the policies set allows everybody.
    pub struct Policy {
        #[prost(string, tag = "1")]
        pub name: String,
        #[prost(string, tag = "2")]
        pub project: String,
        #[prost(message, optional, tag = "3")]
        pub role_based_policy: Option<RoleBasedPolicy>,
        #[prost(message, optional, tag = "4")]
        pub group_based_policy: Option<GroupBasedPolicy>,
        #[prost(message, optional, tag = "5")]
        pub namespace_based_policy: Option<NamespaceBasedPolicy>,
        #[prost(message, optional, tag = "6")]
        pub combined_group_namespace_policy: Option<CombinedGroupNamespacePolicy>,
    }

    /// `feast.core.RoleBasedPolicy`.
    pub struct RoleBasedPolicy {
        #[prost(string, repeated, tag = "1")]
        pub roles: Vec<String>,
    }

    /// `feast.core.GroupBasedPolicy`.
    pub struct GroupBasedPolicy {
        #[prost(string, repeated, tag = "1")]
        pub groups: Vec<String>,
    }

    /// `feast.core.NamespaceBasedPolicy`.
    pub struct NamespaceBasedPolicy {
        #[prost(string, repeated, tag = "1")]
        pub namespaces: Vec<String>,
    }

    /// `feast.core.CombinedGroupNamespacePolicy`.
    pub struct CombinedGroupNamespacePolicy {
        #[prost(string, repeated, tag = "1")]
        pub groups: Vec<String>,
        #[prost(string, repeated, tag = "2")]
        pub namespaces: Vec<String>,
    }
}

enums! {
    /// `feast.core.PermissionSpec.Type`.
    pub enum PermissionType {
        FeatureView = 0 => "FEATURE_VIEW",
        OnDemandFeatureView = 1 => "ON_DEMAND_FEATURE_VIEW",
        BatchFeatureView = 2 => "BATCH_FEATURE_VIEW",
        StreamFeatureView = 3 => "STREAM_FEATURE_VIEW",
        Entity = 4 => "ENTITY",
        FeatureService = 5 => "FEATURE_SERVICE",
        DataSource = 6 => "DATA_SOURCE",
        ValidationReference = 7 => "VALIDATION_REFERENCE",
        SavedDataset = 8 => "SAVED_DATASET",
        Permission = 9 => "PERMISSION",
        Project = 10 => "PROJECT",
        LabelView = 11 => "LABEL_VIEW",
    }
}

enums! {
    /// `feast.core.PermissionSpec.AuthzedAction`.
    pub enum Action {
        Create = 0 => "CREATE",
        Describe = 1 => "DESCRIBE",
        Update = 2 => "UPDATE",
        Delete = 3 => "DELETE",
        ReadOnline = 4 => "READ_ONLINE",
        ReadOffline = 5 => "READ_OFFLINE",
        WriteOnline = 6 => "WRITE_ONLINE",
        WriteOffline = 7 => "WRITE_OFFLINE",
    }
}
