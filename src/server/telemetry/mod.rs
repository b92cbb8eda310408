//! What a server tells of its requests: lines of a log, metrics, traces, who asked for what, and what was served of feature
//! services.

mod audit;
mod feature_logs;
mod log;
mod metrics;
mod observe;
mod otlp;
mod request;
mod seldom;

use std::{sync::Arc, time::Instant};

use axum::Router;

pub use self::log::{Log, LogFormat, LogLevel};
pub(super) use self::observe::{Observer, observe};
use self::{
    audit::AuditLine,
    feature_logs::FeatureLogs,
    metrics::{Metrics, Shape, expose},
    otlp::{Traces, send_metrics},
};
use super::settings::{Settings, TelemetrySettings};
use crate::{
    app::{Caller, FeatureStore},
    clients::runtime::blocking,
    problem::Problem,
    retrieval::FeatureRequest,
    serving::{Answer, RequestColumns},
};

/// What a server tells of its requests; nothing of what is not wanted.
#[derive(Default)]
pub(super) struct Telemetry {
    /// Counts and measures.
    pub(super) metrics: Option<Arc<Metrics>>,
    traces: Option<Traces>,
    feature_logs: Option<FeatureLogs>,
    audit_log: bool,
    access_log: bool,
}

impl Telemetry {
    /// What the settings want.
    ///
    /// # Errors
    /// When encryption to a collector cannot be set up, or the system gives no thread.
    pub(super) fn new(settings: &Settings, store: &Arc<FeatureStore>, caller: &Caller) -> Result<Self, Problem> {
        let TelemetrySettings { access_log, metrics, otlp } = &settings.telemetry;
        let config = &store.config().feature_server;
        let sends_metrics = otlp.as_ref().is_some_and(|otlp| otlp.metrics.is_some());
        let has_metrics = metrics.is_some() || sends_metrics;
        let metrics = has_metrics.then(|| Arc::new(Metrics::new(&config.metrics, store, caller)));
        let traces = otlp.as_ref().and_then(|otlp| Some((otlp, otlp.traces.as_ref()?)));
        let results = metrics.as_ref().map(|metrics| metrics.logged.clone()).unwrap_or_default();
        let logging = Some(&config.feature_logging).filter(|logging| logging.enabled);
        Ok(Self {
            metrics,
            traces: traces.map(|(otlp, url)| Traces::to(otlp, url)).transpose()?,
            feature_logs: logging
                .map(|logging| FeatureLogs::of(Arc::clone(store), caller.clone(), logging, &results))
                .transpose()?,
            audit_log: config.metrics.audit_logging,
            access_log: *access_log,
        })
    }

    /// What answers on the port of metrics, if there are any.
    pub(super) fn exposed(&self) -> Option<Router> {
        self.metrics.clone().map(expose)
    }

    /// Sends metrics to the collector of the settings, if they name one.
    ///
    /// # Errors
    /// When encryption cannot be set up.
    pub(super) fn sending(
        &self,
        settings: &Settings,
    ) -> Result<Option<impl Future<Output = ()> + Send + use<>>, Problem> {
        let otlp = settings.telemetry.otlp.as_ref();
        let (Some(otlp), Some(metrics)) = (otlp, &self.metrics) else { return Ok(None) };
        otlp.metrics.as_ref().map(|url| send_metrics(otlp, url, Arc::clone(metrics))).transpose()
    }

    /// Somebody asks for features.
    pub(super) fn asked(&self, features: &FeatureRequest, columns: &RequestColumns) -> OnlineRequest<'_> {
        if let Some(metrics) = &self.metrics {
            metrics.asked(columns.rows());
        }
        let audit = self.audit_log.then(|| (AuditLine::of(features, columns), Instant::now()));
        OnlineRequest { telemetry: self, audit }
    }

    /// Somebody was answered: takes what was served of a feature service for its log.
    pub(super) fn served(&self, features: &FeatureRequest, answer: Answer) {
        if let Some(logs) = &self.feature_logs {
            logs.take(features, answer);
        }
    }

    /// Sends and writes what waits, as long as the end of the server may take.
    pub(super) async fn end(self: Arc<Self>, settings: &Settings) {
        let longest = settings.end_limit;
        let ended = blocking(move || {
            if let Some(logs) = &self.feature_logs {
                logs.end();
            }
            if let Some(traces) = &self.traces {
                traces.end(longest);
            }
            Ok::<_, Problem>(())
        });
        // Who waits longer has a collector or a disk that does not answer.
        let _ = tokio::time::timeout(longest, ended).await;
    }
}

/// A request for features that is being answered; it has failed unless it is said that it was answered.
pub(super) struct OnlineRequest<'a> {
    telemetry: &'a Telemetry,
    audit: Option<(AuditLine, Instant)>,
}

impl OnlineRequest<'_> {
    /// It was answered so.
    pub(super) fn answered(mut self, answer: &Answer) -> Shape {
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
