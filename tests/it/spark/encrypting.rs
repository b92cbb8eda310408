//! What stands before a server that encrypts nothing, and lets in who has a token, as clusters have it.

use std::path::PathBuf;

use bytes::Bytes;
use feastr::clients::{grpc::BytesCodec, runtime::runtime};
use futures_util::{StreamExt as _, stream::BoxStream};
use tonic::{
    Request, Response, Status, Streaming, client,
    codegen::http::uri::PathAndQuery,
    server::Grpc,
    transport::{Channel, Endpoint, Identity, Server, ServerTlsConfig},
};

use super::service::{Call, Pending, Serving};
use crate::servers::{server_certificate, spark::SparkServer};

/// What it lets clients in with.
pub const TOKEN: &str = "s3cret-of-proxy";

/// The proxy, which ends with this value.
pub struct Encrypting {
    folder: tempfile::TempDir,
    serving: Serving,
}

impl Encrypting {
    /// Before a server. Its certificate is for `localhost`.
    pub fn before(server: &SparkServer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        server_certificate(folder.path());
        let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
        let tls = ServerTlsConfig::new().identity(Identity::from_pem(read("server.crt"), read("server.key")));
        let (runtime, url) = (runtime().unwrap(), format!("http://127.0.0.1:{}", server.port));
        let channel = {
            let _inside = runtime.enter();
            Endpoint::from_shared(url).unwrap().connect_lazy()
        };
        let serving = Serving::start(runtime, Server::builder().tls_config(tls).unwrap(), move |request| {
            let (channel, path) = (channel.clone(), request.uri().path().parse::<PathAndQuery>().unwrap());
            let call = Call::new(move |asked| forwarded(channel.clone(), path.clone(), asked));
            Box::pin(async move { Grpc::new(BytesCodec).streaming(call, request).await })
        });
        Self { folder, serving }
    }

    /// The port of the proxy.
    pub fn port(&self) -> u16 {
        self.serving.address.port()
    }

    /// The authority behind its certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }
}

type Parts = BoxStream<'static, Result<Bytes, Status>>;

/// Hands a call on, if who asks has the token.
fn forwarded(
    channel: Channel,
    path: PathAndQuery,
    request: Request<Streaming<Bytes>>,
) -> Pending<Result<Response<Parts>, Status>> {
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
