//! What is told of every call: its id, a line of the log, its metrics and its span.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, Method, StatusCode};

use crate::{
    daemon::telemetry::{
        RequestSpan, Seldom, Telemetry,
        request::{self, RequestIds},
    },
    problem::{Kind, Problem},
};

/// So often it is told at most that the registry is away or late, or that somebody asks whom nobody knows.
const PAUSE: Duration = Duration::from_secs(1);

/// What observes the calls of a server.
pub(super) struct Observer {
    telemetry: Arc<Telemetry>,
    failures: Seldom,
    /// Calls of whom nobody knows.
    unknown: Seldom,
}

/// A call that is being answered; it was broken off unless it is said how it ended.
pub(super) struct Observed {
    observer: Arc<Observer>,
    /// The remote procedure.
    rpc: &'static str,
    ids: RequestIds,
    span: Option<RequestSpan>,
    began: Instant,
    has_ended: bool,
}

impl Observer {
    /// An observer that tells it so.
    pub(super) fn new(telemetry: &Arc<Telemetry>) -> Arc<Self> {
        let seldom = || Seldom::after(PAUSE);
        Arc::new(Self { telemetry: Arc::clone(telemetry), failures: seldom(), unknown: seldom() })
    }

    /// A call has come.
    pub(super) fn begin(self: &Arc<Self>, service: &'static str, rpc: &'static str, headers: &HeaderMap) -> Observed {
        let parent = request::parent(headers);
        let span = self.telemetry.traces.as_ref().map(|traces| {
            let path = format!("/{service}/{rpc}");
            traces.begin(&parent, &Method::POST, Some(path.as_str()), &path)
        });
        let context = span.as_ref().map_or(parent, RequestSpan::context);
        let ids = RequestIds::of(headers).in_trace(&context);
        Observed { observer: Arc::clone(self), rpc, ids, span, began: Instant::now(), has_ended: false }
    }
}

impl Observed {
    /// It was answered.
    pub(super) fn done(&mut self) {
        self.end("ok", StatusCode::OK);
    }

    /// It failed.
    pub(super) fn failed(&mut self, problem: &Problem) {
        let (what, id) = (self.rpc, self.ids.id());
        match problem.kind {
            Kind::Internal => tracing::error!(request_id = id, "{what}: {problem}"),
            Kind::Unavailable | Kind::Deadline => {
                if let Some(times) = self.observer.failures.happened(1) {
                    tracing::warn!(request_id = id, times, "{what}: {problem}");
                }
            }
            // Anybody can send what is no token, and as often as they like.
            Kind::Unauthenticated => {
                if let Some(times) = self.observer.unknown.happened(1) {
                    tracing::info!(request_id = id, times, "{what}: {problem}");
                }
            }
            // Each denial is told, with who, what and why.
            Kind::Denied => tracing::warn!(request_id = id, "{what}: {problem}"),
            _ => {}
        }
        let status = match problem.kind {
            Kind::Internal | Kind::Unavailable | Kind::Deadline => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        self.end("error", status);
    }

    /// The id of the call.
    pub(super) const fn ids(&self) -> &RequestIds {
        &self.ids
    }

    fn end(&mut self, how: &'static str, status: StatusCode) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        if self.observer.telemetry.access_log {
            let millis = (self.began.elapsed().as_secs_f64() * 1e5).round() / 100.0;
            tracing::debug!(request_id = self.ids.id(), status = how, millis, "{}", self.rpc);
        }
        if let Some(span) = self.span.take() {
            span.end(status, self.ids.id());
        }
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        self.end("broken off", StatusCode::BAD_REQUEST);
    }
}
