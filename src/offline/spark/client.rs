//! How a server is asked: the connection, who asks, what is asked again when the connection is lost, and for how long.

use std::time::{Duration, Instant};

use prost::Message;
use tokio::time::sleep;
use tonic::{
    Streaming,
    metadata::{Ascii, MetadataKey, MetadataMap, MetadataValue},
};
use tonic_prost::ProstCodec;
use uuid::Uuid;

use super::{
    error::Refusal,
    messages::{FetchErrorDetailsRequest, UserContext},
};
use crate::{
    clients::grpc::{Connecting, Connection, connect, path, within},
    config::{SparkAddress, SparkConfig},
    problem::{Kind, Problem},
};

/// The whole name of the service.
const SERVICE: &str = "spark.connect.SparkConnectService";

/// How often connecting is tried again before the server has answered once.
const RETRIES: u32 = 2;

/// Servers before Spark 4.3 end a connection that brings more than one ping in five minutes.
const PINGS: Duration = Duration::from_secs(310);

/// How long short answers are waited for.
pub(super) const ANSWER: Duration = Duration::from_secs(60);

/// How long is waited for what is only polite.
const POLITE: Duration = Duration::from_secs(5);

/// A server, asked by one session.
pub(super) struct Client {
    name: String,
    connection: Connection,
    wait: Duration,
    /// The session in which everything is asked.
    pub(super) session: String,
    /// Whether others take part in it.
    pub(super) is_shared: bool,
    /// What the server notes as the program that asks.
    pub(super) agent: String,
    user: String,
}

impl Client {
    /// Connects to the server at an address.
    ///
    /// # Errors
    /// When it is not there or cannot prove who it is.
    pub(super) async fn connect(config: &SparkConfig, address: &SparkAddress) -> Result<Self, Problem> {
        let name = format!("the Spark Connect server at {address}");
        let connecting = Connecting {
            name: &name,
            url: &address.url(),
            setting: "`spark.remote` under `spark_conf` in feature_store.yaml (`use_ssl` says whether it encrypts), or \
                      SPARK_REMOTE",
            authorities_setting: "`ca_file` under `feastr.engine` in feature_store.yaml",
            authorities: config.access.authorities.as_deref(),
            client: None,
            authority: None,
            retries: RETRIES,
            pings: Some(PINGS),
        };
        let agent = format!("feastr/{} {}", env!("CARGO_PKG_VERSION"), address.agent.as_deref().unwrap_or_default());
        Ok(Self {
            connection: Connection::new(connect(connecting).await?, headers(address)?),
            wait: config.access.wait,
            session: address.session.unwrap_or_else(Uuid::new_v4).to_string(),
            is_shared: address.session.is_some(),
            agent: agent.trim_end().to_owned(),
            user: address.user.clone().unwrap_or_else(|| "feastr".to_owned()),
            name,
        })
    }

    /// What messages call the server.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Who asks.
    pub(super) fn user(&self) -> Option<UserContext> {
        Some(UserContext { user_id: self.user.clone(), user_name: self.user.clone() })
    }

    /// How long is waited for a connection that is lost.
    pub(super) fn patience(&self) -> Patience {
        Patience { wait: self.wait, since: None, pause: Patience::FIRST }
    }

    /// Asks for something that may be asked twice, again while the connection is lost.
    ///
    /// # Errors
    /// When the server refuses, or is away for too long.
    pub(super) async fn ask<Q, A>(
        &self,
        method: &'static str,
        question: Q,
        limit: Option<Duration>,
    ) -> Result<A, Refusal>
    where
        Q: Message + Clone + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        let mut patience = self.patience();
        loop {
            match self.ask_once(method, question.clone(), limit).await {
                Err(refusal) if refusal.is_lost() && patience.goes_on().await => {}
                Err(refusal) => return Err(self.told(refusal).await),
                Ok(answer) => return Ok(answer),
            }
        }
    }

    /// Tells the server something that it can do without.
    pub(super) async fn mention<Q, A>(&self, method: &'static str, said: Q) -> Option<A>
    where
        Q: Message + Clone + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        self.ask_once(method, said, Some(POLITE)).await.ok()
    }

    async fn ask_once<Q, A>(&self, method: &'static str, question: Q, limit: Option<Duration>) -> Result<A, Refusal>
    where
        Q: Message + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        let asked = async {
            let mut grpc = self.connection.grpc().await?;
            grpc.unary(self.connection.request(question), path(SERVICE, method)?, ProstCodec::default()).await
        };
        let answer = match limit {
            Some(limit) => within(limit, asked).await,
            None => asked.await,
        };
        answer.map(tonic::Response::into_inner).map_err(|status| Refusal::of(&status))
    }

    /// Asks for an answer in parts.
    ///
    /// # Errors
    /// When the server refuses or is away.
    pub(super) async fn begin<Q, A>(&self, method: &'static str, question: Q) -> Result<Streaming<A>, Refusal>
    where
        Q: Message + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        let asked = async {
            let mut grpc = self.connection.grpc().await?;
            let question = self.connection.request(question);
            grpc.server_streaming(question, path(SERVICE, method)?, ProstCodec::default()).await
        };
        asked.await.map(tonic::Response::into_inner).map_err(|status| Refusal::of(&status))
    }

    /// The refusal, with what the server tells of it beside.
    pub(super) async fn told(&self, refusal: Refusal) -> Refusal {
        let Some(error_id) = refusal.id.clone() else { return refusal };
        let question = FetchErrorDetailsRequest {
            session_id: self.session.clone(),
            user_context: self.user(),
            error_id,
            client_type: Some(self.agent.clone()),
        };
        match self.mention("FetchErrorDetails", question).await {
            Some(details) => refusal.with(details),
            None => refusal,
        }
    }
}

/// How long a connection that is lost is tried again, with pauses that grow.
pub(super) struct Patience {
    wait: Duration,
    since: Option<Instant>,
    pause: Duration,
}

impl Patience {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(15);

    /// Waits a little, unless it has waited long enough.
    pub(super) async fn goes_on(&mut self) -> bool {
        let since = *self.since.get_or_insert_with(Instant::now);
        let left = self.wait.saturating_sub(since.elapsed());
        if left.is_zero() {
            return false;
        }
        sleep(self.pause.min(left)).await;
        self.pause = (self.pause * 2).min(Self::LONGEST);
        true
    }

    /// The server is there again.
    pub(super) fn renew(&mut self) {
        (self.since, self.pause) = (None, Self::FIRST);
    }
}

fn headers(address: &SparkAddress) -> Result<MetadataMap, Problem> {
    let mut headers = MetadataMap::new();
    let token = address.token.as_ref().map(|token| ("authorization", format!("Bearer {}", token.0)));
    let others = address.headers.iter().map(|(name, value)| (name.as_str(), value.0.clone()));
    for (name, value) in token.into_iter().chain(others) {
        let unfit = || {
            let message =
                format!("the header `{name}` for Spark cannot be sent: it has characters that no header may have");
            Problem::new(Kind::Invalid, message, None)
        };
        let key: MetadataKey<Ascii> = name.parse().map_err(|_| unfit())?;
        let mut value: MetadataValue<Ascii> = value.parse().map_err(|_| unfit())?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}
