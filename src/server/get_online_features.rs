//! The current features of entities.

use std::{fmt, sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{self, Request},
    http::{HeaderValue, header},
    response::Response,
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value as Json;
use tokio::{task::block_in_place, time::timeout_at};
use utoipa::ToSchema;

use super::{
    JSON,
    asker::Asker,
    body,
    detail::{BodyDetails, Detail},
    error::Error,
    state::State,
};
use crate::{
    app::{
        Caller,
        get_online::{self, get_online},
    },
    daemon::deadline,
    problem::Problem,
    retrieval::{FeatureReference, FeatureRequest, Selection},
    serving::RequestColumns,
};

/// To write more values than these takes so long that others are answered on another thread meanwhile.
const MANY: usize = 50_000;

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(title = "GetOnlineFeaturesRequest")]
pub(super) struct OnlineFeaturesRequest {
    /// Join keys, and fields of requests that on-demand features are computed with: a list of values for each, all of one
    /// length. Names that nothing asks for are ignored.
    #[schema(value_type = BTreeMap<String, Vec<serde_json::Value>>, example = json!({"driver_id": [1001, 1002]}))]
    entities: EntityColumns,
    /// Features as `view:feature`. Left out where a feature service is named.
    #[schema(example = json!(["driver_hourly_stats:conv_rate"]))]
    features: Option<Vec<String>>,
    /// The name of a feature service.
    feature_service: Option<String>,
    /// Whether the names of features begin with that of their view: `view__feature`.
    #[serde(default)]
    full_feature_names: bool,
    /// Whether the answer tells the versions of the views.
    #[serde(default)]
    include_feature_view_version_metadata: bool,
}

/// Columns by their names, in the order in which they are written.
#[derive(Debug)]
struct EntityColumns(Vec<(String, Vec<Json>)>);

impl<'de> Deserialize<'de> for EntityColumns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Columns;
        impl<'de> Visitor<'de> for Columns {
            type Value = EntityColumns;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("lists of values by the names of join keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EntityColumns, A::Error> {
                let mut columns = Vec::new();
                while let Some(column) = map.next_entry()? {
                    columns.push(column);
                }
                Ok(EntityColumns(columns))
            }
        }
        deserializer.deserialize_map(Columns)
    }
}

/// The features of entities.
#[derive(Debug, ToSchema)]
#[schema(title = "GetOnlineFeaturesResponse")]
#[expect(dead_code, reason = "answers are written straight from what is stored; this says what is in them")]
pub(super) struct OnlineFeaturesResponse {
    /// A column for each name of the metadata.
    results: Vec<ResultColumn>,
    metadata: AnswerMetadata,
}

/// A join key or a feature.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "see above")]
struct ResultColumn {
    /// A value for each entity, in their order.
    #[schema(value_type = Vec<serde_json::Value>)]
    values: Vec<Json>,
    /// How each value stands.
    statuses: Vec<FieldStatus>,
    /// The event time of each value, in UTC; 1970 where there is none.
    event_timestamps: Vec<String>,
}

/// How a value stands.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(dead_code, reason = "see above")]
enum FieldStatus {
    Invalid,
    Present,
    NullValue,
    NotFound,
    OutsideMaxAge,
}

/// What the columns are.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "see above")]
struct AnswerMetadata {
    /// The names of the columns: join keys, then features.
    feature_names: Vec<String>,
    /// The views and their versions, if they were asked for.
    feature_view_metadata: Option<Vec<ViewMetadata>>,
}

/// A view of which features were answered.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "see above")]
struct ViewMetadata {
    name: String,
    /// Left out for the first version, 0.
    version: Option<u32>,
}

/// The current features of entities
#[utoipa::path(
    post,
    path = "/get-online-features",
    tag = "features",
    request_body = OnlineFeaturesRequest,
    responses(
        (status = 200, body = OnlineFeaturesResponse, description = "A column for each join key and feature"),
        (status = 401, body = Detail, description = "Nobody knows who asks"),
        (status = 408, body = Detail, description = "The body was not there in time"),
        (status = 413, body = Detail, description = "The body is too long"),
        (status = 415, body = Detail, description = "The body is compressed"),
        (status = 422, body = BodyDetails, description = "The body is not as it should be"),
        (status = "4XX", body = String, description = "A mistake in the request: JSON in a string, as FeastError"),
        (status = "5XX", body = String, description = "A store is away or did not answer in time: JSON in a string, as \
                                                       FeastError")
    )
)]
pub(super) async fn get_online_features(
    extract::State(state): extract::State<Arc<State>>,
    Asker(caller): Asker,
    request: Request,
) -> Result<Response, Error> {
    let deadline = deadline(state.deadline);
    let asked = body::read(request, state.body_limit, deadline).await?;
    state.answer(&caller, asked, deadline).await
}

impl State {
    async fn answer(
        &self,
        caller: &Caller,
        asked: OnlineFeaturesRequest,
        deadline: Instant,
    ) -> Result<Response, Error> {
        let _place = self.places.try_acquire().map_err(|_| Error::busy())?;
        let features = FeatureRequest {
            selection: selection(asked.features, asked.feature_service)?,
            full_feature_names: asked.full_feature_names,
        };
        let columns = RequestColumns::new(asked.entities.0)?;
        let observed = self.telemetry.asked(caller, &features, &columns);
        let request = get_online::Request { features: &features, entities: (&columns).into(), deadline };
        let answering = get_online(&self.store, caller, request);
        let answer = timeout_at(deadline.into(), answering).await.map_err(|_| Error::late())??;
        let mut json = Vec::new();
        let mut write = || answer.write_json(asked.include_feature_view_version_metadata, &mut json);
        let values = answer.columns.iter().map(|column| column.values.len()).sum::<usize>();
        if values > MANY {
            block_in_place(write)?
        } else {
            write()?
        }
        let mut response = Response::new(Body::from(json));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
        response.extensions_mut().insert(observed.answered(&answer));
        self.telemetry.served(&features, answer);
        Ok(response)
    }
}

/// A feature service, beside which Feast ignores single features, or these.
fn selection(features: Option<Vec<String>>, service: Option<String>) -> Result<Selection, Problem> {
    match service {
        Some(service) => Ok(Selection::of_service(service)),
        None => {
            let references = features.iter().flatten().map(|reference| reference.parse::<FeatureReference>());
            Ok(Selection::of_features(references.collect::<Result<_, _>>()?))
        }
    }
}
