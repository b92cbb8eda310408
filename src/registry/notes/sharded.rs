//! Runs of several programs that are open, of each view at most one.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::note;
use crate::{
    model::{ShardedRun, Timestamp},
    registry::objects::Write,
};

const PREFIX: &str = "feastr.shards.";

/// The key of the note about a view.
pub(crate) fn key(view: &str) -> String {
    note::key(PREFIX, Sha256::digest(view))
}

/// Notes how far a run is.
pub fn put_sharded_run(run: &ShardedRun, now: Timestamp) -> Write {
    note::put(key(&run.view), run, now)
}

/// Removes the note, when the run or the view goes.
pub fn forget_sharded_run(view: &str) -> Write {
    Write::DeleteMetadata { key: key(view) }
}

/// Whether a note is about such a run.
pub(crate) fn is_sharded_run(key: &str) -> bool {
    key.starts_with(PREFIX)
}

/// The run of a view that is open, or was left.
pub fn sharded_run(metadata: &BTreeMap<String, String>, view: &str) -> Option<ShardedRun> {
    serde_json::from_str(metadata.get(&key(view))?).ok()
}

/// Those of all views.
pub fn sharded_runs(metadata: &BTreeMap<String, String>) -> Vec<ShardedRun> {
    note::read(metadata, PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Interval, RunCounts, ShardCounts};

    #[test]
    fn notes_read_back_and_fit_their_columns() {
        let at = Timestamp::from_micros(7_000_000);
        let counts = ShardCounts { written: 1 << 40, skipped: 1 << 40, out_of_range: 1 << 40, ties: 1 << 40 };
        let run = ShardedRun {
            id: "5f1f3e0c-1b1f-4c3a-9a44-0e0f6c1f7a10".to_owned(),
            view: "a name longer than the column: ".repeat(5),
            interval: Interval { start: at, end: at },
            folder: "s3://bucket/".to_owned() + &"folder/".repeat(100),
            shards: 256,
            overwrites: true,
            started: at,
            heard: at,
            by: "materialize of cron@ci-7 (pid 412)".to_owned(),
            counts: RunCounts::default(),
            done: (0..256).map(|shard| (shard, counts)).collect(),
            servers: (0..64).map(|server| (format!("redis-{server}.example:6379"), "0".repeat(40))).collect(),
        };
        let Write::PutMetadata { key, value, updated } = put_sharded_run(&run, at) else { panic!("no note") };
        assert!(key.len() <= 50 && value.len() < 40_000, "{} {}", key.len(), value.len());
        assert_eq!((forget_sharded_run(&run.view), updated), (Write::DeleteMetadata { key: key.to_string() }, 7));
        let metadata = BTreeMap::from([
            (key.into_owned(), value),
            ("feastr.shards.damaged".to_owned(), "{".to_owned()),
            ("feastr.stale.x".to_owned(), "1".to_owned()),
        ]);
        assert_eq!(sharded_run(&metadata, &run.view), Some(run.clone()));
        assert_eq!((sharded_run(&metadata, "another"), sharded_runs(&metadata)), (None, vec![run]));
    }
}
