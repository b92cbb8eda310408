//! Aggregates over windows of time, as statements.
//!
//! A row with the event `e` is in a window of length `w` at every moment `t` with `t - w < e ≤ t`: it comes in at `e` and
//! leaves at `e + w`. At these moments the values of an entity change, and at no others; so a view with aggregates has a
//! row for each of them, and what is known at a moment is the newest of these rows, as in every view. Only those rows are
//! made that count at some moment that is asked about.
//!
//! Tables have the keys `k0`, …, the event `t` in microseconds, `a` from when on a row counts (its event, or when it was
//! created, if that is later and matters), and the columns `f0`, … that are aggregated.

use crate::{
    model::{Aggregation, Reach},
    offline::transformation::aggregate,
};

/// Aggregates of the rows of a source.
pub(super) struct Aggregates<'a> {
    /// All of the view: their windows decide at which moments there are rows.
    pub all: &'a [Aggregation],
    /// Those whose values are wanted, each with the number of the column that it aggregates.
    pub wanted: Vec<(&'a Aggregation, usize)>,
    /// Number of columns.
    pub columns: usize,
    /// Number of join keys.
    pub keys: usize,
    /// Whether a row counts only from when on it was created.
    pub by_created: bool,
    /// Whether rows have a column `c`, which says when they were created.
    pub has_created: bool,
}

