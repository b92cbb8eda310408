//! Aggregates over windows of time, as statements.
//!
//! A row with the event `e` is in a window of length `w` at every moment `t` with `t - w < e ≤ t`: it comes in at `e` and
//! leaves at `e + w`. At these moments the values of an entity change, and at no others, so there is one row of values for
//! each of them. What is known at a moment is then the newest of these rows, as in every view.
//!
//! Tables have the keys `k0`, …, the event `t` in microseconds, `a` from when on a row counts (its event, or when it was
//! created, if that is later and matters), and the columns `f0`, … that are aggregated.

use crate::{
    model::{Aggregation, Reach},
    offline::transformation::{Span, aggregate},
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
    /// The values at the end of `span.first` of those whose values have changed since `span.from`, at the moment of their
    /// last change: keys, `t`, `g0`, ….
    pub(super) fn at_first(&self, rows: &str, span: Span) -> String {
        let end = span.first;
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
        format!("SELECT * FROM (SELECT {selected} FROM ({rows}) WHERE {counts}{group}) WHERE t >= {}", span.from)
    }

    /// The values at all moments behind `span.first`, up to the last one, at which they change: keys, `t`, `g0`, ….
    pub(super) fn changes(&self, rows: &str, span: Span) -> String {
        if self.by_created { self.changes_as_created(rows, span) } else { self.changes_as_they_happen(rows, span) }
    }

    /// In one go over the rows of an entity in their order: rows that only stand for a moment have no values.
    fn changes_as_they_happen(&self, rows: &str, Span { first, last, .. }: Span) -> String {
        let columns = (0..self.columns).map(|column| format!("f{column}"));
        let created = self.has_created.then(|| "c".to_owned());
        let come = self.with_keys(["t".to_owned()].into_iter().chain(created.clone()).chain(columns));
        let mut steps = format!("SELECT {come} FROM rows");
        for window in self.windows() {
            let nothing =
                (0..self.columns).map(|_| "NULL".to_owned()).chain(created.as_ref().map(|_| "NULL".to_owned()));
            let leave = self.with_keys([format!("t + {window}")].into_iter().chain(nothing));
            steps.push_str(&format!(" UNION ALL SELECT {leave} FROM rows"));
        }
        let partition =
            if self.keys == 0 { String::new() } else { format!("PARTITION BY {} ", self.keys().join(", ")) };
        let values = self.calls().map(|(number, call, window)| {
            // Both ends of a frame belong to it.
            let start = window.map_or("UNBOUNDED".to_owned(), |window| (window - 1).to_string());
            format!("{call} OVER ({partition}ORDER BY t RANGE BETWEEN {start} PRECEDING AND CURRENT ROW) AS g{number}")
        });
        let next = format!("lead(t) OVER ({partition}ORDER BY t) AS next");
        let selected = self.with_keys(["t".to_owned()].into_iter().chain(values).chain([next]));
        format!(
            "SELECT * EXCLUDE (next) FROM (WITH rows AS ({rows}) SELECT {selected} FROM ({steps}) WHERE t <= {last}) \
             WHERE next IS DISTINCT FROM t AND t > {first}"
        )
    }

    /// Which rows are there at a moment is then another matter than which are in the window, so both are compared for each
    /// pair of a moment and a row that is not too far away.
    fn changes_as_created(&self, rows: &str, Span { first, last, .. }: Span) -> String {
        let mut steps =
            format!("SELECT {} FROM rows WHERE true{}", self.with_keys(["a AS t".to_owned()]), self.is_ever_there());
        for window in self.windows() {
            let leave = self.with_keys([format!("t + {window}")]);
            steps.push_str(&format!(" UNION ALL SELECT {leave} FROM rows WHERE a < t + {window}"));
        }
        // Rows that can be in a window at a moment are in the same stretch of its length as the moment, or in the one before.
        let (stretch, stretches, not_too_old) = match self.longest() {
            Some(longest) => (
                format!("t // {longest}"),
                format!("unnest([t // {longest}, t // {longest} - 1])"),
                format!(" AND r.t > m.t - {longest}"),
            ),
            None => ("0".to_owned(), "0".to_owned(), String::new()),
        };
        let keys = self.keys();
        let same = keys.iter().map(|key| format!("r.{key} = m.{key} AND ")).collect::<String>();
        let values = self.calls().map(|(number, call, window)| match window {
            Some(window) => format!("{call} FILTER (WHERE t > moment - {window}) AS g{number}"),
            None => format!("{call} AS g{number}"),
        });
        let moments = self.with_keys(["t".to_owned(), format!("{stretches} AS stretch")]);
        let of_moment = keys.iter().map(|key| format!("m.{key}, ")).collect::<String>();
        let selected = self.with_keys(["moment AS t".to_owned()].into_iter().chain(values));
        let group: Vec<String> = keys.into_iter().chain(["moment".to_owned()]).collect();
        format!(
            "WITH rows AS ({rows}), moments AS (SELECT DISTINCT * FROM ({steps}) WHERE t > {first} AND t <= {last}) \
             SELECT {selected} FROM (SELECT {of_moment}m.t AS moment, r.* EXCLUDE ({excluded}) \
             FROM (SELECT {moments} FROM moments) m LEFT JOIN (SELECT *, {stretch} AS stretch FROM rows) r \
             ON {same}r.stretch = m.stretch AND r.a <= m.t{not_too_old}) GROUP BY {group}",
            excluded = self.with_keys(["stretch".to_owned()]),
            group = group.join(", "),
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

    /// The keys and more, divided by commas.
    fn with_keys(&self, more: impl IntoIterator<Item = String>) -> String {
        self.keys().into_iter().chain(more).collect::<Vec<_>>().join(", ")
    }
}
