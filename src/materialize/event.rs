use serde::Serialize;

use super::report::{ChunkReport, ViewReport};
use crate::model::Interval;

/// What happens while views are materialized, for whoever wants to show it. Events of several views
/// may come in turns.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// A lock is somebody else's.
    Waiting {
        lock: &'a str,
        /// `held by … for … s`.
        holder: String,
    },
    ViewStarted {
        view: &'a str,
        interval: Interval,
        /// Parts that are written one after the other.
        chunks: usize,
    },
    /// The source was looked at: a chunk has so many rows, of about so many entities.
    Counted {
        view: &'a str,
        rows: u64,
        entities: u64,
    },
    /// So many rows of the view are in the online store by now, or gave way to newer ones.
    Progress {
        view: &'a str,
        rows: u64,
    },
    ChunkFinished {
        view: &'a str,
        chunk: &'a ChunkReport,
    },
    ViewFinished(&'a ViewReport),
    /// Something is amiss that does not keep a view from being written.
    Warning {
        message: String,
        help: Option<String>,
    },
}
