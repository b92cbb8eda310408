use serde::Serialize;

use super::To;

/// What a push did. Its JSON form is described in `docs/push.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PushReport {
    /// Grows when a key is renamed or removed.
    pub format_version: u32,
    /// The project of the views.
    pub project: String,
    /// The push source.
    pub source: String,
    /// Where the rows were to go.
    pub to: To,
    /// How many rows there were.
    pub rows: u64,
    /// The views whose values are in the online store now.
    pub views: Vec<ViewReport>,
    /// What was sent to the feature server that has the online store; `None` if nothing was to be.
    pub sent: Option<Sent>,
    /// Views that the source feeds and that have got nothing.
    pub left_out: Vec<LeftOut>,
    /// What was added to the history; `None` if nothing was to be.
    pub added: Option<Added>,
    /// Columns of the rows that nobody has asked for.
    pub ignored_columns: Vec<String>,
}

impl PushReport {
    /// The version of the JSON form.
    pub const FORMAT_VERSION: u32 = 1;
}

/// What became of the rows in the online store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViewReport {
    /// The view.
    pub view: String,
    /// Rows that are stored now.
    pub written: u64,
    /// Rows that gave way to a newer one of their entity, in the store or among those that were pushed.
    pub older: u64,
    /// Values that are null because they are out of the range of their type.
    pub out_of_range: u64,
}

/// Rows that a feature server has stored. How many of them were newer than what it had, it does not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// The server, as messages call it.
    pub server: String,
    /// How many rows: the newest of each entity.
    pub rows: u64,
    /// The views that they are for.
    pub views: Vec<String>,
    /// Values that are null because they are out of the range of their type.
    pub out_of_range: u64,
}

/// A view that has got nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The view.
    pub view: String,
    /// Why, as a phrase after "because".
    pub reason: String,
}

/// Rows that are in the history now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Added {
    /// The source that has them.
    pub source: String,
    /// How many rows.
    pub rows: u64,
    /// The new files, from the repo's folder where they are in it.
    pub files: Vec<String>,
    /// The table they are in, if it is one of PostgreSQL.
    pub table: Option<String>,
    /// The offline server that has them, if one has the source.
    pub server: Option<String>,
}
