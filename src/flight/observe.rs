//! What is told of every call: its id, a line of the log, its metrics and its span.

use std::sync::Arc;

use axum::http::StatusCode;
use tonic::{Status, metadata::MetadataMap};

use super::error;
use crate::{
    app::{AskedRows, Caller},
    daemon::{
        CallObserver, ObservedCall,
        telemetry::{RetrievalLine, Telemetry, millis},
    },
    problem::Problem,
};

/// A call that is being answered; it was broken off unless it is said how it ended.
pub(super) struct Observed {
    call: ObservedCall,
    /// The remote procedure.
    rpc: &'static str,
    /// What the command asks for, once it is known.
    api: Option<&'static str>,
    rows: usize,
    /// Who asked for what, if that is to be told.
    audit: Option<RetrievalLine>,
}

impl Observed {
    /// A call has come.
    pub(super) fn begin(observer: &Arc<CallObserver>, rpc: &'static str, metadata: &MetadataMap) -> Self {
        let call = observer.begin("arrow.flight.protocol.FlightService", rpc, &metadata.clone().into_headers());
        Self { call, rpc, api: None, rows: 0, audit: None }
    }

    /// It is this that the command asks for.
    pub(super) fn asks_for(&mut self, api: &'static str) {
        self.api = Some(api);
    }

    /// Somebody asks for rows.
    pub(super) fn retrieving(&mut self, caller: &Caller, rows: &AskedRows) {
        self.audit = self.call.telemetry().retrieving(caller, rows, self.call.ids());
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
        let status = self.call.failed(self.api.unwrap_or(self.rpc), problem);
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
        self.call.ids().id().to_owned()
    }

    fn end(&mut self, how: &'static str, status: StatusCode) {
        let Some(took) = self.call.ended(status) else { return };
        let Telemetry { metrics, access_log, .. } = self.call.telemetry();
        if let (Some(metrics), Some(api)) = (metrics, self.api) {
            metrics.retrieved(api, how == "ok", self.rows, took);
        }
        if *access_log {
            let (id, what) = (self.call.ids().id(), self.api.unwrap_or_default());
            tracing::debug!(
                request_id = id,
                status = how,
                millis = millis(took),
                rows = self.rows,
                "{} {what}",
                self.rpc
            );
        }
        if let Some(line) = self.audit.take() {
            line.write(how == "ok", self.rows);
        }
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        self.end("broken off", StatusCode::BAD_REQUEST);
    }
}
