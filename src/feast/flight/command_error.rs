//! Descriptors that are no commands.

/// Why a descriptor is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// It is no object of JSON.
    #[error("the command is not in JSON: {0}")]
    NotJson(String),
    /// It says not what is asked for.
    #[error("the command has no `api`")]
    NoApi,
    /// It asks for something else.
    #[error("there is no api `{0}`")]
    UnknownApi(String),
    /// A parameter is not there.
    #[error("the command has no `{0}`")]
    Missing(&'static str),
    /// A parameter is not what it has to be.
    #[error("`{0}` of the command is wrong: {1}")]
    Wrong(&'static str, String),
}
