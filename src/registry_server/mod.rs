//! The server of a registry: Feast's service over gRPC and its REST API, as a face of `app::registered`.

mod around;
mod asked;
mod changes;
mod datasets;
mod error;
mod objects;
mod observe;
mod own;
mod rest;
mod room;
mod rpc;
mod run;
mod service;
mod settings;
mod state;
mod told;
mod visits;
mod whole;

pub use run::serve;
pub use settings::Settings;
