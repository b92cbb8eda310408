//! The service of gRPC: from a call to who answers it, and back.

use std::{
    convert::Infallible,
    future::{Future, ready},
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::ConnectInfo,
    http::{self, header::AUTHORIZATION},
};
use bytes::Bytes;
use tokio::time::timeout;
use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::Service,
    metadata::{MetadataMap, MetadataValue},
    server::{Grpc, NamedService},
};

use super::{asked::Asked, error, observe::Observed, room::Work, rpc::Rpc, state::State};
use crate::{
    app::{Caller, Failure},
    clients::{
        grpc::BytesCodec,
        runtime::{NoRuntime, blocking},
    },
    feast::registry_server::SERVICE,
    problem::{Kind, Problem},
};

/// The calls of Feast's service.
#[derive(Clone)]
pub(super) struct Calls(pub(super) Arc<State>);

type Pending<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl NamedService for Calls {
    const NAME: &'static str = SERVICE;
}

impl Service<http::Request<Body>> for Calls {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pending<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let name = request.uri().path().rsplit('/').next().unwrap_or_default();
        let Some(rpc) = Rpc::named(name) else {
            let message = format!("there is no {name} in {SERVICE}");
            return Box::pin(ready(Ok(Status::unimplemented(message).into_http())));
        };
        let state = Arc::clone(&self.0);
        Box::pin(async move {
            let mut grpc =
                Grpc::new(BytesCodec).apply_max_message_size_config(Some(state.message_limit), Some(usize::MAX));
            Ok(grpc.unary(Call { state, rpc }, request).await)
        })
    }
}

/// A call of one remote procedure.
struct Call {
    state: Arc<State>,
    rpc: &'static Rpc,
}

impl Service<Request<Bytes>> for Call {
    type Response = Response<Bytes>;
    type Error = Status;
    type Future = Pending<Response<Bytes>, Status>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let (state, rpc) = (Arc::clone(&self.state), self.rpc);
        Box::pin(async move {
            let (metadata, extensions, body) = request.into_parts();
            let address = address(&extensions);
            let headers = metadata.into_headers();
            let mut observed = Observed::begin(&state.observer, SERVICE, rpc.name, &headers);
            let tokens = headers.get_all(AUTHORIZATION).iter().map(http::HeaderValue::as_bytes);
            let answered = match state.gate.caller(tokens).await {
                Ok(caller) => answered(&state, (caller, address), rpc, body, observed.ids().id()).await,
                Err(problem) => Err(problem.into()),
            };
            match answered {
                Ok(answer) => {
                    observed.done();
                    let mut response = Response::new(answer);
                    tell_id(response.metadata_mut(), &observed);
                    Ok(response)
                }
                Err(failure) => {
                    let class = error::class(&failure, rpc.kind);
                    let problem = failure.into_problem();
                    observed.failed(&problem);
                    let mut status = error::status(&problem, class);
                    tell_id(status.metadata_mut(), &observed);
                    Err(status)
                }
            }
        })
    }
}

/// Where a client is.
pub(super) fn address(extensions: &tonic::Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
}

/// The answer to a call of somebody.
async fn answered(
    state: &Arc<State>,
    (caller, address): (Caller, Option<IpAddr>),
    rpc: &'static Rpc,
    body: Bytes,
    id: &str,
) -> Result<Bytes, Failure> {
    if rpc.is_quick(state, &body) {
        return (rpc.answer)(&Asked { state, caller: &caller, name: rpc.name, kind: rpc.kind, id, address }, &body);
    }
    let (of_call, id) = (Arc::clone(state), id.to_owned());
    let answer = move || {
        let asked = Asked { state: &of_call, caller: &caller, name: rpc.name, kind: rpc.kind, id: &id, address };
        (rpc.answer)(&asked, &body)
    };
    carried_out(state, rpc.work, state.deadline, answer).await
}

/// Carries out what waits for the registry, on a thread of its own, if there is room for it.
///
/// # Errors
/// Those of the work, that there is no room, and that it takes longer than the limit.
pub(super) async fn carried_out<T, E>(
    state: &State,
    work: Work,
    limit: Duration,
    act: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Problem> + From<NoRuntime> + Send + 'static,
{
    let answer = async {
        let place = state.room.place(work).await?;
        blocking(move || {
            // It is free when the call has ended, also where nobody waits for it any more.
            let _place = place;
            act()
        })
        .await
    };
    let late = || Err(Problem::new(Kind::Deadline, "the call takes longer than it may", None).into());
    timeout(limit, answer).await.unwrap_or_else(|_| late())
}

/// Gives the id of the call back.
pub(super) fn tell_id(metadata: &mut MetadataMap, observed: &Observed) {
    if let Ok(id) = MetadataValue::try_from(observed.ids().id()) {
        metadata.insert("x-request-id", id);
    }
}
