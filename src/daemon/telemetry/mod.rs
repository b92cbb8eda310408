//! What a server tells of its requests: lines of a log, metrics, traces, who asked for what, and what was served of feature
//! services.

mod audit;
mod feature_logs;
pub(crate) mod log;
mod metrics;
mod otlp;
pub(crate) mod request;
mod seldom;
mod took;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::Router;
use tokio::time::timeout;

pub use self::log::{Log, LogFormat, LogLevel};
use self::{
    audit::AuditLine,
    feature_logs::FeatureLogs,
    metrics::{Metrics, Serves, expose},
    otlp::{MetricsSender, Traces},
    request::RequestIds,
};
pub(crate) use self::{
    audit::RetrievalLine,
    metrics::{Endpoints, IndexMetrics, Shape},
    otlp::RequestSpan,
    seldom::Seldom,
    took::millis,
};
use super::settings::TelemetrySettings;
use crate::{
    app::{AskedRows, Caller, FeatureStore},
    clients::runtime::blocking,
    problem::Problem,
    retrieval::FeatureRequest,
    serving::{Answer, RequestColumns},
};

/// What a server tells of its requests; nothing of what is not wanted.
#[derive(Default)]
pub(crate) struct Telemetry {
    /// Counts and measures.
    pub(crate) metrics: Option<Arc<Metrics>>,
    sender: Option<Arc<MetricsSender>>,
    /// Makes spans of requests.
    pub(crate) traces: Option<Traces>,
    feature_logs: Option<FeatureLogs>,
    audit_log: bool,
    /// Whether each request has a line in the log, if that much is said.
    pub(crate) access_log: bool,
}

impl Telemetry {
    /// What the settings want.
    ///
    /// # Errors
    /// When encryption to a collector cannot be set up, or the system gives no thread.
    pub(crate) fn new(
        settings: &TelemetrySettings,
        store: &Arc<FeatureStore>,
        caller: &Caller,
    ) -> Result<Self, Problem> {
        Self::of(settings, store, caller, Serves::Features)
    }

    /// The same for the server of the index of entities, which serves no features.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn of_entity_index(
        settings: &TelemetrySettings,
        store: &Arc<FeatureStore>,
        caller: &Caller,
    ) -> Result<Self, Problem> {
        Self::of(settings, store, caller, Serves::EntityIndex)
    }

    fn of(
        settings: &TelemetrySettings,
        store: &Arc<FeatureStore>,
        caller: &Caller,
        serves: Serves,
    ) -> Result<Self, Problem> {
        let TelemetrySettings { access_log, metrics, otlp } = settings;
        let config = &store.config().feature_server;
        let sends_metrics = otlp.as_ref().is_some_and(|otlp| otlp.metrics.is_some());
        let has_metrics = metrics.is_some() || sends_metrics;
        let metrics = has_metrics.then(|| Arc::new(Metrics::new(&config.metrics, store, caller, serves)));
        let otlp = otlp.as_ref();
        let traces = otlp.and_then(|otlp| Some((otlp, otlp.traces.as_ref()?)));
        let sender = otlp.and_then(|otlp| Some((otlp, otlp.metrics.as_ref()?, Arc::clone(metrics.as_ref()?))));
        let results = metrics.as_ref().map(|metrics| metrics.logged.clone()).unwrap_or_default();
        let logging = Some(&config.feature_logging).filter(|logging| logging.enabled && serves == Serves::Features);
        Ok(Self {
            metrics,
            sender: sender
                .map(|(otlp, url, metrics)| MetricsSender::to(otlp, url, metrics).map(Arc::new))
                .transpose()?,
            traces: traces.map(|(otlp, url)| Traces::to(otlp, url)).transpose()?,
            feature_logs: logging
                .map(|logging| FeatureLogs::of(Arc::clone(store), caller.clone(), logging, &results))
                .transpose()?,
            audit_log: config.metrics.audit_logging,
            access_log: *access_log,
        })
    }

    /// What answers on the port of metrics, if there are any.
    pub(crate) fn exposed(&self) -> Option<Router> {
        self.metrics.clone().map(expose)
    }

    /// Sends metrics now and then, as long as it is waited for, if they are to be sent.
    pub(crate) fn sending(&self) -> Option<impl Future<Output = ()> + Send + use<>> {
        let sender = self.sender.clone()?;
        Some(async move { sender.run().await })
    }

    /// Somebody asks for features.
    pub(crate) fn asked(
        &self,
        caller: &Caller,
        features: &FeatureRequest,
        columns: &RequestColumns,
    ) -> OnlineRequest<'_> {
        if let Some(metrics) = &self.metrics {
            metrics.asked(columns.rows());
        }
        let audit = self.audit_log.then(|| (AuditLine::of(caller, features, columns), Instant::now()));
        OnlineRequest { telemetry: self, audit }
    }

    /// Somebody asks for rows of the offline store: the line about it, if there is to be one.
    pub(crate) fn retrieving(&self, caller: &Caller, rows: &AskedRows, ids: &RequestIds) -> Option<RetrievalLine> {
        self.audit_log.then(|| RetrievalLine::of(caller, rows, ids))
    }

    /// Somebody was answered: takes what was served of a feature service for its log.
    pub(crate) fn served(&self, features: &FeatureRequest, answer: Answer) {
        if let Some(logs) = &self.feature_logs {
            logs.take(features, answer);
        }
    }

    /// Sends and writes what waits, for no longer than this.
    pub(crate) async fn end(self: Arc<Self>, longest: Duration) {
        let telemetry = Arc::clone(&self);
        let written = blocking(move || {
            if let Some(logs) = &telemetry.feature_logs {
                logs.end();
            }
            if let Some(traces) = &telemetry.traces {
                traces.end(longest);
            }
            Ok::<_, Problem>(())
        });
        let all = async {
            // Without a thread for it nothing waits.
            let _ = written.await;
            if let Some(sender) = &self.sender {
                sender.send().await;
            }
        };
        // Who waits longer has a collector or a disk that does not answer.
        let _ = timeout(longest, all).await;
    }
}

/// A request for features that is being answered; it has failed unless it is said that it was answered.
pub(crate) struct OnlineRequest<'a> {
    telemetry: &'a Telemetry,
    audit: Option<(AuditLine, Instant)>,
}

impl OnlineRequest<'_> {
    /// It was answered so.
    pub(crate) fn answered(mut self, answer: &Answer) -> Shape {
        if let Some(metrics) = &self.telemetry.metrics {
            metrics.answered(answer);
        }
        if let Some((line, _)) = &mut self.audit {
            line.answered(answer);
        }
        Shape { features: answer.columns.len() - answer.keys, views: answer.views.len() }
    }
}

impl Drop for OnlineRequest<'_> {
    fn drop(&mut self) {
        if let Some((line, began)) = self.audit.take() {
            line.write(began.elapsed());
        }
    }
}
