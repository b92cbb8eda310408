//! What stands before a server that encrypts nothing, and lets in who has a token, as clusters have it.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    path::PathBuf,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use feastr::clients::{grpc::BytesCodec, runtime::runtime};
use futures_util::{StreamExt as _, stream::BoxStream};
use tokio::task::JoinHandle;
use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    client,
    codegen::{Service, http, http::uri::PathAndQuery},
    server::{Grpc, NamedService},
    transport::{Channel, Endpoint, Identity, Server, ServerTlsConfig, server::TcpIncoming},
};

use crate::servers::{server_certificate, spark::SparkServer};

/// What it lets clients in with.
pub const TOKEN: &str = "s3cret-of-proxy";

/// The proxy, which ends with this value.
pub struct Encrypting {
    pub port: u16,
    folder: tempfile::TempDir,
    serving: JoinHandle<()>,
}

impl Encrypting {
    /// Before a server. Its certificate is for `localhost`.
    pub fn before(server: &SparkServer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        server_certificate(folder.path());
        let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
        let tls = ServerTlsConfig::new().identity(Identity::from_pem(read("server.crt"), read("server.key")));
        let runtime = runtime().unwrap();
        let _inside = runtime.enter();
        let address: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let incoming = TcpIncoming::bind(address).unwrap();
        let port = incoming.local_addr().unwrap().port();
        let channel = Endpoint::from_shared(format!("http://127.0.0.1:{}", server.port)).unwrap().connect_lazy();
        let serving = runtime.spawn(async move {
            let server = Server::builder().tls_config(tls).unwrap().add_service(Forward(channel));
            server.serve_with_incoming(incoming).await.unwrap();
        });
        Self { port, folder, serving }
    }

    /// The authority behind its certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }
}

impl Drop for Encrypting {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[derive(Clone)]
struct Forward(Channel);

type Pending<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl NamedService for Forward {
    const NAME: &'static str = "spark.connect.SparkConnectService";
}

impl Service<http::Request<Body>> for Forward {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pending<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let call = Call(self.0.clone(), request.uri().path().parse().unwrap());
        Box::pin(async move { Ok(Grpc::new(BytesCodec).streaming(call, request).await) })
    }
}

struct Call(Channel, PathAndQuery);

impl Service<Request<Streaming<Bytes>>> for Call {
    type Response = Response<BoxStream<'static, Result<Bytes, Status>>>;
    type Error = Status;
    type Future = Pending<Self::Response, Status>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let (channel, path) = (self.0.clone(), self.1.clone());
        Box::pin(async move {
            let token = request.metadata().get("authorization").and_then(|token| token.to_str().ok());
            if token != Some(&format!("Bearer {TOKEN}")) {
                return Err(Status::unauthenticated("no such token"));
            }
            let mut grpc = client::Grpc::new(channel);
            grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
            let said = request.into_inner().filter_map(|part| async { part.ok() });
            let answer = grpc.streaming(Request::new(said), path, BytesCodec).await?;
            Ok(Response::new(answer.into_inner().boxed()))
        })
    }
}
