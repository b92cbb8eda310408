//! What questions to a server have in common: over which connection they go, what is sent beside each of them, and how long
//! an answer is waited for.

use std::{future::Future, time::Duration};

use tokio::time::timeout;
use tonic::{
    Request, Status, client::Grpc, codegen::http::uri::PathAndQuery, metadata::MetadataMap, transport::Channel,
};

/// A connection to a server, and what is sent beside each question.
#[derive(Debug, Clone)]
pub struct Connection {
    channel: Channel,
    headers: MetadataMap,
}

impl Connection {
    /// A connection whose questions have these headers.
    pub const fn new(channel: Channel, headers: MetadataMap) -> Self {
        Self { channel, headers }
    }

    /// One who asks, once the connection takes a question.
    ///
    /// # Errors
    /// When it is lost and does not come back.
    pub async fn grpc(&self) -> Result<Grpc<Channel>, Status> {
        // What servers hold may be large in a single message; memory is taken as it comes.
        let mut grpc =
            Grpc::new(self.channel.clone()).max_decoding_message_size(usize::MAX).max_encoding_message_size(usize::MAX);
        grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
        Ok(grpc)
    }

    /// A question with its headers.
    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        *request.metadata_mut() = self.headers.clone();
        request
    }
}

/// The path of a method of a service, which is called by its whole name.
///
/// # Errors
/// When the names are none of a path.
pub fn path(service: &str, method: &str) -> Result<PathAndQuery, Status> {
    let path = format!("/{service}/{method}");
    path.parse().map_err(|_| Status::internal(format!("`{path}` is no path")))
}

/// What is waited for no longer than this.
///
/// # Errors
/// Those of the answer, or that there is none in time.
pub async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    let silent = |_| Status::deadline_exceeded(format!("there is no answer within {} s", limit.as_secs()));
    timeout(limit, answer).await.map_err(silent)?
}
