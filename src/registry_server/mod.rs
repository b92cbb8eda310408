//! The server of a registry: Feast's service over gRPC, as a face of `app::registered`.

mod around;
mod asked;
mod changes;
mod datasets;
mod error;
mod objects;
mod observe;
mod rpc;
mod run;
mod service;
mod settings;
mod state;
mod whole;

pub use run::serve;
pub use settings::Settings;
