use serde::Serialize;

use crate::{
    model::{ForeignObject, Interval, RunCounts, ShardCounts, ShardsDone, Timestamp},
    problem::Problem,
};

/// The outcome of a run. Its JSON form is described in `docs/run-report.md`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunReport {
    /// Grows when a key is renamed or removed.
    pub format_version: u32,
    /// The project of the views.
    pub project: String,
    /// Who ran it: `materialize of alice@ci-7 (pid 412)`.
    pub by: String,
    /// When the run began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// The outcome of each view.
    pub views: Vec<ViewReport>,
    /// Views of the project that were left out because feastr cannot materialize them.
    pub left_out: Vec<ForeignObject>,
}

impl RunReport {
    /// The version of the JSON form.
    pub const FORMAT_VERSION: u32 = 1;

    /// Why not all views are as they should be: of the kind of the first one that failed, with the words of all.
    pub fn problem(&self) -> Option<Problem> {
        let failed: Vec<(&str, &Problem)> = self
            .views
            .iter()
            .filter_map(|view| match &view.outcome {
                Outcome::Failed(problem) => Some((view.view.as_str(), problem)),
                Outcome::Done | Outcome::Open(_) | Outcome::NotStarted => None,
            })
            .collect();
        let (_, first) = failed.first()?;
        let each: Vec<String> = failed.iter().map(|(view, problem)| format!("view `{view}`: {problem}")).collect();
        Some(Problem { message: each.join("; "), ..(*first).clone() })
    }

    /// The number of views that are not as they should be.
    pub fn failed(&self) -> usize {
        self.views.iter().filter(|view| !view.outcome.is_right()).count()
    }
}

/// A run that is left to workers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenShards {
    /// What it is called.
    pub run: String,
    /// The folder with the files.
    pub folder: String,
    /// How many files there are.
    pub files: usize,
    /// Into how many parts the work is divided.
    pub shards: u32,
}

/// What became of a shard of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShardReport {
    /// The run.
    pub run: String,
    /// The view.
    pub view: String,
    /// Which values are written by all shards.
    pub interval: Interval,
    /// The shard, from 0.
    pub shard: u32,
    /// The files that were read.
    pub files: usize,
    /// What was written of them.
    #[serde(flatten)]
    pub counts: ShardCounts,
    /// How long it took.
    pub seconds: f64,
    /// How far the run is.
    pub shards: ShardsDone,
    /// Whether the run is done: all shards are stored, and the interval is recorded.
    pub complete: bool,
    /// Shards that have to be written again because the store may have forgotten them.
    pub again: Vec<u32>,
}

impl Outcome {
    /// Whether it is as it should be.
    pub(super) const fn is_right(&self) -> bool {
        matches!(self, Self::Done | Self::Open(_))
    }
}

/// The outcome of one view.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ViewReport {
    /// The view.
    pub view: String,
    /// What was to be written; if the start is unknown, it equals the end.
    pub interval: Interval,
    /// What was read and written in all.
    #[serde(flatten)]
    pub counts: RunCounts,
    /// How long it took.
    pub seconds: f64,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The parts whose values and intervals are stored.
    pub chunks: Vec<ChunkReport>,
    /// Until when the view is materialized, by this run or before; `None` if it never was.
    pub materialized_until: Option<Timestamp>,
}

/// One part of a view's interval, whose values are in the online store and which is recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChunkReport {
    /// Which values were written.
    pub interval: Interval,
    /// What was read and written.
    #[serde(flatten)]
    pub counts: RunCounts,
    /// How long it took.
    pub seconds: f64,
}

/// Whether a view's values and its interval are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// All values are stored.
    Done,
    /// An error ended it.
    Failed(Problem),
    /// An engine has written the values to files, and others take them from there.
    Open(OpenShards),
    /// Another view had failed, and the run was to end there.
    NotStarted,
}
