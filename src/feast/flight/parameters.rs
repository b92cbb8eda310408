//! The parameters of a command, taken one by one.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::command_error::CommandError;
use crate::model::Timestamp;

/// What is left of a command.
pub(super) struct Parameters(pub(super) Map<String, Json>);

impl Parameters {
    /// A parameter that has to be there, which may be null where its type has a place for that.
    pub(super) fn take<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<T, CommandError> {
        let value = self.0.remove(name).ok_or(CommandError::Missing(name))?;
        serde_json::from_value(value).map_err(|error| CommandError::Wrong(name, error.to_string()))
    }

    /// A parameter that may be null, or not there at all.
    pub(super) fn maybe<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<Option<T>, CommandError> {
        if self.0.contains_key(name) { self.take(name) } else { Ok(None) }
    }

    /// A moment that may be null, or not there at all. One without a zone is in UTC.
    pub(super) fn moment(&mut self, name: &'static str) -> Result<Option<Timestamp>, CommandError> {
        let Some(text) = self.maybe::<String>(name)? else { return Ok(None) };
        let moment = Timestamp::absolute(&text);
        moment
            .map(Some)
            .ok_or_else(|| CommandError::Wrong(name, format!("{text:?} is no moment as ISO 8601 writes it")))
    }
}
