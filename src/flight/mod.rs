//! The server of the offline store: commands of Feast's clients over Arrow Flight, as a face of `app`.

mod answer;
mod asking;
mod error;
mod observe;
mod places;
mod request;
mod run;
mod service;
mod settings;
mod state;
mod tickets;
mod upload;

pub use run::serve;
pub use settings::Settings;
