//! What is wrong with a request before anybody looks at what it asks for, in the shape of FastAPI.

use axum::{http::StatusCode, response::Response};
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::json;

/// A sentence about the request.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Detail {
    /// What is wrong.
    detail: String,
}

/// What is wrong with the body of a request, or with what stands behind its path.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BodyDetails {
    #[schema(value_type = Vec<BodyDetail>)]
    detail: [BodyDetail; 1],
}

/// One thing that is wrong with a body.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BodyDetail {
    /// As in FastAPI: `json_invalid`, `missing`, `model_attributes_type`, `value_error` or `bool_parsing`.
    r#type: &'static str,
    /// Where it is: `body`, then names of members and positions in lists; or `query`, then a name.
    #[schema(value_type = Vec<serde_json::Value>)]
    loc: Vec<Json>,
    /// What is wrong.
    msg: String,
}

impl BodyDetails {
    pub(super) fn new(r#type: &'static str, path: Vec<Json>, msg: String) -> Self {
        let loc = std::iter::once("body".into()).chain(path).collect();
        Self { detail: [BodyDetail { r#type, loc, msg }] }
    }

    /// What is wrong with a value behind the path.
    pub(super) fn of_query(r#type: &'static str, name: &str, msg: String) -> Self {
        Self { detail: [BodyDetail { r#type, loc: vec!["query".into(), name.into()], msg }] }
    }
}

/// A sentence with a status.
pub(super) fn detail(status: StatusCode, detail: &str) -> Response {
    json(status, &Detail { detail: detail.to_owned() })
}
