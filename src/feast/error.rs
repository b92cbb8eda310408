//! Errors of Feast in the messages of failed calls: `{"module": …, "class": …, "message": …}`, whose class clients raise. Calls
//! of Arrow Flight announce them with `Flight error: `.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What stands before the error in calls of Arrow Flight.
const PREFIX: &str = "Flight error: ";

/// An error that clients raise as the exception that it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeastError {
    /// The Python module of the exception.
    pub module: String,
    /// The class of the exception in it.
    pub class: String,
    /// What is wrong.
    pub message: String,
}

impl FeastError {
    /// An exception of `feast.errors`.
    pub fn new(class: &str, message: impl Into<String>) -> Self {
        Self { module: "feast.errors".to_owned(), class: class.to_owned(), message: message.into() }
    }

    /// The error as JSON, which is the message of a failed call of a registry server.
    pub fn json(&self) -> String {
        // It consists of texts.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The error that a message has in it: the first object of JSON after the words that announce one.
    pub fn find(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once(PREFIX)?;
        let json = rest.get(rest.find('{')?..)?;
        serde_json::Deserializer::from_str(json).into_iter().next()?.ok()
    }
}

impl fmt::Display for FeastError {
    /// As the message of a failed call of Arrow Flight has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.json())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_found_in_what_clients_are_told() {
        let error = FeastError::new("FeatureViewNotFoundException", "there is no view `a}b{\"c`");
        let told = format!("{error}. gRPC client debug context: {{\"x\": 1}}");
        assert_eq!(FeastError::find(&told), Some(error));
    }

    #[test]
    fn what_is_no_error_of_feast_is_none() {
        let wrong = ["", "it is wrong", "Flight error: ", "Flight error: {", "Flight error: {}", "{\"class\": \"x\"}"];
        for text in wrong {
            assert_eq!(FeastError::find(text), None, "{text}");
        }
    }
}
