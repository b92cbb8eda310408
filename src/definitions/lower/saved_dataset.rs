//! Saved datasets and validation references into the model.

use std::collections::BTreeMap;

use super::{names::check_object_name, view::DeclaredViews};
use crate::{
    definitions::format::{RawSavedDataset, RawStorage, RawValidationReference},
    diagnostics::{Diagnostics, did_you_mean},
    model::{
        DatasetStorage, FeatureService, PostgresSource, SavedDataset, SparkSource, ValidationReference, Warehouse,
        WarehouseSource,
    },
    yaml::Spanned,
};

/// The saved dataset a definition declares.
///
/// What it was made from may have changed since, or be Python's: that is worth a warning, not an
/// error.
pub(crate) fn lower_dataset(
    raw: RawSavedDataset,
    views: &DeclaredViews,
    services: &BTreeMap<String, Option<FeatureService>>,
    diagnostics: &mut Diagnostics,
) -> SavedDataset {
    check_object_name(&raw.name, "a saved dataset", diagnostics);
    for feature in &raw.features {
        check_reference(feature, views, diagnostics);
    }
    if let Some(service) = raw.feature_service_name.as_ref().filter(|service| !services.contains_key(&service.value)) {
        let help = did_you_mean(&service.value, services.keys().map(String::as_str));
        let message = format!("there is no feature service `{}` in these definitions", service.value);
        diagnostics.warning(&service.span, message, help);
    }
    SavedDataset {
        name: raw.name.value,
        features: raw.features.into_iter().map(|feature| feature.value).collect(),
        join_keys: raw.join_keys,
        full_feature_names: raw.full_feature_names,
        storage: lower_storage(raw.storage),
        feature_service: raw.feature_service_name.map(|service| service.value).unwrap_or_default(),
        namespace: raw.namespace,
        collection: raw.collection,
        description: raw.description,
        tags: raw.labels.into_tags(),
    }
}

fn check_reference(reference: &Spanned<String>, views: &DeclaredViews, diagnostics: &mut Diagnostics) {
    let Some((view, feature)) =
        reference.value.split_once(':').filter(|(view, name)| !view.is_empty() && !name.is_empty())
    else {
        let message = format!("`{}` is not a reference to a feature", reference.value);
        diagnostics.error_with_help(&reference.span, message, "write `view:feature`".to_owned());
        return;
    };
    // A version of the view may be named behind it.
    let view = view.split_once('@').map_or(view, |(view, _)| view);
    match views.get(view) {
        Some(None) => {}
        Some(Some(declared)) if declared.features.iter().any(|field| field.name == feature) => {}
        Some(Some(declared)) => {
            let help = did_you_mean(feature, declared.features.iter().map(|field| field.name.as_str()));
            diagnostics.warning(&reference.span, format!("view `{view}` has no feature `{feature}`"), help);
        }
        None => {
            let help = did_you_mean(view, views.keys().map(String::as_str));
            let message = format!("there is no view `{view}` in these definitions");
            diagnostics.warning(&reference.span, message, help);
        }
    }
}

fn lower_storage(raw: RawStorage) -> DatasetStorage {
    let warehouse = |warehouse, options: &[(&str, String)]| {
        let given = options.iter().filter(|(_, value)| !value.is_empty());
        let options = given.map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        DatasetStorage::Warehouse(WarehouseSource { warehouse, options })
    };
    match raw {
        RawStorage::File(raw) => DatasetStorage::File {
            path: raw.path.value,
            format: raw.file_format,
            s3_endpoint_override: raw.s3_endpoint_override,
        },
        RawStorage::Postgres(raw) => DatasetStorage::Postgres(PostgresSource { table: raw.table, query: raw.query }),
        RawStorage::Spark(raw) => DatasetStorage::Spark(SparkSource {
            table: raw.table,
            query: raw.query,
            path: raw.path,
            file_format: raw.file_format,
            date_partition_column_format: raw.date_partition_column_format,
        }),
        RawStorage::BigQuery(raw) => warehouse(Warehouse::BigQuery, &[("table", raw.table), ("query", raw.query)]),
        RawStorage::Trino(raw) => warehouse(Warehouse::Trino, &[("table", raw.table), ("query", raw.query)]),
        RawStorage::Redshift(raw) => warehouse(
            Warehouse::Redshift,
            &[("table", raw.table), ("query", raw.query), ("schema", raw.schema), ("database", raw.database)],
        ),
        RawStorage::Snowflake(raw) => warehouse(
            Warehouse::Snowflake,
            &[("table", raw.table), ("query", raw.query), ("schema", raw.schema), ("database", raw.database)],
        ),
        RawStorage::Athena(raw) => warehouse(
            Warehouse::Athena,
            &[("table", raw.table), ("query", raw.query), ("database", raw.database), ("data_source", raw.data_source)],
        ),
    }
}

/// The validation reference a definition declares; `None` when its dataset is not declared.
pub(crate) fn lower_reference(
    raw: RawValidationReference,
    datasets: &BTreeMap<String, Option<SavedDataset>>,
    diagnostics: &mut Diagnostics,
) -> Option<ValidationReference> {
    check_object_name(&raw.name, "a validation reference", diagnostics);
    let dataset = raw.dataset_name;
    if !datasets.contains_key(&dataset.value) {
        let help = did_you_mean(&dataset.value, datasets.keys().map(String::as_str));
        diagnostics.error_with_help(&dataset.span, format!("there is no saved dataset `{}`", dataset.value), help);
        return None;
    }
    Some(ValidationReference {
        name: raw.name.value,
        reference_dataset: dataset.value,
        description: raw.description,
        tags: raw.labels.into_tags(),
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        definitions::testing::{each, repo},
        model::{DatasetStorage, SavedDataset, ValidationReference, Warehouse},
    };

    #[test]
    fn datasets_and_references_are_lowered() {
        let repo = repo(
            "saved_datasets:\n\
             \x20 - {name: d, features: [], storage: {type: file, path: x, file_format: delta}, tags: {a: b}, protect: true}\n\
             \x20 - {name: e, storage: {type: snowflake, table: t, schema: s}, full_feature_names: true}\n\
             validation_references:\n  - {name: r, dataset_name: d}\n",
        );
        let [file, table] = each::<SavedDataset, 2>(&repo);
        assert!(matches!(&file.storage, DatasetStorage::File { path, format: Some(_), .. } if path == "x"));
        assert_eq!(file.tags.len(), 2);
        let DatasetStorage::Warehouse(warehouse) = &table.storage else { panic!() };
        assert_eq!((warehouse.warehouse, warehouse.options.len()), (Warehouse::Snowflake, 2));
        let [reference] = each::<ValidationReference, 1>(&repo);
        assert_eq!(reference.reference_dataset, "d");
    }
}
