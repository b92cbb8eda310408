//! The registry's server over HTTP: Feast's REST API, as a face of `app::registered`.
//!
//! [`routes::ROUTES`] says what can be asked. The router, the description in OpenAPI and the page for people are made of
//! it.

mod answer;
mod asked;
mod collection;
mod datasets;
mod description;
mod engines;
mod features;
mod lineage;
mod metrics;
mod objects;
mod parameters;
mod posted;
mod query;
mod refusal;
mod relations;
mod route;
mod router;
mod routes;
mod search;
mod server;

pub(super) use router::router;
