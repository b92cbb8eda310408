//! How a registry server is asked: the connection, who asks, limits of time, and what is asked again.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{Stream, StreamExt as _};
use prost::Message;
use tonic::{Status, Streaming, codegen::http::uri::PathAndQuery, metadata::MetadataMap, transport::Channel};
use tonic_prost::ProstCodec;

use super::{
    failure::{self, Failure},
    protocol::SERVICE,
};
use crate::{
    auth::login::{Token, Tokens},
    clients::{
        grpc::{self, Connecting, Connection, connect, within},
        runtime::wait,
    },
    config::RemoteRegistryConfig,
    problem::{Kind, Problem},
};

/// How long an answer, or the next part of one, is waited for.
pub(super) const ANSWER: Duration = Duration::from_secs(60);

/// How often connecting is tried again, so that a server may be restarted.
const RETRIES: u32 = 2;

/// The pause before what only reads is asked again that got no answer.
const PAUSE: Duration = Duration::from_millis(300);

/// The server.
pub(super) struct RegistryServer {
    config: RemoteRegistryConfig,
    name: String,
    tokens: Arc<Tokens>,
    /// Made with the first question.
    channel: Mutex<Option<Channel>>,
}

/// One who asks the server.
#[derive(Clone)]
pub(super) struct Asking(Connection);

impl RegistryServer {
    /// The server of these settings, which is told by `tokens` who asks. Nothing is opened yet.
    pub(super) fn new(config: RemoteRegistryConfig, tokens: Arc<Tokens>) -> Self {
        Self { name: format!("the registry server at {config}"), config, tokens, channel: Mutex::default() }
    }

    /// What messages call it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where it is, as the command line names it.
    pub(super) fn location(&self) -> String {
        self.config.shown()
    }

    /// Asks for something that changes nothing: once more if the server gives no answer, which may have been restarted.
    ///
    /// # Errors
    /// When the server is away, refuses, or answers something else.
    pub(super) fn read<T>(&self, ask: impl AsyncFn(Asking) -> Result<T, Status>) -> Result<T, Problem> {
        match self.ask(&ask) {
            Err(Unanswered::Lost(_)) => {
                std::thread::sleep(PAUSE);
                self.ask(&ask).map_err(Unanswered::problem)
            }
            result => result.map_err(Unanswered::problem),
        }
    }

    /// Asks for something once. A token that the server does not accept is got anew once.
    ///
    /// # Errors
    /// As for [`Self::read`]; and whether it is not known what the server has done.
    pub(super) fn ask<T>(&self, ask: impl AsyncFn(Asking) -> Result<T, Status>) -> Result<T, Unanswered> {
        wait(self.asked(ask))
    }

    /// One who asks, for those who wait themselves.
    ///
    /// # Errors
    /// When there is no token, or the server is away.
    pub(super) async fn asking(&self) -> Result<Asking, Problem> {
        let token = self.tokens.token().await?;
        self.asking_with(token.as_deref()).await
    }

    async fn asked<T>(&self, ask: impl AsyncFn(Asking) -> Result<T, Status>) -> Result<T, Unanswered> {
        let token = self.tokens.token().await?;
        let refused = match self.asked_with(token.as_deref(), &ask).await {
            Err(Failure::Unknown(said)) => said,
            result => return result.map_err(|failure| self.unanswered(failure, token.as_deref())),
        };
        let Some(first) = token else { return Err(self.tokens.not_accepted(&self.name, &refused, None).into()) };
        let Some(other) = self.tokens.instead_of(&first).await? else {
            return Err(self.tokens.not_accepted(&self.name, &refused, Some(&first)).into());
        };
        let result = self.asked_with(Some(&other), &ask).await;
        result.map_err(|failure| self.unanswered(failure, Some(&other)))
    }

    async fn asked_with<T>(
        &self,
        token: Option<&Token>,
        ask: &impl AsyncFn(Asking) -> Result<T, Status>,
    ) -> Result<T, Failure> {
        let asking = self.asking_with(token).await?;
        ask(asking).await.map_err(|status| failure::of(&self.name, &status))
    }

    async fn asking_with(&self, token: Option<&Token>) -> Result<Asking, Problem> {
        let mut headers = MetadataMap::new();
        if let Some(token) = token {
            let bearer = token.header().parse().map_err(|_| {
                let message = "the token cannot be sent: it has characters that no header may have";
                Problem::new(Kind::Invalid, message, None)
            })?;
            headers.insert("authorization", bearer);
        }
        Ok(Asking(Connection::new(self.channel().await?, headers)))
    }

