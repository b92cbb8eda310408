//! Runs of materializations, as they are reported and remembered; Feast has nothing of the kind.

use serde::{Deserialize, Serialize};

use super::{Interval, Timestamp};

/// What is noted of the materialization of one view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Random.
    pub id: String,
    pub view: String,
    pub interval: Interval,
    pub started: Timestamp,
    /// Who ran it: `materialize of alice@ci-7 (pid 412)`.
    pub by: String,
    pub counts: RunCounts,
    #[serde(flatten)]
    pub state: RunState,
}

/// Numbers of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunCounts {
    /// Rows of the source in the interval.
    pub read: u64,
    /// Rows whose values are now the stored ones.
    pub written: u64,
    /// Rows that gave way to newer stored values.
    pub skipped: u64,
    /// Rows in the interval left out because a join key is null.
    pub without_key: u64,
    /// Rows of the source left out because they have no event time.
    #[serde(default)]
    pub without_time: u64,
    /// Values that became null because they do not fit their type.
    #[serde(default)]
    pub out_of_range: u64,
    /// Rows of the source later than the moment of writing, if they were looked for.
    #[serde(default)]
    pub future: u64,
    /// Rows that were as new as another one of their entity, and gave way to its values.
    #[serde(default)]
    pub ties: u64,
}

/// How far a run has come, as far as it could say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RunState {
    /// It goes on, or was cut off.
    Started,
    Done {
        finished: Timestamp,
    },
    Failed {
        finished: Timestamp,
        message: String,
    },
}
