use super::{
    SourceRows, Unmanaged, created,
    projection::{check_projection, projection_from_message, projection_to_message},
};
use crate::{
    feast::registry::messages as wire,
    model::{FeatureService, LogDestination, LoggingConfig, Timestamp},
};

/// The service a row describes.
///
/// # Errors
/// When the row holds something that definitions cannot express.
pub(crate) fn feature_service_from_message(message: &wire::FeatureService) -> Result<FeatureService, Unmanaged> {
    let spec = message.spec.clone().unwrap_or_default();
    spec.features.iter().try_for_each(check_projection)?;
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

/// The row of a service that is new or changed at `now`.
pub(crate) fn feature_service_to_message(
    service: &FeatureService,
    stored: Option<wire::FeatureService>,
    sources: &SourceRows,
    now: Timestamp,
) -> wire::FeatureService {
    let stored = stored.unwrap_or_default();
    let spec = stored.spec.unwrap_or_default();
    let meta = stored.meta.unwrap_or_default();
    let projections = service
        .features
        .iter()
        .map(|member| projection_to_message(member, spec.features.iter(), sources, now))
        .collect();
    let same_logging = spec.logging_config.as_ref().map(logging_from_message) == service.logging_config;
    wire::FeatureService {
        spec: Some(wire::FeatureServiceSpec {
            name: service.name.clone(),
            features: projections,
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

/// `None` for a destination that only a stored message can hold.
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
