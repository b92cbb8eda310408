/// Why a source cannot be looked at or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SourceProblem {
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl SourceProblem {
    pub fn new(message: impl Into<String>, help: impl Into<Option<String>>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}
