use serde::{Deserialize, Serialize};

use super::Ttl;

/// An aggregate over a window of time, computed from the rows of a source or a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregation {
    /// The column whose values are aggregated.
    pub column: String,
    /// For example `sum` or `count_distinct`.
    pub function: String,
    /// Zero when there is none.
    pub time_window: Ttl,
    /// How far one window lies from the next; the window's length when not declared.
    pub slide_interval: Ttl,
    /// Name of the output; empty derives it from function, column and window.
    pub name: String,
}

impl Aggregation {
    /// The functions that can be computed.
    pub const FUNCTIONS: [&str; 14] = [
        "sum",
        "count",
        "min",
        "max",
        "mean",
        "avg",
        "count_distinct",
        "nunique",
        "std",
        "stddev",
        "var",
        "variance",
        "first",
        "last",
    ];

    /// The name of the feature with its values, as Feast makes it.
    pub fn output(&self) -> String {
        const SECOND: i64 = 1_000_000;
        match (self.name.as_str(), self.time_window.limit()) {
            ("", Some(window)) => format!("{}_{}_{}s", self.function, self.column, window / SECOND),
            ("", None) => format!("{}_{}", self.function, self.column),
            (name, _) => name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_called_as_feast_calls_them() {
        let output = |window: i64, name: &str| {
            let window = Ttl::from_micros(window);
            let (column, function, name) = ("fare".to_owned(), "sum".to_owned(), name.to_owned());
            Aggregation { column, function, time_window: window, slide_interval: window, name }.output()
        };
        assert_eq!(output(0, ""), "sum_fare");
        assert_eq!(output(3_600_000_000, ""), "sum_fare_3600s");
        assert_eq!(output(1_500_000, ""), "sum_fare_1s");
        assert_eq!(output(3_600_000_000, "fares"), "fares");
    }
}
