//! Datasets that are made for clients, and their first rows.

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use utoipa::ToSchema;

use super::{asked::Asked, posted::schema_of, refusal::Refusal};
use crate::{
    feast::registry_server::CreateDataset,
    model::Tags,
    registry_server::datasets::{ask, status},
};

/// A dataset that is to be made of features.
#[derive(Debug, Deserialize, ToSchema)]
struct Body {
    /// Its name.
    #[schema(example = "training")]
    name: String,
    /// The name of its project.
    #[schema(example = "my_project")]
    project: String,
    /// The service whose features are wanted.
    feature_service_name: Option<String>,
    /// Features as `view:feature`, where no service is named.
    features: Option<Vec<String>>,
    /// `inline` or `reference`.
    #[serde(default = "inline")]
    entity_source_type: String,
    /// With `reference`: the file with rows of entities, in the folder for datasets.
    entity_source_path: Option<String>,
    /// With `inline`: the columns of the values.
    entity_keys: Option<Vec<String>>,
    /// With `inline`: values between commas, a row in each line; of one column several in a line.
    entity_values: Option<String>,
    /// The time of the first row, in ISO 8601.
    start_date: Option<String>,
    /// The time of the last row; the others are spread evenly.
    end_date: Option<String>,
    /// A line `COLUMN=VALUE` for each further column.
    extra_columns: Option<String>,
    /// `file`.
    #[serde(default = "file")]
    storage_type: String,
    /// Where the rows go, in the folder for datasets: a file if it ends in `.parquet`, else a folder of files.
    #[schema(example = "training.parquet")]
    storage_path: String,
    /// Labels.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    tags: Option<Tags>,
    /// Whether it may take the place of another one.
    #[serde(default)]
    allow_overwrite: bool,
}

fn inline() -> String {
    "inline".to_owned()
}

fn file() -> String {
    "file".to_owned()
}

/// Begins to make a dataset.
pub(super) fn create(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let body: Body = asked.body()?;
    let request = CreateDataset {
        name: body.name,
        project: body.project,
        feature_service_name: body.feature_service_name.unwrap_or_default(),
        features: body.features.unwrap_or_default(),
        entity_source_type: body.entity_source_type,
        entity_source_path: body.entity_source_path.unwrap_or_default(),
        entity_keys: body.entity_keys.unwrap_or_default(),
        entity_values: body.entity_values.unwrap_or_default(),
        start_date: body.start_date.unwrap_or_default(),
        end_date: body.end_date.unwrap_or_default(),
        extra_columns: body.extra_columns.unwrap_or_default(),
        storage_type: body.storage_type,
        storage_path: body.storage_path,
        allow_overwrite: body.allow_overwrite,
        ..CreateDataset::default()
    };
    let request = request.labelled(&body.tags.unwrap_or_default());
    let job = ask::create(asked.state, asked.caller, (asked.author.clone(), asked.id), request)?;
    let job = status(&job);
    Ok(json!({"job_id": job.job_id, "status": job.status}))
}

/// What the body looks like.
pub(super) fn schema() -> Json {
    schema_of::<Body>()
}

/// The first rows of a dataset.
pub(super) fn data(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let limit = i32::try_from(asked.query.number("limit").unwrap_or_default()).unwrap_or(i32::MAX);
    let sample = ask::data(asked.state, asked.caller, (asked.project(), asked.part("name")), limit)?;
    let row = |values: Vec<Json>| sample.columns.iter().cloned().zip(values).collect::<Map<_, _>>();
    let rows: Vec<Map<String, Json>> = sample.rows.into_iter().map(row).collect();
    let count = rows.len();
    Ok(json!({"columns": sample.columns, "rows": rows, "total_rows": count, "sample_size": count}))
}

/// How far a dataset is.
pub(super) fn job(asked: &Asked<'_>) -> Result<Json, Refusal> {
    Ok(json!(status(&*ask::job(asked.state, asked.caller, asked.part("job_id"))?)))
}

/// All that are made, or were.
pub(super) fn jobs(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let jobs = ask::jobs(asked.state, asked.caller, asked.project(), asked.query.text("status"))?;
    Ok(json!({"jobs": jobs.iter().map(|job| status(job)).collect::<Vec<_>>()}))
}
