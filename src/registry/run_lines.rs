//! The history of materializations as lines of JSON. A run has a line for its start and one for its end; the later counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::run_log::KEPT_RUNS;
use crate::model::RunRecord;

/// A line: a record and whose it is.
#[derive(Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) project: String,
    #[serde(flatten)]
    pub(super) run: RunRecord,
}

impl Line {
    pub(super) fn of(project: &str, run: &RunRecord) -> Self {
        Self { project: project.to_owned(), run: run.clone() }
    }

    /// Without the end of the line.
    pub(super) fn text(&self) -> std::io::Result<String> {
        serde_json::to_string(self).map_err(std::io::Error::other)
    }
}

/// What can be read: a line that was cut off is left out.
pub(super) fn lines(bytes: &[u8]) -> Vec<Line> {
    // Line by line, because what was cut off need not be text.
    bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

/// The newest `KEPT_RUNS` runs per view, each by its last line, in the order of the lines.
pub(super) fn newest_of_each_view(lines: &[Line]) -> Vec<&Line> {
    let last: BTreeMap<&str, usize> = lines.iter().enumerate().map(|(at, line)| (line.run.id.as_str(), at)).collect();
    let mut views: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for at in last.into_values() {
        views.entry((&lines[at].project, &lines[at].run.view)).or_default().push(at);
    }
    let mut kept = Vec::new();
    for mut runs in views.into_values() {
        runs.sort_by_key(|at| std::cmp::Reverse((lines[*at].run.started, *at)));
        runs.truncate(KEPT_RUNS);
        kept.extend(runs);
    }
    kept.sort_unstable();
    kept.into_iter().map(|at| &lines[at]).collect()
}
