use serde::Serialize;

use super::report::{ChunkReport, ViewReport};
use crate::{model::Interval, problem::Advice};

/// Hears what happens; from several threads, if several views are materialized at a time.
pub(crate) type OnEvent<'a> = dyn Fn(&Event<'_>) + Sync + 'a;

/// What happens while views are materialized, for faces that show it. Events of several views may alternate.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// A lock is somebody else's.
    Waiting {
        /// What it is a lock of.
        lock: &'a str,
        /// `held by … for … s`.
        holder: String,
    },
    /// The run of a view begins.
    ViewStarted {
        /// The view.
        view: &'a str,
        /// Which values will be written.
        interval: Interval,
        /// Parts that are written one after the other.
        chunks: usize,
    },
    /// The rows of a chunk were counted.
    Counted {
        /// The view.
        view: &'a str,
        /// Rows of the chunk.
        rows: u64,
        /// About how many entities they are of, each of which has one newest row.
        entities: u64,
    },
    /// An engine writes rows of the view to files.
    Staging {
        /// The view.
        view: &'a str,
        /// Tasks of the engine that are done.
        done: u64,
        /// Tasks that are known; more may follow.
        known: u64,
    },
    /// Rows of the view were written, or gave way to newer ones.
    Progress {
        /// The view.
        view: &'a str,
        /// Rows written of the chunk so far.
        rows: u64,
    },
    /// The values of a chunk are stored, and its interval is recorded.
    ChunkFinished {
        /// The view.
        view: &'a str,
        /// What was done.
        chunk: &'a ChunkReport,
    },
    /// A view is done, or has failed.
    ViewFinished(&'a ViewReport),
    /// Something is amiss that does not keep a view from being written.
    Warning {
        /// What is odd.
        message: String,
        /// What to do about it.
        help: Option<Advice>,
    },
}
