//! A server that says what a test wants, also what no server should.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch},
    ipc::writer::StreamWriter,
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream, stream::BoxStream};
use prost::Message;
use tokio::{sync::Notify, time::sleep};
use tonic::{
    Request, Response, Status, body::Body, codegen::http, metadata::MetadataMap, server::Grpc, transport::Server,
};

use super::service::{Call, Pending, Serving};
use crate::{
    clients::{grpc::BytesCodec, runtime::runtime},
    offline::spark::messages::{
        AnalyzePlanResponse, ArrowBatch, Detail, ErrorInfo, ExecutePlanResponse, ResultComplete, RpcStatus,
        SparkVersion, execute_plan_response::ResponseType,
    },
};

/// A step of an answer in parts; an answer without more steps ends as if it were complete.
#[derive(Clone)]
pub(super) enum Step {
    Part(Box<ExecutePlanResponse>),
    Fail(Status),
    /// Nothing more comes until it is interrupted.
    Silence,
    /// Nothing comes for a while.
    Rest(Duration),
}

/// What was asked: the method, the message, and what was sent beside it.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) message: Bytes,
    pub(super) headers: MetadataMap,
}

impl Asked {
    pub(super) fn read<M: Message + Default>(&self) -> M {
        M::decode(self.message.clone()).unwrap()
    }
}

#[derive(Default)]
struct State {
    /// Answers in parts, each for one call.
    streams: VecDeque<Vec<Step>>,
    /// What methods answer, each for one call; else they answer nothing in particular.
    answers: Vec<(&'static str, Result<Bytes, Status>)>,
    asked: Vec<Asked>,
    interrupted: Arc<Notify>,
}

/// The server, which ends with this value.
pub(super) struct Fake {
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
    _serving: Serving,
}

impl Fake {
    /// A server that says it is Spark 4.3.0, with these answers in parts.
    pub(super) fn spark(streams: Vec<Vec<Step>>) -> Self {
        let version = AnalyzePlanResponse { spark_version: Some(SparkVersion { version: "4.3.0".to_owned() }) };
        Self::start(streams).with("AnalyzePlan", Ok(version.encode_to_vec().into()))
    }

    /// One that cannot say what it is.
    pub(super) fn other(streams: Vec<Vec<Step>>) -> Self {
        Self::start(streams).with("AnalyzePlan", Err(Status::internal("no version")))
    }

    fn start(streams: Vec<Vec<Step>>) -> Self {
        let state = Arc::new(Mutex::new(State { streams: streams.into(), ..State::default() }));
        let of_calls = Arc::clone(&state);
        let answer = move |request| answered(Arc::clone(&of_calls), request);
        let serving = Serving::start(runtime().unwrap(), Server::builder(), answer);
        Self { address: serving.address, state, _serving: serving }
    }

    /// The same, where a method answers so when it is asked next.
    pub(super) fn with(self, method: &'static str, answer: Result<Bytes, Status>) -> Self {
        self.state.lock().unwrap().answers.push((method, answer));
        self
    }

    /// What was asked until now.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    /// The methods that were asked after the session had begun.
    pub(super) fn methods(&self) -> Vec<String> {
        let asked = self.asked().into_iter().map(|asked| asked.method);
        asked.skip_while(|method| method != "Config").skip(1).collect()
    }

    /// All messages of a method.
    pub(super) fn messages<M: Message + Default>(&self, method: &str) -> Vec<M> {
        self.asked().iter().filter(|asked| asked.method == method).map(Asked::read).collect()
    }
}

/// Rows after so many others.
pub(super) fn rows(id: &str, offset: i64, values: &[i64]) -> Step {
    counted(id, (offset, i64::try_from(values.len()).unwrap()), values)
}

/// The same of a server that does not say how many come before.
pub(super) fn uncounted(id: &str, values: &[i64]) -> Step {
    batch(id, (None, i64::try_from(values.len()).unwrap()), values)
}

/// The same, of which the server says that there are some others.
pub(super) fn counted(id: &str, (offset, count): (i64, i64), values: &[i64]) -> Step {
    batch(id, (Some(offset), count), values)
}

fn batch(id: &str, (start_offset, row_count): (Option<i64>, i64), values: &[i64]) -> Step {
    let column = Arc::new(Int64Array::from(values.to_vec()));
    arrow_batch(id, (start_offset, row_count), &RecordBatch::try_from_iter([("id", column as _)]).unwrap())
}

/// All rows of an answer, with these columns.
pub(super) fn table(id: &str, columns: &[(&str, ArrayRef)]) -> Step {
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.iter().map(|(name, array)| (name, array.clone(), true)));
    let batch = batch.unwrap();
    arrow_batch(id, (Some(0), i64::try_from(batch.num_rows()).unwrap()), &batch)
}

