//! What is told of every call over gRPC, whatever it asks for: its id, its span, and why it failed.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, Method, StatusCode};

use super::telemetry::{
    RequestSpan, Seldom, Telemetry,
    request::{self, RequestIds},
};
use crate::problem::{Kind, Problem};

/// So often it is told at most that a store is away or late, or that somebody asks whom nobody knows.
const PAUSE: Duration = Duration::from_secs(1);

/// What observes the calls of a server.
pub(crate) struct CallObserver {
    telemetry: Arc<Telemetry>,
    failures: Seldom,
    /// Calls of whom nobody knows.
    unknown: Seldom,
}

/// A call that is being answered.
pub(crate) struct ObservedCall {
    observer: Arc<CallObserver>,
    ids: RequestIds,
    span: Option<RequestSpan>,
    began: Instant,
    has_ended: bool,
}

impl CallObserver {
    /// An observer that tells it so.
    pub(crate) fn new(telemetry: &Arc<Telemetry>) -> Arc<Self> {
        let seldom = || Seldom::after(PAUSE);
        Arc::new(Self { telemetry: Arc::clone(telemetry), failures: seldom(), unknown: seldom() })
    }

    /// A call of a remote procedure of a service has come.
    pub(crate) fn begin(self: &Arc<Self>, service: &str, rpc: &str, headers: &HeaderMap) -> ObservedCall {
        let parent = request::parent(headers);
        let span = self.telemetry.traces.as_ref().map(|traces| {
            let path = format!("/{service}/{rpc}");
            traces.begin(&parent, &Method::POST, Some(path.as_str()), &path)
        });
        let context = span.as_ref().map_or(parent, RequestSpan::context);
        let ids = RequestIds::of(headers).in_trace(&context);
        ObservedCall { observer: Arc::clone(self), ids, span, began: Instant::now(), has_ended: false }
    }
}

impl ObservedCall {
    /// Where it is told.
    pub(crate) fn telemetry(&self) -> &Telemetry {
        &self.observer.telemetry
    }

    /// The id of the call.
    pub(crate) const fn ids(&self) -> &RequestIds {
        &self.ids
    }

    /// Tells why what was asked for failed, as often as helps who reads it; the status that its span ends with.
    pub(crate) fn failed(&self, what: &str, problem: &Problem) -> StatusCode {
        let id = self.ids.id();
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
        match problem.kind {
            Kind::Internal | Kind::Unavailable | Kind::Deadline => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// It has ended; how long it took, the first time that this is said.
    pub(crate) fn ended(&mut self, status: StatusCode) -> Option<Duration> {
        if std::mem::replace(&mut self.has_ended, true) {
            return None;
        }
        if let Some(span) = self.span.take() {
            span.end(status, self.ids.id());
        }
        Some(self.began.elapsed())
    }
}
