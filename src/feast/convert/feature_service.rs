use super::{
    Unmanaged, created,
    data_source::{data_source_from_message, plain_copy},
    field::{fields_from_messages, fields_to_messages},
};
use crate::{
    feast::messages as wire,
    model::{FeatureService, LogDestination, LoggingConfig, Projection, SourceKind, Timestamp},
};

/// What Feast writes into the projections of feature views.
const VIEW_TYPE: &str = "featureView";

/// What Feast writes into the projections of label views.
const LABEL_VIEW_TYPE: &str = "labelView";

/// The service a row describes.
///
/// # Errors
/// When the row holds something that definitions cannot express yet.
pub fn feature_service_from_message(message: &wire::FeatureService) -> Result<FeatureService, Unmanaged> {
    let spec = message.spec.clone().unwrap_or_default();
    for projection in &spec.features {
        let view = &projection.feature_view_name;
        if projection.version_tag.is_some() {
            return Unmanaged::because(format!("it selects a pinned version of `{view}`"));
        }
        if let Some(source) = projection.batch_source.as_ref().map(data_source_from_message)
            && let SourceKind::Foreign(kind) = source.kind
        {
            return Unmanaged::because(format!("it selects from `{view}`, whose source is of type {kind}"));
        }
    }
    Ok(FeatureService {
        name: spec.name,
        features: spec.features.iter().map(projection_from_message).collect(),
        logging_config: spec.logging_config.as_ref().map(logging_from_message),
        precompute_online: spec.precompute_online,
        description: spec.description,
        owner: spec.owner,
        tags: wire::to_map(&spec.tags),
    })
}

fn projection_from_message(message: &wire::FeatureViewProjection) -> Projection {
    let alias = &message.feature_view_name_alias;
    Projection {
        view: message.feature_view_name.clone(),
        features: fields_from_messages(&message.feature_columns),
        name_alias: (!alias.is_empty()).then(|| alias.clone()),
        join_key_map: wire::to_map(&message.join_key_map),
        source: message.batch_source.as_ref().map(data_source_from_message),
        labels: message.view_type == LABEL_VIEW_TYPE,
    }
}

/// The row of a service that is new or changed at `now`; `source_row` finds the row of a source
/// after the change.
pub fn feature_service_to_message<'a>(
    service: &FeatureService,
    stored: Option<wire::FeatureService>,
    source_row: impl Fn(&str) -> Option<&'a wire::DataSource>,
    now: Timestamp,
) -> wire::FeatureService {
    let stored = stored.unwrap_or_default();
    let spec = stored.spec.unwrap_or_default();
    let meta = stored.meta.unwrap_or_default();
    let projections = service.features.iter().map(|projection| {
        let same = spec.features.iter().find(|message| projection_from_message(message) == *projection);
        same.cloned().unwrap_or_else(|| {
            let source = projection.source.as_ref().and_then(|source| source_row(&source.name));
            projection_to_message(projection, source)
        })
    });
    let same_logging = spec.logging_config.as_ref().map(logging_from_message) == service.logging_config;
    wire::FeatureService {
        spec: Some(wire::FeatureServiceSpec {
            name: service.name.clone(),
            features: projections.collect(),
            tags: wire::from_map(&service.tags),
            description: service.description.clone(),
            owner: service.owner.clone(),
            logging_config: if same_logging {
                spec.logging_config
            } else {
                service.logging_config.as_ref().and_then(logging_to_message)
            },
            precompute_online: service.precompute_online,
            project: spec.project,
        }),
        meta: Some(wire::FeatureServiceMeta {
            created_timestamp: created(meta.created_timestamp, now),
            last_updated_timestamp: Some(now.into()),
        }),
    }
}

fn projection_to_message(projection: &Projection, source: Option<&wire::DataSource>) -> wire::FeatureViewProjection {
    let created_column = source.map(|source| source.created_timestamp_column.clone()).unwrap_or_default();
    wire::FeatureViewProjection {
        feature_view_name: projection.view.clone(),
        feature_columns: fields_to_messages(&projection.features, &[]),
        feature_view_name_alias: projection.name_alias.clone().unwrap_or_default(),
        join_key_map: wire::from_map(&projection.join_key_map),
        // Not a slip: Feast stores the created column in both fields.
        timestamp_field: created_column.clone(),
        date_partition_column: source.map(|source| source.date_partition_column.clone()).unwrap_or_default(),
        created_timestamp_column: created_column,
        batch_source: source.map(plain_copy),
        stream_source: None,
        version_tag: None,
        view_type: if projection.labels { LABEL_VIEW_TYPE } else { VIEW_TYPE }.to_owned(),
    }
}

fn logging_from_message(message: &wire::LoggingConfig) -> LoggingConfig {
    let destination = match &message.file_destination {
        Some(file) => LogDestination::File {
            path: file.path.clone(),
            s3_endpoint_override: file.s3_endpoint_override.clone(),
            partition_by: file.partition_by.clone(),
        },
        None => LogDestination::Foreign(foreign_destination(message).to_owned()),
    };
    LoggingConfig { sample_rate: message.sample_rate, destination }
}

fn foreign_destination(message: &wire::LoggingConfig) -> &str {
    if message.bigquery_destination.is_some() {
        "bigquery"
    } else if message.redshift_destination.is_some() {
        "redshift"
    } else if message.snowflake_destination.is_some() {
        "snowflake"
    } else if message.athena_destination.is_some() {
        "athena"
    } else if message.couchbase_columnar_destination.is_some() {
        "couchbase"
    } else {
        message.custom_destination.as_ref().map_or("none", |custom| &custom.kind)
    }
}

/// Nothing for a destination that only a stored message can hold.
fn logging_to_message(logging: &LoggingConfig) -> Option<wire::LoggingConfig> {
    let LogDestination::File { path, s3_endpoint_override, partition_by } = &logging.destination else { return None };
    Some(wire::LoggingConfig {
        sample_rate: logging.sample_rate,
        file_destination: Some(wire::FileDestination {
            path: path.clone(),
            s3_endpoint_override: s3_endpoint_override.clone(),
            partition_by: partition_by.clone(),
        }),
        ..wire::LoggingConfig::default()
    })
}
