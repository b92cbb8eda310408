//! What a feature server is, which has an online store behind it.
//!
//! It is no [`OnlineStore`](super::OnlineStore): it takes names of features and values of join keys instead of keys in
//! bytes, resolves services and computes on-demand features by itself, and answers no bytes of values. So it has a trait
//! of its own, and who reads and writes decides between the two before keys are encoded.

use std::{future::Future, pin::Pin, time::Instant};

use serde_json::Value as Json;

use crate::{model::Timestamp, problem::Problem};

/// A feature server, Feast's or that of feastr. It stays connected, and its requests share a limited number of connections.
pub trait FeatureServer: Send + Sync {
    /// What messages call it, with its address and without a password.
    fn name(&self) -> &str;

    /// Asks for features. It can be awaited on any executor of tokio; one that is dropped leaves nothing behind.
    ///
    /// # Errors
    /// When the server cannot answer, refuses to, or does not before the deadline.
    fn ask<'a>(&'a self, question: &'a Question, deadline: Instant) -> Asking<'a>;

    /// Writes rows to the views that a push source feeds, for as long as it takes within a limit.
    ///
    /// # Errors
    /// As those of [`Self::ask`]; then some of the rows may be stored.
    fn push(&self, source: &str, rows: SentRows) -> Result<(), Problem>;

    /// Lets the server materialize, and waits for that.
    ///
    /// # Errors
    /// When the server cannot do it, or refuses to; what is materialized by then stays.
    fn materialize(&self, work: &ServerWork<'_>) -> Result<(), Problem>;
}

/// A question that is asked.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Vec<ServedColumn>, Problem>> + Send + 'a>>;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Features, as `view:feature`.
    Features(Vec<String>),
    /// All of a service.
    Service(String),
}

/// A question about entities.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What is asked.
    pub asked: Asked,
    /// Whether names of features in the answer begin with the view's.
    pub full_feature_names: bool,
    /// Join keys and fields of requests, each with a value for every entity.
    pub entities: Vec<(String, Vec<Json>)>,
}

/// A column of an answer, with as many values as there are entities.
#[derive(Debug, Clone, PartialEq)]
pub struct ServedColumn {
    /// The name of the feature, or of the join key.
    pub name: String,
    /// The values, whose types JSON does not tell.
    pub values: Vec<Json>,
    /// How each stands, in Feast's words.
    pub statuses: Vec<String>,
    /// When each was so.
    pub events: Vec<Timestamp>,
}

/// Rows that are sent: columns by their names, all of one length.
pub type SentRows = Vec<(String, Vec<Json>)>;

/// What a server is to materialize.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerWork<'a> {
    /// The views; all of them if there are none.
    pub views: &'a [String],
    /// From when; `None` is where the server left each view.
    pub start: Option<Timestamp>,
    /// Until when.
    pub end: Timestamp,
}
