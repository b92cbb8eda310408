//! What all calls have in common: who asks, and how they end.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::http::{self, header::AUTHORIZATION};
use futures_util::Stream;
use tonic::{Response, Status, metadata::MetadataMap};

use super::status::status;
use crate::{
    app::Caller,
    problem::Problem,
    registry::remote::protocol::SERVICE,
    registry_server::{observe::Observed, service::tell_id, state::State},
};

/// A call of somebody who is known.
pub(super) struct Asked {
    pub(super) state: Arc<State>,
    pub(super) caller: Caller,
}

/// What is answered, in parts.
pub(super) type Answers<A> = Pin<Box<dyn Stream<Item = Result<A, Status>> + Send>>;

pub(super) type Pending<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// A call has come: who asks.
pub(super) async fn begun(
    state: &State,
    name: &'static str,
    metadata: MetadataMap,
) -> Result<(Observed, Caller), Status> {
    let headers = metadata.into_headers();
    let mut observed = Observed::begin(&state.observer, SERVICE, name, &headers);
    let tokens = headers.get_all(AUTHORIZATION).iter().map(http::HeaderValue::as_bytes);
    let caller = state.gate.caller(tokens).await;
    let caller = ended_badly(&mut observed, caller)?;
    Ok((observed, caller))
}

/// What comes of a call that has ended.
pub(super) fn ended<T>(observed: &mut Observed, result: Result<T, Problem>) -> Result<T, Status> {
    if result.is_ok() {
        observed.done();
    }
    ended_badly(observed, result)
}

/// The status of a call that has failed.
pub(super) fn ended_badly<T>(observed: &mut Observed, result: Result<T, Problem>) -> Result<T, Status> {
    result.map_err(|problem| {
        observed.failed(&problem);
        let mut status = status(&problem);
        tell_id(status.metadata_mut(), observed);
        status
    })
}

/// An answer with the id of its call.
pub(super) fn with_id<T>(answer: T, observed: &Observed) -> Response<T> {
    let mut response = Response::new(answer);
    tell_id(response.metadata_mut(), observed);
    response
}
