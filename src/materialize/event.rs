use serde::Serialize;

use crate::model::{ForeignObject, Interval};

/// What happens while views are materialized, for whoever wants to show it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    ViewStarted {
        view: &'a str,
        interval: Interval,
    },
    /// The source was looked at: about so many entities have values in the interval.
    Counted {
        view: &'a str,
        entities: u64,
    },
    /// So many rows are in the online store by now.
    Progress {
        view: &'a str,
        rows: u64,
    },
    ViewFinished(&'a ViewReport),
}

/// What became of one view.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ViewReport {
    pub view: String,
    pub interval: Interval,
    /// Rows whose values are now the stored ones.
    pub written: u64,
    /// Rows that gave way to newer stored values.
    pub skipped: u64,
    /// Entities left out because a join key is null.
    pub without_key: u64,
    pub seconds: f64,
    pub outcome: Outcome,
}

/// Whether a view's values and its interval are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    Done,
    Failed { message: String, help: Option<String> },
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunReport {
    pub views: Vec<ViewReport>,
    /// Views of the project that were left out because feastr cannot materialize them.
    pub left_out: Vec<ForeignObject>,
}

impl RunReport {
    pub fn failed(&self) -> usize {
        self.views.iter().filter(|view| view.outcome != Outcome::Done).count()
    }
}
