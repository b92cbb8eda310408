use super::{
    MapEntry, Timestamp, ValueTypeEnum,
    json::{map, messages, name_of},
};

messages! {
    /// `feast.core.Entity`.
    pub struct Entity {
        #[prost(message, optional, tag = "1")]
        pub spec: Option<EntitySpecV2>,
        #[prost(message, optional, tag = "2")]
        pub meta: Option<EntityMeta>,
    }

    /// `feast.core.EntitySpecV2`.
    pub struct EntitySpecV2 {
        #[prost(string, tag = "1")]
        pub name: String,
        /// A [`ValueTypeEnum`]; 0 takes the type from the view.
        #[prost(enumeration = "ValueTypeEnum", tag = "2")]
        #[serde(serialize_with = "name_of::<ValueTypeEnum, _>")]
        pub value_type: i32,
        #[prost(string, tag = "3")]
        pub description: String,
        #[prost(string, tag = "4")]
        pub join_key: String,
        #[prost(message, repeated, tag = "8")]
        #[serde(serialize_with = "map")]
        pub tags: Vec<MapEntry>,
        /// Empty in SQL rows, set in a file registry.
        #[prost(string, tag = "9")]
        pub project: String,
        #[prost(string, tag = "10")]
        pub owner: String,
    }

    /// `feast.core.EntityMeta`.
    pub struct EntityMeta {
        #[prost(message, optional, tag = "1")]
        pub created_timestamp: Option<Timestamp>,
        #[prost(message, optional, tag = "2")]
        pub last_updated_timestamp: Option<Timestamp>,
    }
}