impl Aggregates<'_> {
    /// The values at `end` of those whose values have changed since `from`, at their last change: keys, `t`, `g0`, ….
    pub(super) fn at_end(&self, rows: &str, (from, end): (i64, i64)) -> String {
        let mut changes = vec!["max(a)".to_owned()];
        changes.extend(self.windows().iter().map(|window| {
            let there = if self.by_created { format!(" AND a < t + {window}") } else { String::new() };
            format!("max(t + {window}) FILTER (WHERE t + {window} <= {end}{there})")
        }));
        let values = self.calls().map(|(number, call, window)| match window {
            Some(window) => format!("{call} FILTER (WHERE t > {}) AS g{number}", end.saturating_sub(window)),
            None => format!("{call} AS g{number}"),
        });
        let changed = format!("greatest({}) AS t", changes.join(", "));
        let selected = self.with_keys([changed].into_iter().chain(values));
        let group = if self.keys == 0 { String::new() } else { format!(" GROUP BY {}", self.keys().join(", ")) };
        let counts = format!("a <= {end}{}", self.is_ever_there());
        format!("SELECT * FROM (SELECT {selected} FROM ({rows}) WHERE {counts}{group}) WHERE t >= {from}")
    }

    /// The values at moments (keys and `t`), at their last change until then: keys, `t`, `g0`, ….
    pub(super) fn at_moments(&self, rows: &str, moments: &str) -> String {
        if self.by_created { self.as_created(rows, moments) } else { self.as_they_happen(rows, moments) }
    }

    /// In one go over the rows of an entity in their order, the moments among them as rows without values.
    fn as_they_happen(&self, rows: &str, moments: &str) -> String {
        let columns = || (0..self.columns).map(|column| format!("f{column}"));
        let created = || self.has_created.then(|| "c".to_owned());
        let nothing = created().into_iter().chain(columns()).map(|column| format!("NULL AS {column}"));
        let row = ["t", "t AS event", "false AS asked"].map(str::to_owned);
        let moment = ["t", "NULL AS event", "true AS asked"].map(str::to_owned);
        let partition =
            if self.keys == 0 { String::new() } else { format!("PARTITION BY {} ", self.keys().join(", ")) };
        let over = |frame: &str| format!("OVER ({partition}ORDER BY t RANGE BETWEEN {frame})");
        let mut changes = vec![format!("max(event) {}", over("UNBOUNDED PRECEDING AND CURRENT ROW"))];
        changes.extend(self.windows().iter().map(|window| {
            format!("max(event) {} + {window}", over(&format!("UNBOUNDED PRECEDING AND {window} PRECEDING")))
        }));
        let values = self.calls().map(|(number, call, window)| {
            // Both ends of a frame belong to it.
            let start = window.map_or("UNBOUNDED".to_owned(), |window| (window - 1).to_string());
            format!("{call} {} AS g{number}", over(&format!("{start} PRECEDING AND CURRENT ROW")))
        });
        let known = ["asked".to_owned(), format!("greatest({}) AS changed", changes.join(", "))];
        format!(
            "SELECT DISTINCT ON ({one}) {selected} FROM (SELECT {known} FROM \
             (SELECT {row} FROM ({rows}) UNION ALL SELECT {moment} FROM ({moments}))) WHERE asked AND changed IS NOT NULL",
            one = self.with_keys(["changed".to_owned()]),
            selected = self.with_keys(["changed AS t".to_owned()].into_iter().chain(self.outputs())),
            known = self.with_keys(known.into_iter().chain(values)),
            row = self.with_keys(row.into_iter().chain(created()).chain(columns())),
            moment = self.with_keys(moment.into_iter().chain(nothing)),
        )
    }

    /// Which rows are there is then another matter than which are in the window, so both are compared for each pair of a
    /// moment and a row that is not too far away.
    fn as_created(&self, rows: &str, moments: &str) -> String {
        let changes =
            format!("SELECT {} FROM rows WHERE true{}", self.with_keys(["a AS t".to_owned()]), self.is_ever_there());
        let left = self.windows().into_iter().map(|window| {
            let leave = self.with_keys([format!("t + {window} AS t")]);
            format!("SELECT {leave} FROM rows WHERE a < t + {window}")
        });
        let changes: Vec<String> = [changes].into_iter().chain(left).collect();
        // Rows that are in a window at a moment are in the same stretch of its length as the moment, or in the one before.
        let (stretch, stretches, not_too_old) = match self.longest() {
            Some(longest) => (
                format!("t // {longest}"),
                format!("unnest([t // {longest}, t // {longest} - 1])"),
                format!(" AND r.t > m.t - {longest}"),
            ),
            None => ("0".to_owned(), "0".to_owned(), String::new()),
        };
        let keys = self.keys();
        let same = |one: &str, other: &str| {
            keys.iter().map(|key| format!("{one}.{key} = {other}.{key} AND ")).collect::<String>()
        };
        let of = |table: &str| keys.iter().map(|key| format!("{table}.{key}, ")).collect::<String>();
        let values = self.calls().map(|(number, call, window)| match window {
            Some(window) => format!("{call} FILTER (WHERE t > moment - {window}) AS g{number}"),
            None => format!("{call} AS g{number}"),
        });
        format!(
            "WITH rows AS ({rows}), changes AS ({changes}), \
             known AS (SELECT DISTINCT {of_asked}c.t FROM ({moments}) m ASOF JOIN changes c ON {same_change}m.t >= c.t) \
             SELECT {selected} FROM (SELECT {of_known}m.t AS moment, r.* EXCLUDE ({shared}) \
             FROM (SELECT {known} FROM known) m LEFT JOIN (SELECT *, {stretch} AS stretch FROM rows) r \
             ON {same_row}r.stretch = m.stretch AND r.a <= m.t{not_too_old}) GROUP BY {group}",
            changes = changes.join(" UNION ALL "),
            of_asked = of("m"),
            of_known = of("m"),
            same_change = same("m", "c"),
            same_row = same("r", "m"),
            known = self.with_keys(["t".to_owned(), format!("{stretches} AS stretch")]),
            shared = self.with_keys(["stretch".to_owned()]),
            selected = self.with_keys(["moment AS t".to_owned()].into_iter().chain(values)),
            group = self.with_keys(["moment".to_owned()]),
        )
    }

    /// The lengths of the windows.
    fn windows(&self) -> Vec<i64> {
        let windows = self.all.iter().filter_map(|aggregation| aggregation.time_window.limit());
        let mut windows: Vec<i64> = windows.collect();
        windows.sort_unstable();
        windows.dedup();
        windows
    }

    /// The longest window, unless one has no end.
    fn longest(&self) -> Option<i64> {
        match Reach::of(self.all) {
            Reach::Span(longest) => Some(longest),
            Reach::Past | Reach::All => None,
        }
    }

    /// Rows that are created after they have left count never.
    fn is_ever_there(&self) -> String {
        match self.longest().filter(|_| self.by_created) {
            Some(longest) => format!(" AND a < t + {longest}"),
            None => String::new(),
        }
    }

    /// Each aggregate: its number, its call and its window.
    pub(super) fn calls(&self) -> impl Iterator<Item = (usize, String, Option<i64>)> {
        self.wanted.iter().enumerate().map(|(number, (aggregation, column))| {
            let call = aggregate(&aggregation.function, &format!("f{column}"), self.order());
            (number, call.unwrap_or_default(), aggregation.time_window.limit())
        })
    }

    /// What puts rows into their order.
    fn order(&self) -> &'static str {
        // Those without a time of creation come first.
        if self.has_created { "t, coalesce(c, -9223372036854775807)" } else { "t" }
    }

    fn keys(&self) -> Vec<String> {
        (0..self.keys).map(|key| format!("k{key}")).collect()
    }

    fn outputs(&self) -> impl Iterator<Item = String> {
        (0..self.wanted.len()).map(|number| format!("g{number}"))
    }

    /// The keys and more, divided by commas.
    fn with_keys(&self, more: impl IntoIterator<Item = String>) -> String {
        self.keys().into_iter().chain(more).collect::<Vec<_>>().join(", ")
    }
}
