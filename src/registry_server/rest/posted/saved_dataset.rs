use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use utoipa::ToSchema;

use super::{named, put, schema_of};
use crate::{
    app::registered::{self, Freshness, Wanted},
    feast::registry::{Link, layout},
    model::{
        DatasetStorage, Object, ObjectKind, PostgresSource, SavedDataset, SparkSource, Tags, Warehouse,
        WarehouseSource, printable,
    },
    problem::{Kind, Problem},
    registry_server::rest::{asked::Asked, refusal::Refusal},
};

/// A saved dataset, whose rows are where it says.
#[derive(Debug, Deserialize, ToSchema)]
struct Body {
    /// Its name.
    #[schema(example = "training")]
    name: String,
    /// The name of its project.
    #[schema(example = "my_project")]
    project: String,
    /// Its features, as `view:feature`; those of the service if none is named.
    #[serde(default)]
    features: Vec<String>,
    /// Columns that identify entities; those of the service's views if none is named.
    #[serde(default)]
    join_keys: Vec<String>,
    /// The path or the table with the rows.
    #[schema(example = "data/training.parquet")]
    storage_path: Option<String>,
    /// `file`, `postgres`, `spark`, `bigquery`, `redshift`, `snowflake`, `trino` or `athena`.
    #[serde(default = "file")]
    storage_type: String,
    /// Spark's name of the format of the path.
    storage_file_format: Option<String>,
    /// Labels.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    tags: Tags,
    /// Whether columns are named `view__feature`.
    #[serde(default)]
    full_feature_names: bool,
    /// The service that the rows were fetched of.
    feature_service_name: Option<String>,
    /// Whether it may take the place of another one.
    #[serde(default)]
    allow_override: bool,
    /// What it belongs to.
    #[serde(default)]
    namespace: String,
    /// What it belongs to within the namespace.
    #[serde(default)]
    collection: String,
    /// What it is.
    #[serde(default)]
    description: String,
}

fn file() -> String {
    "file".to_owned()
}

/// Puts a saved dataset into a project.
pub(in crate::registry_server::rest) fn saved_dataset(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let mut body: Body = asked.body()?;
    let storage = body.storage()?;
    if !body.allow_override {
        refuse_another(asked, &body)?;
    }
    if let Some(service) = body.feature_service_name.clone().filter(|name| !name.is_empty()) {
        let (features, join_keys) = of_service(asked, &service, &body.project)?;
        for (given, derived) in [(&mut body.features, features), (&mut body.join_keys, join_keys)] {
            if given.is_empty() {
                *given = derived;
            }
        }
    }
    let project = body.project;
    let dataset = SavedDataset {
        name: body.name,
        features: body.features,
        join_keys: body.join_keys,
        full_feature_names: body.full_feature_names,
        storage,
        feature_service: body.feature_service_name.unwrap_or_default(),
        namespace: body.namespace,
        collection: body.collection,
        description: body.description,
        tags: body.tags,
    };
    let name = dataset.name.clone();
    put(asked, &project, &Object::SavedDataset(dataset))?;
    Ok(json!({"status": "ok", "name": name, "project": project}))
}

/// What the body looks like.
pub(in crate::registry_server::rest) fn schema() -> Json {
    schema_of::<Body>()
}

impl Body {
    fn storage(&self) -> Result<DatasetStorage, Refusal> {
        let place = self.storage_path.as_deref().unwrap_or_default().trim().to_owned();
        if place.is_empty() {
            return Err(Refusal::Wrong("`storage_path` has to say where the rows are".to_owned()));
        }
        let warehouse = Warehouse::ALL.into_iter().find(|warehouse| warehouse.as_str() == self.storage_type);
        Ok(match (self.storage_type.as_str(), warehouse) {
            (_, Some(warehouse)) => {
                let options = Tags::from([("table".to_owned(), place)]);
                DatasetStorage::Warehouse(WarehouseSource { warehouse, options })
            }
            ("file", _) => DatasetStorage::File { path: place, format: None, s3_endpoint_override: String::new() },
            ("postgres", _) => DatasetStorage::Postgres(PostgresSource { table: place, query: String::new() }),
            ("spark", _) => DatasetStorage::Spark(SparkSource {
                table: String::new(),
                query: String::new(),
                path: place,
                file_format: self.storage_file_format.clone().unwrap_or_else(|| "parquet".to_owned()),
                date_partition_column_format: String::new(),
            }),
            (other, _) => {
                return Err(Refusal::Wrong(format!("`{}` is no storage that feastr knows", printable(other))));
            }
        })
    }
}

/// That there is one of this name already.
fn refuse_another(asked: &Asked<'_>, body: &Body) -> Result<(), Refusal> {
    let wanted = Wanted { kinds: &[ObjectKind::SavedDataset], name: &body.name, project: &body.project };
    match registered::get(asked.registry(), asked.caller, wanted, Freshness::Now) {
        Err(problem) if problem.kind == Kind::NotFound => Ok(()),
        Err(problem) => Err(problem.into()),
        Ok(_) => {
            let message = format!("there is a saved dataset `{}` already", printable(&body.name));
            Err(Problem::new(Kind::Conflict, message, "set `allow_override` to take its place".to_owned()).into())
        }
    }
}

/// The features of a service and the join keys of its views.
fn of_service(asked: &Asked<'_>, name: &str, project: &str) -> Result<(Vec<String>, Vec<String>), Refusal> {
    let service = named(asked, &[ObjectKind::FeatureService], name, project)?;
    let (mut features, mut join_keys) = (Vec::new(), BTreeSet::new());
    for link in service.known().map(|known| known.card.links.clone()).unwrap_or_default() {
        let Link::View { name: view, features: selected } = link else { continue };
        features.extend(selected.iter().map(|feature| format!("{view}:{feature}")));
        let view = named(asked, &ObjectKind::VIEWS, &view, project)?;
        join_keys.extend(layout(view.kind, &view.proto).map(|layout| layout.join_keys).unwrap_or_default());
    }
    Ok((features, join_keys.into_iter().collect()))
}
