//! Who asked for what: a line of JSON for each request for features, as Feast's logger `feast.audit` has it. Names and counts,
//! and never a value.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use serde::Serialize;

use super::request;
use crate::{
    app::Caller,
    model::Timestamp,
    retrieval::FeatureRequest,
    serving::{Answer, RequestColumns},
};

/// What is known of a request before it is answered.
#[derive(Debug, Serialize)]
pub(super) struct AuditLine {
    event: &'static str,
    timestamp: String,
    requestor_id: String,
    entity_keys: Vec<String>,
    entity_count: usize,
    feature_views: Vec<String>,
    feature_count: usize,
    status: &'static str,
    latency_ms: f64,
    // What follows is not in Feast's.
    #[serde(skip_serializing_if = "Option::is_none")]
    feature_service: Option<String>,
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    logger: &'static str,
}

impl AuditLine {
    /// The line of a request that has failed, until it is answered.
    pub(super) fn of(caller: &Caller, features: &FeatureRequest, columns: &RequestColumns) -> Self {
        let mut views: Vec<String> = Vec::new();
        for reference in &features.selection.references {
            if !views.contains(&reference.view) {
                views.push(reference.view.clone());
            }
        }
        Self {
            event: "online_feature_request",
            timestamp: Timestamp::now().to_string(),
            requestor_id: requestor(caller),
            entity_keys: columns.names().map(str::to_owned).collect(),
            entity_count: columns.rows(),
            feature_views: views,
            feature_count: features.selection.references.len(),
            status: "error",
            latency_ms: 0.0,
            feature_service: features.selection.service.clone(),
            request_id: request::current(|request| request.id().to_owned()),
            trace_id: request::current(|request| request.trace_id().map(str::to_owned)).flatten(),
            logger: "feast.audit",
        }
    }

    /// It was answered so.
    pub(super) fn answered(&mut self, answer: &Answer) {
        self.feature_views = answer.views.iter().map(|view| view.name.to_string()).collect();
        self.feature_count = answer.columns.len() - answer.keys;
        self.status = "success";
    }

    /// Writes the line to standard error, however little is said there otherwise.
    pub(super) fn write(mut self, took: Duration) {
        self.latency_ms = (took.as_secs_f64() * 1e5).round() / 100.0;
        // It consists of texts and numbers, and nobody is left to tell when the stream is gone.
        let line = serde_json::to_string(&self).unwrap_or_default() + "\n";
        let _ = io::stderr().write_all(line.as_bytes());
    }
}

/// Who asks; nobody is known where nobody is asked.
fn requestor(caller: &Caller) -> String {
    match caller {
        Caller::Operator(_) => "anonymous".to_owned(),
        Caller::Internal | Caller::User(_) => caller.to_string(),
    }
}
