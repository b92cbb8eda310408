//! The server that buckets tell of their events: what is told is stored before it is answered, and done afterwards.

mod answer;
mod receive;
mod run;
mod settings;
mod state;
mod subscriptions;
mod token;
mod told;

pub use run::serve;
pub use settings::Settings;
pub use token::Tokens;
