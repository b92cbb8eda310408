/// A request that cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RetrievalError {
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl RetrievalError {
    pub fn new(message: impl Into<String>, help: impl Into<Option<String>>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}
