//! What a run is handed: the stores it works on, and how it is to be done.

use std::sync::Arc;

use crate::{
    model::Timestamp,
    offline::{OfflineStore, StagedRows},
    online::{OnlineStore, Replace},
    registry::Registry,
    retrieval::Entities,
    transform::Engine,
};

/// What a run works on.
#[derive(Clone, Copy)]
pub struct Stores<'a> {
    /// The project of the views.
    pub project: &'a str,
    /// Where views are and intervals are recorded.
    pub registry: &'a dyn Registry,
    /// What reads their sources.
    pub offline: &'a dyn OfflineStore,
    /// What reads files that an engine has written.
    pub staged: StagedRows<'a>,
    /// Where values are computed.
    pub expressions: &'a Arc<Engine>,
    /// Where values go.
    pub online: &'a dyn OnlineStore,
    /// The time, for what the registry records.
    pub clock: fn() -> Timestamp,
}

/// How a run is done.
#[derive(Debug, Clone, Copy)]
pub struct RunOptions<'a> {
    /// Microseconds of a part of a view's interval; `None` for one part.
    pub chunk: Option<i64>,
    /// Which stored values are replaced.
    pub replace: Replace,
    /// Into how many parts the work is divided, which others do: what an engine finds is written to files only.
    pub shards: Option<u32>,
    /// Views that are materialized at a time.
    pub jobs: usize,
    /// Whether no further view is begun after one has failed.
    pub fail_fast: bool,
    /// Whose values are written; `None` is everybody. Of a run for some nothing is recorded as materialized.
    pub entities: Option<&'a Entities>,
    /// Who runs it, for the history.
    pub by: &'a str,
}
