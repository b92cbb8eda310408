use serde::Deserialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::{data_type, put, schema_of, text_type};
use crate::{
    model::{Entity, Object, Tags},
    registry_server::rest::{asked::Asked, refusal::Refusal},
};

/// An entity.
#[derive(Debug, Deserialize, ToSchema)]
struct Body {
    /// Its name.
    #[schema(example = "driver")]
    name: String,
    /// The name of its project.
    #[schema(example = "my_project")]
    project: String,
    /// The column that identifies it; the name, if it is left out.
    #[schema(example = "driver_id")]
    join_key: Option<String>,
    /// Feast's number of the join key's type, such as 2 for texts and 4 for whole numbers.
    #[serde(default = "text_type")]
    #[schema(example = 4)]
    value_type: i32,
    /// What it is.
    description: Option<String>,
    /// Who is responsible.
    owner: Option<String>,
    /// Labels.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    tags: Option<Tags>,
}

/// Puts an entity into a project.
pub(in crate::registry_server::rest) fn entity(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let body: Body = asked.body()?;
    let entity = Entity {
        join_key: body.join_key.filter(|key| !key.is_empty()).unwrap_or_else(|| body.name.clone()),
        name: body.name,
        value_type: Some(data_type(body.value_type)),
        description: body.description.unwrap_or_default(),
        owner: body.owner.unwrap_or_default(),
        tags: body.tags.unwrap_or_default(),
    };
    put(asked, &body.project, &Object::Entity(entity))
}

/// What the body looks like.
pub(in crate::registry_server::rest) fn schema() -> Json {
    schema_of::<Body>()
}