fn arrow_batch(id: &str, (start_offset, row_count): (Option<i64>, i64), batch: &RecordBatch) -> Step {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    let data = writer.into_inner().unwrap().into();
    part(id, ResponseType::ArrowBatch(ArrowBatch { row_count, data, start_offset }))
}

/// The end of a whole answer.
pub(super) fn complete(id: &str) -> Step {
    part(id, ResponseType::ResultComplete(ResultComplete {}))
}

pub(super) fn part(id: &str, response_type: ResponseType) -> Step {
    Step::Part(Box::new(ExecutePlanResponse {
        response_id: id.to_owned(),
        server_side_session_id: "server-session".to_owned(),
        response_type: Some(response_type),
        ..ExecutePlanResponse::default()
    }))
}

/// An error as Spark sends it.
pub(super) fn error(message: &str, metadata: &[(&str, &str)]) -> Status {
    let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let info = ErrorInfo { reason: "org.apache.spark.SparkException".to_owned(), metadata };
    let detail =
        Detail { type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(), value: info.encode_to_vec() };
    let status = RpcStatus { details: vec![detail] };
    Status::with_details(tonic::Code::Internal, message, status.encode_to_vec().into())
}

fn answered(state: Arc<Mutex<State>>, request: http::Request<Body>) -> Pending<http::Response<Body>> {
    let method = request.uri().path().rsplit('/').next().unwrap().to_owned();
    Box::pin(async move {
        let mut grpc = Grpc::new(BytesCodec);
        match method.as_str() {
            "ExecutePlan" | "ReattachExecute" => {
                grpc.server_streaming(Call::new(move |request| parts(&state, &method, request)), request).await
            }
            _ => grpc.unary(Call::new(move |request| once(&state, &method, request)), request).await,
        }
    })
}

fn note(state: &mut State, method: &str, request: Request<Bytes>) {
    let (headers, _, message) = request.into_parts();
    state.asked.push(Asked { method: method.to_owned(), message, headers });
}

fn once(state: &Mutex<State>, method: &str, request: Request<Bytes>) -> Pending<Result<Response<Bytes>, Status>> {
    let mut state = state.lock().unwrap();
    note(&mut state, method, request);
    if method == "Interrupt" {
        state.interrupted.notify_one();
    }
    let found = state.answers.iter().position(|(answers, _)| *answers == method);
    let answer = found.map_or_else(|| Ok(Bytes::new()), |found| state.answers.remove(found).1);
    Box::pin(async move { answer.map(Response::new) })
}

type Parts = BoxStream<'static, Result<Bytes, Status>>;

fn parts(state: &Mutex<State>, method: &str, request: Request<Bytes>) -> Pending<Result<Response<Parts>, Status>> {
    let mut state = state.lock().unwrap();
    note(&mut state, method, request);
    let (steps, interrupted) = (state.streams.pop_front(), Arc::clone(&state.interrupted));
    Box::pin(async move {
        let steps = steps.ok_or_else(|| Status::internal("the test has no more answers"))?;
        let parts = stream::iter(steps).filter_map(move |step| {
            let interrupted = Arc::clone(&interrupted);
            async move {
                match step {
                    Step::Part(part) => Some(Ok(part.encode_to_vec().into())),
                    Step::Fail(status) => Some(Err(status)),
                    Step::Silence => {
                        interrupted.notified().await;
                        Some(Err(error("[OPERATION_CANCELED]", &[("errorClass", "OPERATION_CANCELED")])))
                    }
                    Step::Rest(duration) => {
                        sleep(duration).await;
                        None
                    }
                }
            }
        });
        Ok(Response::new(parts.boxed()))
    })
}
