//! What is told of every call: its id, a line of the log, its metrics and its span.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::http::{Method, StatusCode};
use tonic::{Status, metadata::MetadataMap};

use super::error;
use crate::{
    app::{AskedRows, Caller},
    daemon::telemetry::{
        RequestSpan, RetrievalLine, Seldom, Telemetry,
        request::{self, RequestIds},
    },
    problem::{Kind, Problem},
};

/// So often it is told at most that a store is away or late, or that somebody asks whom nobody knows.
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
    /// What the command asks for, once it is known.
    api: Option<&'static str>,
    ids: RequestIds,
    span: Option<RequestSpan>,
    began: Instant,
    rows: usize,
    /// Who asked for what, if that is to be told.
    audit: Option<RetrievalLine>,
    has_ended: bool,
}

impl Observer {
    /// An observer that tells it so.
    pub(super) fn new(telemetry: &Arc<Telemetry>) -> Arc<Self> {
        let seldom = || Seldom::after(PAUSE);
        Arc::new(Self { telemetry: Arc::clone(telemetry), failures: seldom(), unknown: seldom() })
    }

    /// A call has come.
    pub(super) fn begin(self: &Arc<Self>, rpc: &'static str, metadata: &MetadataMap) -> Observed {
        let headers = metadata.clone().into_headers();
        let parent = request::parent(&headers);
        let path = format!("/arrow.flight.protocol.FlightService/{rpc}");
        let span = self.telemetry.traces.as_ref();
        let span = span.map(|traces| traces.begin(&parent, &Method::POST, Some(path.as_str()), &path));
        let context = span.as_ref().map_or(parent, RequestSpan::context);
        let ids = RequestIds::of(&headers).in_trace(&context);
        Observed {
            observer: Arc::clone(self),
            rpc,
            api: None,
            ids,
            span,
            began: Instant::now(),
            rows: 0,
            audit: None,
            has_ended: false,
        }
    }
}

impl Observed {
    /// It is this that the command asks for.
    pub(super) fn asks_for(&mut self, api: &'static str) {
        self.api = Some(api);
    }

    /// Somebody asks for rows.
    pub(super) fn retrieving(&mut self, caller: &Caller, rows: &AskedRows) {
        self.audit = self.observer.telemetry.retrieving(caller, rows, &self.ids);
    }

    /// Rows were sent, or taken.
    pub(super) fn sent(&mut self, rows: usize) {
        self.rows = self.rows.saturating_add(rows);
    }

    /// It was answered.
    pub(super) fn done(&mut self) {
        self.end("ok", StatusCode::OK);
    }

    /// It failed; the status that the client is told.
    pub(super) fn failed(&mut self, problem: &Problem) -> Status {
        let (what, id) = (self.api.unwrap_or(self.rpc), self.ids.id());
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
        error::status(problem)
    }

    /// It was refused with a status.
    pub(super) fn refused(&mut self, status: Status) -> Status {
        self.end("error", StatusCode::BAD_REQUEST);
        status
    }

    /// The id of the call.
    pub(super) fn id(&self) -> String {
        self.ids.id().to_owned()
    }

    fn end(&mut self, how: &'static str, status: StatusCode) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        let (took, Telemetry { metrics, access_log, .. }) = (self.began.elapsed(), &*self.observer.telemetry);
        if let (Some(metrics), Some(api)) = (metrics, self.api) {
            metrics.retrieved(api, how == "ok", self.rows, took);
        }
        if let Some(line) = self.audit.take() {
            line.write(how == "ok", self.rows);
        }
        if *access_log {
            let millis = (took.as_secs_f64() * 1e5).round() / 100.0;
            let what = self.api.unwrap_or_default();
            tracing::debug!(request_id = self.ids.id(), status = how, millis, rows = self.rows, "{} {what}", self.rpc);
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
