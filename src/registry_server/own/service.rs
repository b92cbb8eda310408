//! From a call to who answers it.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use axum::http;
use futures_util::{StreamExt as _, stream};
use prost::Message;
use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::Service,
    server::{Grpc, NamedService},
};
use tonic_prost::ProstCodec;

use super::{
    answers,
    call::{Answers, Asked, Pending, begun, ended, with_id},
    changing, holding,
};
use crate::{
    problem::Problem,
    registry::remote::protocol::SERVICE,
    registry_server::{room::Work, service::carried_out, state::State},
};

/// The calls of the service.
#[derive(Clone)]
pub(in crate::registry_server) struct OwnCalls(pub(in crate::registry_server) Arc<State>);

impl NamedService for OwnCalls {
    const NAME: &'static str = SERVICE;
}

impl Service<http::Request<Body>> for OwnCalls {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pending<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let state = Arc::clone(&self.0);
        let name = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        match name.as_str() {
            "GetSnapshot" => answered(state, "GetSnapshot", request, answers::snapshot),
            "GetView" => answered(state, "GetView", request, answers::view),
            "ListNames" => answered(state, "ListNames", request, answers::names),
            "GetMark" => answered(state, "GetMark", request, answers::mark),
            "ListVersions" => answered(state, "ListVersions", request, answers::versions),
            "ListProjects" => answered(state, "ListProjects", request, answers::projects),
            "GetViewHolder" => answered(state, "GetViewHolder", request, answers::view_holder),
            "CreateRunLog" => answered(state, "CreateRunLog", request, answers::create_run_log),
            "RecordRun" => answered(state, "RecordRun", request, answers::record_run),
            "ListRuns" => answered(state, "ListRuns", request, answers::runs),
            "ListChanges" => answered(state, "ListChanges", request, answers::changes),
            "ForgetRuns" => answered(state, "ForgetRuns", request, answers::forget_runs),
            "Update" => {
                Box::pin(async move { Ok(grpc(&state).client_streaming(changing::Update(state), request).await) })
            }
            "HoldView" => Box::pin(async move { Ok(grpc(&state).streaming(holding::Hold(state), request).await) }),
            _ => {
                let status = Status::unimplemented(format!("there is no {name} in {SERVICE}"));
                Box::pin(std::future::ready(Ok(status.into_http())))
            }
        }
    }
}

fn grpc<A, Q>(state: &State) -> Grpc<ProstCodec<A, Q>>
where
    A: Message + Send + 'static,
    Q: Message + Default + Send + 'static,
{
    Grpc::new(ProstCodec::default()).apply_max_message_size_config(Some(state.message_limit), Some(usize::MAX))
}

/// What answers a question, in parts; it may wait for the registry.
type Answer<Q, A> = fn(&Asked, Q) -> Result<Vec<A>, Problem>;

/// The answer to a call that asks once. One part is the same to clients that want one answer.
fn answered<Q, A>(
    state: Arc<State>,
    name: &'static str,
    request: http::Request<Body>,
    answer: Answer<Q, A>,
) -> Pending<http::Response<Body>, Infallible>
where
    Q: Message + Default + Send + 'static,
    A: Message + Send + 'static,
{
    Box::pin(async move { Ok(grpc(&state).server_streaming(Call { state, name, answer }, request).await) })
}

/// A call that asks once.
struct Call<Q, A> {
    state: Arc<State>,
    name: &'static str,
    answer: Answer<Q, A>,
}

impl<Q, A> Service<Request<Q>> for Call<Q, A>
where
    Q: Message + Default + Send + 'static,
    A: Message + Send + 'static,
{
    type Response = Response<Answers<A>>;
    type Error = Status;
    type Future = Pending<Self::Response, Status>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let (state, name, answer) = (Arc::clone(&self.state), self.name, self.answer);
        Box::pin(async move {
            let (metadata, _, question) = request.into_parts();
            let (mut observed, caller) = begun(&state, name, metadata).await?;
            let asked = Asked { state: Arc::clone(&state), caller };
            let parts = carried_out(&state, Work::Reading, state.deadline, move || answer(&asked, question)).await;
            let parts = ended(&mut observed, parts)?;
            Ok(with_id(stream::iter(parts.into_iter().map(Ok)).boxed(), &observed))
        })
    }
}
