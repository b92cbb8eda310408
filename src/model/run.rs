//! Runs of materializations, as they are reported and remembered; Feast has nothing of the kind.

use serde::{Deserialize, Serialize};

use super::{Interval, Timestamp};

/// What is noted of the materialization of one view. Its JSON form is stored by registries and read by later and
/// earlier versions: fields that a version does not know are ignored, and fields that came later have a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Random.
    pub id: String,
    /// The view that was materialized.
    pub view: String,
    /// Which values were written.
    pub interval: Interval,
    /// When it began.
    pub started: Timestamp,
    /// Who ran it: `materialize of alice@ci-7 (pid 412)`.
    pub by: String,
    /// What it did so far, or in all.
    pub counts: RunCounts,
    /// How far its shards are, if it has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<ShardsDone>,
    /// Whether it goes on, and else how it ended.
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

/// How many of a run's shards are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardsDone {
    /// Those that are.
    pub done: u32,
    /// All of them.
    pub of: u32,
}

/// How far a run has come, as far as it could say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RunState {
    /// It goes on, or was cut off.
    Started,
    /// It came to its end.
    Done {
        /// When it did.
        finished: Timestamp,
    },
    /// It ended with an error.
    Failed {
        /// When it did.
        finished: Timestamp,
        /// What was wrong.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the first feastr with a history wrote it.
    const OLD: &str = r#"{"id":"1","view":"stats","interval":{"start":"2024-01-01T00:00:00Z","end":"2024-01-02T00:00:00Z"},
        "started":"2024-01-02T00:00:01Z","by":"materialize of cron","counts":{"read":5,"written":3,"skipped":1,
        "without_key":1},"state":"done","finished":"2024-01-02T00:00:02Z"}"#;

    #[test]
    fn records_of_older_and_newer_versions_are_read() {
        let old: RunRecord = serde_json::from_str(OLD).unwrap();
        let at = |seconds: i64| Timestamp::from_micros((1_704_153_600 + seconds) * 1_000_000);
        assert_eq!(old.interval, Interval { start: at(-86_400), end: at(0) });
        assert_eq!(old.counts, RunCounts { read: 5, written: 3, skipped: 1, without_key: 1, ..RunCounts::default() });
        assert_eq!(old.state, RunState::Done { finished: at(2) });
        let mut newer: serde_json::Value = serde_json::from_str(OLD).unwrap();
        newer["machine"] = "ci-7".into();
        newer["counts"]["deleted"] = 7.into();
        assert_eq!(serde_json::from_value::<RunRecord>(newer).unwrap(), old);
    }
}
