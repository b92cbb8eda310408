//! What is told of every call: its id, a line of the log and its span.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};

use crate::{
    daemon::{
        CallObserver, ObservedCall,
        telemetry::{millis, request::RequestIds},
    },
    problem::Problem,
};

/// A call that is being answered; it was broken off unless it is said how it ended.
pub(super) struct Observed {
    call: ObservedCall,
    /// The remote procedure.
    rpc: &'static str,
}

impl Observed {
    /// A call has come.
    pub(super) fn begin(
        observer: &Arc<CallObserver>,
        service: &'static str,
        rpc: &'static str,
        headers: &HeaderMap,
    ) -> Self {
        Self { call: observer.begin(service, rpc, headers), rpc }
    }

    /// It was answered.
    pub(super) fn done(&mut self) {
        self.end("ok", StatusCode::OK);
    }

    /// It failed.
    pub(super) fn failed(&mut self, problem: &Problem) {
        let status = self.call.failed(self.rpc, problem);
        self.end("error", status);
    }

    /// The id of the call.
    pub(super) const fn ids(&self) -> &RequestIds {
        self.call.ids()
    }

    fn end(&mut self, how: &'static str, status: StatusCode) {
        let Some(took) = self.call.ended(status) else { return };
        if self.call.telemetry().access_log {
            tracing::debug!(request_id = self.ids().id(), status = how, millis = millis(took), "{}", self.rpc);
        }
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        self.end("broken off", StatusCode::BAD_REQUEST);
    }
}
