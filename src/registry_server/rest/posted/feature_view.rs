use serde::Deserialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::{data_type, named, put, schema_of, text_type};
use crate::{
    app::registered::model_of,
    model::{DUMMY_ENTITY, DUMMY_JOIN_KEY, DataSource, DataType, FeatureView, Field, Object, ObjectKind, Tags, Ttl},
    registry_server::rest::{asked::Asked, refusal::Refusal},
};

/// A feature view over a source that is registered.
#[derive(Debug, Deserialize, ToSchema)]
struct Body {
    /// Its name.
    #[schema(example = "driver_hourly_stats")]
    name: String,
    /// The name of its project.
    #[schema(example = "my_project")]
    project: String,
    /// The names of its entities, which are registered.
    #[schema(example = json!(["driver"]))]
    entities: Option<Vec<String>>,
    /// Its features.
    #[schema(inline, example = json!([{"name": "conv_rate", "value_type": 6}]))]
    features: Option<Vec<Feature>>,
    /// The name of its source, which is registered.
    #[schema(example = "driver_stats")]
    batch_source: Option<String>,
    /// How old values may be, in seconds; any age if it is left out.
    #[schema(minimum = 0)]
    ttl_seconds: Option<i64>,
    /// Whether it is materialized.
    online: Option<bool>,
    /// What it is.
    description: Option<String>,
    /// Who is responsible.
    owner: Option<String>,
    /// Labels.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    tags: Option<Tags>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct Feature {
    /// Its name.
    name: String,
    /// Feast's number of its type, such as 2 for texts, 4 for whole numbers and 6 for floats of 32 bits.
    #[serde(default = "text_type")]
    value_type: i32,
    /// What it is.
    description: Option<String>,
}

/// Puts a feature view into a project, with the join keys of its entities.
pub(in crate::registry_server::rest) fn feature_view(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let body: Body = asked.body()?;
    let (entities, entity_columns) = columns(asked, &body)?;
    let (source, stream_source) = sources(asked, &body)?;
    let field = |feature: Feature| Field {
        description: feature.description.unwrap_or_default(),
        ..Field::new(feature.name, data_type(feature.value_type))
    };
    let view = FeatureView {
        entities,
        entity_columns,
        features: body.features.unwrap_or_default().into_iter().map(field).collect(),
        ttl: body.ttl_seconds.map_or(Ttl::UNLIMITED, |seconds| Ttl::from_micros(seconds.saturating_mul(1_000_000))),
        source,
        stream_source,
        online: body.online.unwrap_or(true),
        description: body.description.unwrap_or_default(),
        owner: body.owner.unwrap_or_default(),
        tags: body.tags.unwrap_or_default(),
        ..FeatureView::new(body.name)
    };
    put(asked, &body.project, &Object::FeatureView(view))
}

/// What the body looks like.
pub(in crate::registry_server::rest) fn schema() -> Json {
    schema_of::<Body>()
}

/// The names of the entities and their join keys; a view over none is over the one that stands for none.
fn columns(asked: &Asked<'_>, body: &Body) -> Result<(Vec<String>, Vec<Field>), Refusal> {
    let names = body.entities.clone().unwrap_or_default();
    if names.is_empty() {
        return Ok((vec![DUMMY_ENTITY.to_owned()], vec![Field::new(DUMMY_JOIN_KEY, DataType::String)]));
    }
    let mut columns = Vec::new();
    for name in &names {
        if let Object::Entity(entity) = model_of(&*named(asked, &[ObjectKind::Entity], name, &body.project)?)? {
            columns.push(Field::new(entity.join_key, entity.value_type.unwrap_or(DataType::String)));
        }
    }
    Ok((names, columns))
}

/// The source of the rows, and the stream in front of it.
fn sources(asked: &Asked<'_>, body: &Body) -> Result<(Option<DataSource>, Option<DataSource>), Refusal> {
    let Some(name) = body.batch_source.as_ref().filter(|name| !name.is_empty()) else { return Ok((None, None)) };
    match model_of(&*named(asked, &[ObjectKind::DataSource], name, &body.project)?)? {
        Object::DataSource(source) if source.kind.is_stream() => {
            Ok((source.kind.batch_source().cloned(), Some(source)))
        }
        Object::DataSource(source) => Ok((Some(source), None)),
        _ => Ok((None, None)),
    }
}
