//! The server of a registry: Feast's service over gRPC, as a face of `app::registered`.

mod error;
mod objects;
mod observe;
mod rpc;
mod run;
mod service;
mod settings;
mod state;

pub use run::serve;
pub use settings::Settings;
