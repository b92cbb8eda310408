//! A client that sends what it is told to, whether it makes sense or not.

use std::time::Duration;

use bytes::Bytes;
use feastr::{clients::grpc::BytesCodec, feast::registry_server as wire};
use prost::Message;
use tokio::runtime::Runtime;
use tonic::{
    Request, Status,
    client::Grpc,
    codegen::http::uri::PathAndQuery,
    transport::{Channel, Endpoint},
};

use crate::servers::grpc::GrpcServer;

/// A client with a connection.
pub struct Client {
    runtime: Runtime,
    channel: Channel,
    token: Option<String>,
}

impl Client {
    /// A client of a server.
    pub fn of(server: &GrpcServer<'_>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
        let channel = runtime.block_on(endpoint.connect()).unwrap();
        Self { runtime, channel, token: None }
    }

    /// The same client, which says who it is.
    pub fn with_token(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    /// Calls a procedure with the bytes of a request.
    pub fn call(&self, rpc: &str, request: impl Into<Bytes>) -> Result<Bytes, Status> {
        self.call_of(wire::SERVICE, rpc, request)
    }

    /// The same of another service.
    pub fn call_of(&self, service: &str, rpc: &str, request: impl Into<Bytes>) -> Result<Bytes, Status> {
        let mut request = Request::new(request.into());
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        let path = PathAndQuery::try_from(format!("/{service}/{rpc}")).unwrap();
        self.runtime.block_on(async {
            let mut grpc = Grpc::new(self.channel.clone()).max_decoding_message_size(usize::MAX);
            grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
            Ok(grpc.unary(request, path, BytesCodec).await?.into_inner())
        })
    }

    /// The same with a request.
    pub fn ask(&self, rpc: &str, request: &impl Message) -> Result<Bytes, Status> {
        self.call(rpc, request.encode_to_vec())
    }

    /// One object of a project, as it is now.
    pub fn get(&self, rpc: &str, project: &str, name: &str) -> Result<Bytes, Status> {
        self.ask(rpc, &wire::Get { name: name.to_owned(), project: project.to_owned(), allow_cache: false })
    }

    /// Puts an object into a project.
    pub fn apply(&self, rpc: &str, project: &str, object: &impl Message) -> Result<Bytes, Status> {
        let object = object.encode_to_vec().into();
        self.ask(rpc, &wire::Apply { object, project: project.to_owned(), commit: true })
    }

    /// Removes an object of a project.
    pub fn delete(&self, rpc: &str, project: &str, name: &str) -> Result<Bytes, Status> {
        self.ask(rpc, &wire::Delete { name: name.to_owned(), project: project.to_owned(), commit: true })
    }

    /// The entries of a list, and where they are among all.
    pub fn list(&self, rpc: &str, request: &impl Message) -> Result<(Vec<Bytes>, wire::PageInfo), Status> {
        let answer = self.ask(rpc, request)?;
        Ok(listed(&answer))
    }
}

/// A client that asks, and then does nothing any more: its connection is there as long as what comes back.
pub fn stalled(server: &GrpcServer<'_>, rpc: &str, request: &impl Message) -> Runtime {
    /// Long enough to ask, and too short for a long answer.
    const AWAKE: Duration = Duration::from_millis(60);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    let path = PathAndQuery::try_from(format!("/{}/{rpc}", wire::SERVICE)).unwrap();
    let request = Request::new(Bytes::from(request.encode_to_vec()));
    runtime.block_on(async {
        let channel = endpoint.connect().await.unwrap();
        tokio::spawn(async move {
            let mut grpc = Grpc::new(channel).max_decoding_message_size(usize::MAX);
            grpc.ready().await.unwrap();
            let _ = grpc.unary(request, path, BytesCodec).await;
        });
        tokio::time::sleep(AWAKE).await;
    });
    runtime
}

/// The entries of an answer with a list, and where they are among all.
pub fn listed(answer: &[u8]) -> (Vec<Bytes>, wire::PageInfo) {
    let List { entries, page } = List::decode(answer).unwrap();
    (entries, page.unwrap())
}

/// Any answer with a list.
#[derive(Clone, PartialEq, Message)]
struct List {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    entries: Vec<Bytes>,
    #[prost(message, optional, tag = "2")]
    page: Option<wire::PageInfo>,
}

/// All objects of a project.
pub fn all(project: &str) -> wire::ListObjects {
    wire::ListObjects { project: project.to_owned(), ..wire::ListObjects::default() }
}
