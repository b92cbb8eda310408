//! Definitions as they are written, every value with its place.

use super::values::{Member, Timespan};
use crate::{
    model::{DataType, Tags},
    yaml::{Node, Spanned, record},
};

record! {
    /// One definition file.
    pub struct RawFile, "a definition file";
    required {}
    optional {
        project: RawProject,
        entities: Vec<RawEntity>,
        data_sources: Vec<Node>,
        feature_views: Vec<RawFeatureView>,
        feature_services: Vec<RawFeatureService>,
        // Collections of later versions: refused by name, so that nobody misses them silently.
        on_demand_feature_views: Node,
        stream_feature_views: Node,
        batch_feature_views: Node,
        label_views: Node,
        permissions: Node,
        saved_datasets: Node,
        validation_references: Node,
    }
}

record! {
    pub struct RawProject, "the project";
    required { name: Spanned<String>, }
    optional { description: String, owner: String, tags: Tags, }
}

record! {
    pub struct RawEntity, "an entity";
    required { name: Spanned<String>, }
    optional {
        join_keys: Spanned<Vec<Spanned<String>>>,
        value_type: Spanned<EntityValueType>,
        description: String,
        owner: String,
        tags: Tags,
        protect: Node,
        renamed_from: Node,
    }
}

/// The type of an entity's join key, in the spelling of Feast's `ValueType` or of a dtype.
#[derive(Debug, Clone)]
pub struct EntityValueType(pub DataType);

record! {
    pub struct RawField, "a schema column";
    required { name: Spanned<String>, dtype: Spanned<DataType>, }
    optional {
        description: String,
        tags: Tags,
        vector_index: bool,
        vector_length: i32,
        vector_search_metric: String,
    }
}

record! {
    pub struct RawFileSource, "a file source";
    required { path: Spanned<String>, }
    optional {
        name: Spanned<String>,
        r#type: Node,
        file_format: Spanned<String>,
        s3_endpoint_override: String,
        timestamp_field: Spanned<String>,
        created_timestamp_column: Spanned<String>,
        field_mapping: Spanned<Tags>,
        description: String,
        owner: String,
        tags: Tags,
        protect: Node,
        renamed_from: Node,
        connection_ref: Node,
    }
}

record! {
    pub struct RawFeatureView, "a feature view";
    required { name: Spanned<String>, source: Node, }
    optional {
        entities: Vec<Spanned<String>>,
        ttl: Timespan,
        schema: Vec<RawField>,
        online: bool,
        offline: bool,
        enabled: bool,
        enable_validation: bool,
        mode: String,
        version: Spanned<String>,
        description: String,
        owner: String,
        org: String,
        tags: Tags,
        protect: Node,
        renamed_from: Node,
    }
}

record! {
    pub struct RawFeatureService, "a feature service";
    required { name: Spanned<String>, }
    optional {
        features: Vec<Member>,
        logging_config: RawLoggingConfig,
        precompute_online: bool,
        description: String,
        owner: String,
        tags: Tags,
        protect: Node,
        renamed_from: Node,
    }
}

record! {
    /// A member of a service in its long form.
    pub struct RawProjection, "a feature service member";
    required { view: Spanned<String>, }
    optional {
        features: Vec<Spanned<String>>,
        name_alias: Spanned<String>,
        join_key_map: Spanned<Tags>,
    }
}

record! {
    pub struct RawLoggingConfig, "a logging configuration";
    required { destination: RawDestination, }
    optional { sample_rate: Spanned<f64>, }
}

record! {
    pub struct RawDestination, "a logging destination";
    required { r#type: Spanned<String>, path: Spanned<String>, }
    optional { s3_endpoint_override: String, partition_by: Vec<String>, }
}
