//! Who asks, found out before anything else of a request is looked at. A handler has a caller for its use case only by this.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{header::AUTHORIZATION, request::Parts},
};

use tokio::time::timeout;

use super::{error::Error, state::State};
use crate::{
    app::Caller,
    problem::{Kind, Problem},
};

/// Who asks.
pub(super) struct Asker(pub(super) Caller);

impl FromRequestParts<Arc<State>> for Asker {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<State>) -> Result<Self, Error> {
        let headers = parts.headers.get_all(AUTHORIZATION).iter().map(|value| value.as_bytes());
        let caller = timeout(state.deadline, state.gate.caller(headers)).await.map_err(|_| Error::late())?;
        let unknown = |problem: Problem| match problem.kind {
            Kind::Unauthenticated => Error::Unknown(problem),
            _ => problem.into(),
        };
        Ok(Self(caller.map_err(unknown)?))
    }
}
