//! What Feast's offline servers and their clients say to each other over Arrow Flight: commands in JSON, and the errors of
//! `feast.errors` in the messages of failures.
//!
//! Source: `feast/offline_server.py`, `feast/infra/offline_stores/remote.py` and `feast/arrow_error_handler.py`.

mod command;
mod command_error;
mod data_source;
mod marker;
mod parameters;

pub use command::{API_NAMES, COLUMNS, Call, Command, HISTORICAL, Historical, NEWEST, Persist, Pull, Put, ROWS, Read};
pub use command_error::CommandError;
pub use data_source::{WrongDataSource, data_source_from_json, data_source_to_json};
pub use marker::{is_empty_marker, marker};
