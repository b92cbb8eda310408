use serde::Serialize;

use super::Ttl;

/// An aggregate over a window of time, computed from the rows of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Aggregation {
    /// The column whose values are aggregated.
    pub column: String,
    /// For example `sum` or `count_distinct`.
    pub function: String,
    /// Zero when there is none.
    pub time_window: Ttl,
    /// How far one window lies from the next; the window's length when not declared.
    pub slide_interval: Ttl,
    /// Name of the output; empty derives it from function and column.
    pub name: String,
}
