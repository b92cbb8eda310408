//! The collector: takes messages. While it is away they are lost, which is told once.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use prost::Message;
use url::Url;

use crate::{
    clients::{
        http::{Connecting, HttpClient},
        runtime::spawned,
    },
    config::{OtlpConfig, variables},
    problem::{Kind, Problem},
};

/// Where messages of one kind are sent.
pub(super) struct Collector {
    client: HttpClient,
    url: Url,
    /// What is sent: `traces`.
    what: &'static str,
    headers: Vec<(String, crate::config::Password)>,
    timeout: Duration,
    is_away: AtomicBool,
}

impl Collector {
    /// A collector, which is asked when there is something to send.
    ///
    /// # Errors
    /// When encryption cannot be set up.
    pub(super) fn new(config: &OtlpConfig, url: &Url, what: &'static str) -> Result<Self, Problem> {
        let client = HttpClient::new(Connecting {
            name: format!("the collector of {what} at {url}"),
            setting: variables::OTEL_EXPORTER_OTLP_ENDPOINT,
            authorities_setting: variables::OTEL_EXPORTER_OTLP_CERTIFICATE,
            authorities: config.authorities.as_deref(),
            is_verified: true,
            is_encrypted: url.scheme() == "https",
            pool_size: 1,
            idle_timeout: None,
            retries: 0,
        })?;
        let (headers, timeout) = (config.headers.clone(), config.timeout);
        Ok(Self { client, url: url.clone(), what, headers, timeout, is_away: AtomicBool::new(false) })
    }

    /// Sends a message, from any executor. Whether the collector has taken it.
    pub(super) async fn send(&self, message: &impl Message) -> bool {
        let mut request = self.client.post(self.url.as_str(), "application/x-protobuf", message.encode_to_vec());
        for (name, value) in &self.headers {
            request = request.header(name, &value.0);
        }
        let (client, timeout) = (self.client.clone(), self.timeout);
        let sent = spawned(async move { client.send(request, Some(Instant::now() + timeout)).await }).await;
        let taken = sent.and_then(|answer| {
            if answer.status.is_success() {
                return Ok(());
            }
            let message = format!("{} refuses them: {}", self.client.name(), answer.status);
            Err(Problem::new(Kind::Unavailable, message, None))
        });
        let was_away = self.is_away.swap(taken.is_err(), Ordering::Relaxed);
        match &taken {
            Err(problem) if !was_away => {
                tracing::warn!("{} are lost, and it is said when they are not any more: {problem}", self.what);
            }
            Ok(()) if was_away => tracing::info!("{} are sent again", self.what),
            Ok(()) | Err(_) => {}
        }
        taken.is_ok()
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("what", &self.what).finish_non_exhaustive()
    }
}
