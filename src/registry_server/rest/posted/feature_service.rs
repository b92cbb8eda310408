use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::{named, put, schema_of};
use crate::{
    app::registered::{StoredObject, model_of},
    diagnostics::did_you_mean,
    feast::registry::features,
    model::{DataSource, FeatureService, Field, Object, ObjectKind, Projection, Tags, printable},
    problem::{Kind, Problem},
    registry_server::rest::{asked::Asked, refusal::Refusal},
};

/// A feature service over views that are registered.
#[derive(Debug, Deserialize, ToSchema)]
struct Body {
    /// Its name.
    #[schema(example = "driver_activity")]
    name: String,
    /// The name of its project.
    #[schema(example = "my_project")]
    project: String,
    /// What it selects.
    #[schema(inline, example = json!([{"feature_view_name": "driver_hourly_stats", "feature_names": ["conv_rate"]}]))]
    features: Vec<Member>,
    /// What it is.
    description: Option<String>,
    /// Who is responsible.
    owner: Option<String>,
    /// Labels.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    tags: Option<Tags>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct Member {
    /// The name of a view.
    feature_view_name: String,
    /// Names of its features; all of them if none is named.
    feature_names: Option<Vec<String>>,
}

/// Puts a feature service into a project.
pub(in crate::registry_server::rest) fn feature_service(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let body: Body = asked.body()?;
    let mut members = Vec::new();
    for member in &body.features {
        let view = named(asked, &ObjectKind::VIEWS, &member.feature_view_name, &body.project)?;
        members.push(Projection {
            view: view.name.clone(),
            features: selected(&view, member.feature_names.as_deref().unwrap_or_default())?,
            name_alias: None,
            join_key_map: BTreeMap::new(),
            source: source(&view)?,
            labels: view.kind == ObjectKind::LabelView,
        });
    }
    let service = FeatureService {
        name: body.name,
        features: members,
        logging_config: None,
        precompute_online: false,
        description: body.description.unwrap_or_default(),
        owner: body.owner.unwrap_or_default(),
        tags: body.tags.unwrap_or_default(),
    };
    put(asked, &body.project, &Object::FeatureService(service))
}

/// What the body looks like.
pub(in crate::registry_server::rest) fn schema() -> Json {
    schema_of::<Body>()
}

/// The features of a view that are named, in that order; all if none is.
fn selected(view: &StoredObject, names: &[String]) -> Result<Vec<Field>, Refusal> {
    let damaged = |error| Problem::new(Kind::Internal, format!("{} is damaged: {error}", view.id()), None);
    let all = features(view.kind, &view.proto).map_err(damaged)?;
    if names.is_empty() {
        return Ok(all);
    }
    let named = |name: &String| {
        all.iter().find(|field| field.name == *name).cloned().ok_or_else(|| {
            let message = format!("{} has no feature `{}`", view.id(), printable(name));
            let help = did_you_mean(name, all.iter().map(|field| field.name.as_str()));
            Refusal::from(Problem::new(Kind::Invalid, message, help))
        })
    };
    names.iter().map(named).collect()
}

/// The source of a view's rows; none of a view that is computed when it is asked for.
fn source(view: &StoredObject) -> Result<Option<DataSource>, Refusal> {
    if view.kind == ObjectKind::OnDemandFeatureView {
        return Ok(None);
    }
    Ok(match model_of(view)? {
        Object::FeatureView(view) => view.source,
        Object::StreamFeatureView(view) => view.source,
        Object::LabelView(view) => view.source,
        _ => None,
    })
}
