//! The server of features: Feast's protocol over HTTP, as a face of `app`.

mod asker;
mod body;
mod detail;
mod error;
mod frame;
mod get_online_features;
mod health;
mod jobs;
mod materialize;
mod materializing;
mod push;
mod readiness;
mod refusals;
mod router;
mod run;
mod settings;
mod state;
mod unsupported;
mod write_to_online_store;
mod writing;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

pub use run::serve;
pub use settings::Settings;

/// The type of bodies.
const JSON: &str = "application/json";

/// An answer in JSON.
fn json(status: StatusCode, value: &(impl Serialize + ?Sized)) -> Response {
    // What is answered consists of texts and numbers.
    let text = serde_json::to_vec(value).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static(JSON))], text).into_response()
}
