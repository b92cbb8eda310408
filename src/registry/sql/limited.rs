use std::time::Duration;

use super::session::{Failure, Parameter};
use crate::problem::{Kind, Problem};
use crate::time_limit::within;

/// How long a server may take for an answer.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// A session with a server, which is given up when an answer takes too long.
pub struct Limited<S> {
    /// Nothing once it was given up.
    session: Option<S>,
    limit: Duration,
    /// The server, for messages.
    pub location: String,
}

impl<S: Send + 'static> Limited<S> {
    pub fn new(session: S, location: String) -> Self {
        Self { session: Some(session), limit: ANSWER_TIMEOUT, location }
    }

    /// The same, for statements that may wait for rows of others so long.
    pub fn waiting(self, timeout: Duration) -> Self {
        Self { limit: ANSWER_TIMEOUT.saturating_add(timeout), ..self }
    }

    /// Does something with the session.
    ///
    /// # Errors
    /// Those of `act`, and that the server does not answer in time.
    pub fn with<T: Send + 'static>(
        &mut self,
        act: impl FnOnce(&mut S) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.answer(act).unwrap_or_else(|| Err(silent(&self.location)))
    }

    /// The same; `None` without an answer.
    pub fn answer<T: Send + 'static>(
        &mut self,
        act: impl FnOnce(&mut S) -> Result<T, Failure> + Send + 'static,
    ) -> Option<Result<T, Failure>> {
        let mut session = self.session.take()?;
        let (session, result) = within(self.limit, move || {
            let result = act(&mut session);
            (session, result)
        })?;
        self.session = Some(session);
        Some(result)
    }
}

/// What it means that a server takes what it is sent and does not answer.
pub fn silent(location: &str) -> Failure {
    Failure::Final(Problem::new(
        Kind::Unavailable,
        format!("the server of the registry {location} does not answer in time"),
        "nothing was changed; check host and port in the URL, and that the server is not stuck".to_owned(),
    ))
}

/// A parameter that a thread can be left with.
pub enum Owned {
    Text(String),
    Integer(i64),
    Bytes(Vec<u8>),
}

impl Owned {
    pub fn borrowed(&self) -> Parameter<'_> {
        match self {
            Self::Text(text) => Parameter::Text(text),
            Self::Integer(number) => Parameter::Integer(*number),
            Self::Bytes(bytes) => Parameter::Bytes(bytes),
        }
    }
}

impl From<Parameter<'_>> for Owned {
    fn from(parameter: Parameter<'_>) -> Self {
        match parameter {
            Parameter::Text(text) => Self::Text(text.to_owned()),
            Parameter::Integer(number) => Self::Integer(number),
            Parameter::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
        }
    }
}
