//! A service of Spark Connect for tests, whose calls a function answers. It knows nothing of feastr: tests of the client take
//! it, and those of the whole program.

use std::{
    convert::Infallible,
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{runtime::Runtime, task::JoinHandle};
use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::{Service, http},
    server::NamedService,
    transport::{Server, server::TcpIncoming},
};

/// What comes later.
pub(super) type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A service on a free port of this machine, which ends with this value.
pub(super) struct Serving {
    pub(super) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Serving {
    /// Answers calls on a runtime, in the way that a server is set up.
    pub(super) fn start<F>(runtime: &Runtime, mut server: Server, answer: F) -> Self
    where
        F: Fn(http::Request<Body>) -> Pending<http::Response<Body>> + Clone + Send + Sync + 'static,
    {
        let _inside = runtime.enter();
        let incoming = TcpIncoming::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let address = incoming.local_addr().unwrap();
        let router = server.add_service(Calls(answer));
        let task = runtime.spawn(async move { router.serve_with_incoming(incoming).await.unwrap() });
        Self { address, task }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// All calls of the service.
#[derive(Clone)]
struct Calls<F>(F);

impl<F> NamedService for Calls<F> {
    const NAME: &'static str = "spark.connect.SparkConnectService";
}

impl<F> Service<http::Request<Body>> for Calls<F>
where
    F: Fn(http::Request<Body>) -> Pending<http::Response<Body>>,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pending<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let answer = (self.0)(request);
        Box::pin(async move { Ok(answer.await) })
    }
}

/// What answers a call.
type Answers<Q, A> = dyn FnMut(Request<Q>) -> Pending<Result<Response<A>, Status>> + Send;

/// One call, answered by a function.
pub(super) struct Call<Q, A>(Box<Answers<Q, A>>);

impl<Q, A> Call<Q, A> {
    /// A call that this function answers.
    pub(super) fn new(answer: impl FnMut(Request<Q>) -> Pending<Result<Response<A>, Status>> + Send + 'static) -> Self {
        Self(Box::new(answer))
    }
}

impl<Q, A> Service<Request<Q>> for Call<Q, A> {
    type Response = Response<A>;
    type Error = Status;
    type Future = Pending<Result<Response<A>, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        (self.0)(request)
    }
}
