//! Saved datasets and validation references between message and model.

use super::{
    Unmanaged, created,
    source_kind::{
        file_format_from_message, file_format_to_message, read_warehouse, spark_from_message, spark_to_message,
        tagged_format, write_warehouse,
    },
    stored_text::{json_object, json_text},
};
use crate::{
    feast::registry::messages as wire,
    model::{
        DatasetStorage, FILE_FORMAT_TAG, FileFormat, PostgresSource, SavedDataset, Tags, Timestamp, ValidationReference,
    },
};

/// Where Feast's reader finds the Python class of a custom storage.
const CLASS_KEY: &str = "saved_dataset_storage_class";

const POSTGRES_CLASS: &str =
    "feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source.SavedDatasetPostgreSQLStorage";

/// The saved dataset a row describes.
///
/// # Errors
/// When the row holds something that definitions cannot express.
pub(crate) fn saved_dataset_from_message(message: &wire::SavedDataset) -> Result<SavedDataset, Unmanaged> {
    let spec = message.spec.clone().unwrap_or_default();
    let mut tags = wire::to_map(&spec.tags);
    let Some(storage) = spec.storage.and_then(|storage| storage_from_message(storage, &mut tags)) else {
        return Unmanaged::because("definitions cannot express where it is stored");
    };
    Ok(SavedDataset {
        name: spec.name,
        features: spec.features,
        join_keys: spec.join_keys,
        full_feature_names: spec.full_feature_names,
        storage,
        feature_service: spec.feature_service_name,
        namespace: spec.namespace,
        collection: spec.collection,
        description: spec.description,
        tags,
    })
}

fn storage_from_message(message: wire::SavedDatasetStorage, tags: &mut Tags) -> Option<DatasetStorage> {
    if let Some(file) = message.file_storage {
        return Some(DatasetStorage::File {
            format: tagged_format(tags).or_else(|| file_format_from_message(file.file_format.as_ref())),
            path: file.uri,
            s3_endpoint_override: file.s3_endpoint_override,
        });
    }
    if let Some(spark) = &message.spark_storage {
        return spark_from_message(spark).map(DatasetStorage::Spark);
    }
    if let Some(custom) = &message.custom_storage {
        return postgres(&custom.configuration).map(DatasetStorage::Postgres);
    }
    let options = wire::DataSource {
        bigquery_options: message.bigquery_storage,
        redshift_options: message.redshift_storage,
        snowflake_options: message.snowflake_storage,
        trino_options: message.trino_storage,
        athena_options: message.athena_storage,
        ..wire::DataSource::default()
    };
    read_warehouse(&options).map(DatasetStorage::Warehouse)
}

/// The settings of a PostgreSQL storage, if they are the ones Feast writes and no others.
fn postgres(configuration: &[u8]) -> Option<PostgresSource> {
    let mut settings = json_object(configuration)?;
    let (name, class) = (settings.remove("name")?, settings.remove(CLASS_KEY)?);
    let (table, query) = (settings.remove("table")?, settings.remove("query")?);
    let is_known = name.is_empty() && class == POSTGRES_CLASS && settings.is_empty();
    is_known.then_some(PostgresSource { table, query })
}

fn storage_to_message(
    storage: &DatasetStorage,
    stored: Option<wire::SavedDatasetStorage>,
) -> wire::SavedDatasetStorage {
    let mut message = wire::SavedDatasetStorage::default();
    match storage {
        DatasetStorage::File { path, format, s3_endpoint_override } => {
            let stored_format = stored.and_then(|stored| stored.file_storage?.file_format);
            message.file_storage = Some(wire::FileOptions {
                file_format: file_format_to_message(*format, stored_format),
                uri: path.clone(),
                s3_endpoint_override: s3_endpoint_override.clone(),
            });
        }
        DatasetStorage::Postgres(PostgresSource { table, query }) => {
            let settings = [("name", ""), ("query", query), ("table", table), (CLASS_KEY, POSTGRES_CLASS)];
            message.custom_storage = Some(wire::CustomSourceOptions { configuration: json_text(&settings) });
        }
        DatasetStorage::Spark(spark) => message.spark_storage = Some(spark_to_message(spark)),
        DatasetStorage::Warehouse(source) => {
            let mut options = wire::DataSource::default();
            write_warehouse(source, &mut options);
            message.bigquery_storage = options.bigquery_options;
            message.redshift_storage = options.redshift_options;
            message.snowflake_storage = options.snowflake_options;
            message.trino_storage = options.trino_options;
            message.athena_storage = options.athena_options;
        }
    }
    message
}

/// The row of a saved dataset that is new or changed at `now`. Feast notes only its creation.
pub(crate) fn saved_dataset_to_message(
    dataset: &SavedDataset,
    stored: Option<wire::SavedDataset>,
    now: Timestamp,
) -> wire::SavedDataset {
    let stored = stored.unwrap_or_default();
    let spec = stored.spec.unwrap_or_default();
    let meta = stored.meta.unwrap_or_default();
    let stored_storage =
        spec.storage.clone().and_then(|storage| storage_from_message(storage, &mut wire::to_map(&spec.tags)));
    let mut tags = dataset.tags.clone();
    if let DatasetStorage::File { format: Some(format @ (FileFormat::Csv | FileFormat::Json)), .. } = dataset.storage {
        tags.insert(FILE_FORMAT_TAG.to_owned(), format.as_str().to_owned());
    }
    wire::SavedDataset {
        spec: Some(wire::SavedDatasetSpec {
            name: dataset.name.clone(),
            project: spec.project,
            features: dataset.features.clone(),
            join_keys: dataset.join_keys.clone(),
            full_feature_names: dataset.full_feature_names,
            storage: if stored_storage.as_ref() == Some(&dataset.storage) {
                spec.storage
            } else {
                Some(storage_to_message(&dataset.storage, spec.storage))
            },
            tags: wire::from_map(&tags),
            feature_service_name: dataset.feature_service.clone(),
            namespace: dataset.namespace.clone(),
            collection: dataset.collection.clone(),
            description: dataset.description.clone(),
            columns: spec.columns,
        }),
        meta: Some(wire::SavedDatasetMeta { created_timestamp: created(meta.created_timestamp, now), ..meta }),
    }
}

/// A stored validation reference, without its profiler.
pub(crate) fn validation_reference_from_message(message: &wire::ValidationReference) -> ValidationReference {
    ValidationReference {
        name: message.name.clone(),
        reference_dataset: message.reference_dataset_name.clone(),
        description: message.description.clone(),
        tags: wire::to_map(&message.tags),
    }
}

/// The changed row of a validation reference. Its profiler, a Python function, stays: without one
/// Feast cannot read the row, so there is no row without a stored one.
pub(crate) fn validation_reference_to_message(
    reference: &ValidationReference,
    stored: wire::ValidationReference,
) -> wire::ValidationReference {
    wire::ValidationReference {
        name: reference.name.clone(),
        reference_dataset_name: reference.reference_dataset.clone(),
        description: reference.description.clone(),
        tags: wire::from_map(&reference.tags),
        ..stored
    }
}