    fn unanswered(&self, failure: Failure, token: Option<&Token>) -> Unanswered {
        match failure {
            Failure::Unknown(said) => self.tokens.not_accepted(&self.name, &said, token).into(),
            Failure::Denied(problem) => self.tokens.not_allowed(problem, token).into(),
            Failure::Lost(problem) => Unanswered::Lost(problem),
            Failure::Other(problem) => problem.into(),
        }
    }

    /// The connection, which finds its way back by itself once it was there.
    async fn channel(&self) -> Result<Channel, Problem> {
        let held = || self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = held().as_ref() {
            return Ok(channel.clone());
        }
        let connecting = Connecting {
            name: &self.name,
            url: &self.config.url(),
            setting: "`path` under `registry` in feature_store.yaml",
            authorities_setting: "`cert` under `registry` in feature_store.yaml",
            authorities: self.config.authorities.as_deref(),
            client: self.config.client.as_ref(),
            authority: self.config.authority.as_deref(),
            retries: RETRIES,
            pings: None,
        };
        let connected = connect(connecting).await?;
        // Somebody else may have been faster; one of both is enough.
        Ok(held().get_or_insert(connected).clone())
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The server does not do it.
    Refused(Problem),
    /// Whether the server has done it is not known.
    Lost(Problem),
}

impl Unanswered {
    /// What is wrong.
    pub(super) fn problem(self) -> Problem {
        match self {
            Self::Refused(problem) | Self::Lost(problem) => problem,
        }
    }
}

impl<P: Into<Problem>> From<P> for Unanswered {
    fn from(problem: P) -> Self {
        Self::Refused(problem.into())
    }
}

impl Asking {
    /// Asks once and gets one answer, within some time.
    pub(super) async fn unary<Q, A>(&self, method: Method<'_>, question: Q, limit: Duration) -> Result<A, Status>
    where
        Q: Message + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        let mut grpc = self.0.grpc().await?;
        let call = grpc.unary(self.0.request(question), method.path()?, ProstCodec::default());
        Ok(within(limit, call).await?.into_inner())
    }

    /// Asks once and gets an answer in parts.
    pub(super) async fn parts<Q, A>(
        &self,
        method: Method<'_>,
        question: Q,
        mut take: impl FnMut(A) -> Result<(), Status>,
    ) -> Result<(), Status>
    where
        Q: Message + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        let mut grpc = self.0.grpc().await?;
        let call = grpc.server_streaming(self.0.request(question), method.path()?, ProstCodec::default());
        let mut parts: Streaming<A> = within(ANSWER, call).await?.into_inner();
        while let Some(part) = within(ANSWER, parts.message()).await? {
            take(part)?;
        }
        Ok(())
    }

    /// Asks in parts and gets one answer, within some time after the last.
    pub(super) async fn upload<Q, A>(&self, method: Method<'_>, parts: Vec<Q>, limit: Duration) -> Result<A, Status>
    where
        Q: Message + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        let mut grpc = self.0.grpc().await?;
        let parts = futures_util::stream::iter(parts);
        let call = grpc.client_streaming(self.0.request(parts), method.path()?, ProstCodec::default());
        Ok(within(limit, call).await?.into_inner())
    }

    /// Asks, and is answered, for as long as both want it.
    pub(super) async fn talk<Q, A>(
        &self,
        method: Method<'_>,
        said: impl Stream<Item = Q> + Send + 'static,
    ) -> Result<Streaming<A>, Status>
    where
        Q: Message + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        let mut grpc = self.0.grpc().await?;
        let call = grpc.streaming(self.0.request(said.boxed()), method.path()?, ProstCodec::default());
        Ok(within(ANSWER, call).await?.into_inner())
    }
}

/// A method of a service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Method<'a> {
    /// The whole name of the service.
    pub(super) service: &'a str,
    /// The name of the method in it.
    pub(super) name: &'a str,
}

impl<'a> Method<'a> {
    /// A method of the service of feastr.
    pub(super) const fn own(name: &'a str) -> Self {
        Self { service: SERVICE, name }
    }

    fn path(self) -> Result<PathAndQuery, Status> {
        grpc::path(self.service, self.name)
    }
}
