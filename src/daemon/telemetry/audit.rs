//! Who asked for what: a line of JSON for each request for features or rows, as Feast's logger `feast.audit` has it. Names and
//! counts, and never a value.

use std::{
    io::{self, Write as _},
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{
    request::{self, RequestIds},
    took::millis,
};
use crate::{
    app::{AskedRows, Caller},
    model::Timestamp,
    retrieval::FeatureRequest,
    serving::{Answer, RequestColumns},
};

/// What is known of a request for online features before it is answered.
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
        let views = named_views(features);
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
        self.latency_ms = millis(took);
        write(&self);
    }
}

/// What is known of a request for rows of the offline store before it is answered.
#[derive(Debug, Serialize)]
pub(crate) struct RetrievalLine {
    event: &'static str,
    timestamp: String,
    method: &'static str,
    start_time: String,
    end_time: String,
    feature_views: Vec<String>,
    feature_count: usize,
    row_count: usize,
    status: &'static str,
    duration_ms: f64,
    // What follows is not in Feast's.
    requestor_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    feature_service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_source: Option<String>,
    request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    logger: &'static str,
    #[serde(skip)]
    began: Instant,
}

impl RetrievalLine {
    pub(super) fn of(caller: &Caller, rows: &AskedRows, ids: &RequestIds) -> Self {
        let (feature_views, feature_count, feature_service, data_source) = match rows {
            AskedRows::Historical { features, .. } => {
                (named_views(features), features.selection.references.len(), features.selection.service.clone(), None)
            }
            AskedRows::Newest(columns) | AskedRows::All(columns) => {
                (Vec::new(), columns.features.len(), None, Some(columns.source.clone()))
            }
        };
        let now = Timestamp::now().to_string();
        Self {
            event: "offline_feature_retrieval",
            timestamp: now.clone(),
            method: "to_arrow",
            end_time: now.clone(),
            start_time: now,
            feature_views,
            feature_count,
            row_count: 0,
            status: "error",
            duration_ms: 0.0,
            requestor_id: requestor(caller),
            feature_service,
            data_source,
            request_id: ids.id().to_owned(),
            trace_id: ids.trace_id().map(str::to_owned),
            logger: "feast.audit",
            began: Instant::now(),
        }
    }

    /// Writes the line to standard error: whether all rows were sent, and how many.
    pub(crate) fn write(mut self, is_whole: bool, rows: usize) {
        self.end_time = Timestamp::now().to_string();
        self.timestamp.clone_from(&self.end_time);
        self.status = if is_whole { "success" } else { "error" };
        self.row_count = rows;
        self.duration_ms = millis(self.began.elapsed());
        write(&self);
    }
}

/// The views whose features are asked for by name, each once.
fn named_views(features: &FeatureRequest) -> Vec<String> {
    let mut views: Vec<String> = Vec::new();
    for reference in &features.selection.references {
        if !views.contains(&reference.view) {
            views.push(reference.view.clone());
        }
    }
    views
}

/// Writes a line to standard error, however little is said there otherwise.
fn write(line: &impl Serialize) {
    // It consists of texts and numbers, and nobody is left to tell when the stream is gone.
    let line = serde_json::to_string(line).unwrap_or_default() + "\n";
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Who asks; nobody is known where nobody is asked.
fn requestor(caller: &Caller) -> String {
    match caller {
        Caller::Operator(_) => "anonymous".to_owned(),
        Caller::Internal | Caller::User(_) => caller.to_string(),
    }
}
