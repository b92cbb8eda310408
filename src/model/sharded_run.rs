//! Materializations that several programs carry out side by side; Feast has nothing of the kind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{DAY, Interval, RunCounts, ShardsDone, Timestamp};

/// How long a run stays open without a sign of its shards, in microseconds.
const PATIENCE: i64 = DAY;

/// A materialization whose rows an engine has written to files, and that is done when all shards of these files are in the online
/// store. Until then it is open, and in the way of others of its view. Its JSON form is stored by registries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardedRun {
    /// Random; also that of the run in the history.
    pub id: String,
    /// The view.
    pub view: String,
    /// Which values are written.
    pub interval: Interval,
    /// The folder with the files, as the engine and the workers know it.
    pub folder: String,
    /// Into how many parts the work is divided.
    pub shards: u32,
    /// Whether stored values give way also where they are newer.
    pub overwrites: bool,
    /// When it began.
    pub started: Timestamp,
    /// When something was heard of it last.
    pub heard: Timestamp,
    /// Who began it.
    pub by: String,
    /// What was counted at the beginning.
    pub counts: RunCounts,
    /// The shards that are done, by their numbers from 0.
    pub done: BTreeMap<u32, ShardCounts>,
    /// The servers that have the values of these shards, with the names of their runs, where a store has such.
    pub servers: BTreeMap<String, String>,
}

/// What a shard did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ShardCounts {
    /// Rows whose values are now the stored ones.
    pub written: u64,
    /// Rows that gave way to newer stored values.
    pub skipped: u64,
    /// Values that became null because they do not fit their type.
    pub out_of_range: u64,
    /// Rows of the source that were as new as another one of their entity, and gave way to its values.
    pub ties: u64,
}

impl ShardedRun {
    /// Whether others have to wait for it: it has been heard of within a day.
    pub const fn is_open(&self, now: Timestamp) -> bool {
        now.minus(PATIENCE).micros() < self.heard.micros()
    }

    /// Notes that a shard is done, whose values these servers have, and gives the shards that have to be done again because a
    /// server was started again since.
    pub fn finish(
        &mut self,
        shard: u32,
        counts: ShardCounts,
        servers: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Vec<u32> {
        let forgot = self.servers.iter().any(|(server, run)| servers.get(server).is_none_or(|now| now != run));
        let forgotten = if forgot && !servers.is_empty() { std::mem::take(&mut self.done) } else { BTreeMap::new() };
        if !servers.is_empty() {
            self.servers.clone_from(servers);
        }
        self.done.insert(shard, counts);
        self.heard = now;
        forgotten.into_keys().filter(|other| *other != shard).collect()
    }

    /// How far it is.
    pub fn shards_done(&self) -> ShardsDone {
        ShardsDone { done: u32::try_from(self.done.len()).unwrap_or(u32::MAX), of: self.shards }
    }

    /// Whether all shards are done.
    pub fn is_complete(&self) -> bool {
        (0..self.shards).all(|shard| self.done.contains_key(&shard))
    }

    /// What was counted at the beginning and done by the shards since.
    pub fn total(&self) -> RunCounts {
        let mut total = self.counts;
        for shard in self.done.values() {
            total.written += shard.written;
            total.skipped += shard.skipped;
            total.out_of_range += shard.out_of_range;
            total.ties += shard.ties;
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> ShardedRun {
        let at = Timestamp::from_micros(0);
        ShardedRun {
            id: "r".to_owned(),
            view: "v".to_owned(),
            interval: Interval { start: at, end: at },
            folder: "f".to_owned(),
            shards: 3,
            overwrites: false,
            started: at,
            heard: at,
            by: "tests".to_owned(),
            counts: RunCounts { read: 9, ..RunCounts::default() },
            done: BTreeMap::new(),
            servers: BTreeMap::new(),
        }
    }

    fn servers(runs: &[(&str, &str)]) -> BTreeMap<String, String> {
        runs.iter().map(|(server, run)| ((*server).to_owned(), (*run).to_owned())).collect()
    }

    #[test]
    fn shards_come_in_any_order_and_twice() {
        let (mut run, now) = (run(), Timestamp::from_micros(5));
        let counts = ShardCounts { written: 2, skipped: 1, ..ShardCounts::default() };
        for shard in [2, 0, 2] {
            assert_eq!(run.finish(shard, counts, &BTreeMap::new(), now), [0; 0]);
        }
        assert_eq!((run.is_complete(), run.shards_done(), run.heard), (false, ShardsDone { done: 2, of: 3 }, now));
        run.finish(1, counts, &BTreeMap::new(), now);
        assert!(run.is_complete());
        assert_eq!(run.total(), RunCounts { read: 9, written: 6, skipped: 3, ..RunCounts::default() });
    }

    #[test]
    fn what_a_server_forgot_is_done_again() {
        let (mut run, now, counts) = (run(), Timestamp::from_micros(5), ShardCounts::default());
        assert_eq!(run.finish(0, counts, &servers(&[("a", "1"), ("b", "1")]), now), [0; 0]);
        assert_eq!(run.finish(1, counts, &servers(&[("a", "1"), ("b", "1"), ("c", "1")]), now), [0; 0]);
        assert_eq!(run.finish(2, counts, &servers(&[("a", "1"), ("b", "2"), ("c", "1")]), now), [0, 1]);
        assert!(!run.is_complete());
        // One that is replaced by another one may have taken values with it, too.
        assert_eq!(run.finish(0, counts, &servers(&[("a", "1"), ("d", "1"), ("c", "1")]), now), [2]);
        assert_eq!(run.finish(1, counts, &servers(&[("a", "1"), ("d", "1"), ("c", "1")]), now), [0; 0]);
        assert_eq!(run.finish(2, counts, &servers(&[("a", "1"), ("d", "1"), ("c", "1")]), now), [0; 0]);
        assert!(run.is_complete());
    }

    #[test]
    fn a_run_that_nobody_hears_of_is_in_nobodys_way() {
        let run = run();
        assert!(run.is_open(Timestamp::from_micros(DAY - 1)) && !run.is_open(Timestamp::from_micros(DAY)));
    }
}
