//! The point-in-time join in DuckDB's SQL. Text is made here and nothing is run.
//!
//! One statement joins all views ([`joined`]). Where rows of one entity and moment turn out to be among
//! those that count, more statements decide by what they hold ([`RenderedSide::tied`],
//! [`RenderedSide::winners`]), and the result ([`result`]) prefers what they found.

use super::{
    entity_rows::{ROW, TABLE},
    source::{TWO_TO_64, ViewColumns},
};
use crate::{offline::join::Side, sources::Ticks};

/// Table with the features that were found, by number of the entity row.
const JOINED: &str = "feastr_joined";

/// A side of the join as statements know it.
#[derive(Debug)]
pub(crate) struct RenderedSide<'a> {
    pub side: &'a Side<'a>,
    /// How statements call it; the beginning of the names of its tables.
    pub name: String,
    /// The columns of its rows.
    pub columns: ViewColumns,
    /// What its event times and its creation times count.
    pub ticks: [Ticks; 2],
    /// Where its rows are, called `s`.
    pub rows: String,
    /// Whether [`winners`](Self::winners) are there: rows of one entity and moment had to be told apart.
    pub has_winners: bool,
}

/// Finds the features of all sides, by number of the entity row.
pub(crate) fn joined(sides: &[&RenderedSide<'_>]) -> String {
    let found = [format!("e.{ROW}")].into_iter().chain(sides.iter().flat_map(|side| side.found()));
    let found: Vec<String> = found.collect();
    let joins: Vec<String> = sides.iter().map(|side| side.join()).collect();
    format!(
        "CREATE OR REPLACE TEMP TABLE {JOINED} AS\nSELECT {}\nFROM {TABLE} AS e\n{}",
        found.join(", "),
        joins.join("\n")
    )
}

/// The number of each entity row and its features, in their order.
pub(crate) fn result(sides: &[&RenderedSide<'_>]) -> String {
    let outputs = [format!("j.{ROW}")].into_iter().chain(sides.iter().flat_map(|side| side.outputs()));
    let outputs: Vec<String> = outputs.collect();
    let mut winners: Vec<String> = sides.iter().filter_map(|side| side.join_of_winners()).collect();
    if !winners.is_empty() {
        winners.insert(0, format!("JOIN {TABLE} AS e USING ({ROW})"));
    }
    let from: Vec<String> = [format!("FROM {JOINED} AS j")].into_iter().chain(winners).collect();
    format!("SELECT {}\n{}\nORDER BY j.{ROW}", outputs.join(", "), from.join("\n"))
}

impl RenderedSide<'_> {
    /// Copies the rows of entities that somebody asks about into a table.
    pub(crate) fn kept_rows(&self) -> String {
        let names = self.columns.names().join(", ");
        let of_entities = self.of_entities();
        format!("CREATE OR REPLACE TEMP TABLE {}_rows AS\nSELECT {names} FROM {}{of_entities}", self.name, self.rows)
    }

    /// The table that [`kept_rows`](Self::kept_rows) makes, called `s`.
    pub(crate) fn kept(&self) -> String {
        format!("{}_rows AS s", self.name)
    }

    /// The join of the one row that counts, with columns `t`, `c` and `f0`, ….
    fn join(&self) -> String {
        if self.side.by_created { self.join_by_created() } else { self.join_by_recency() }
    }

    /// The row with the greatest recency that is not after the entity row's time.
    fn join_by_recency(&self) -> String {
        let name = &self.name;
        let moment = match self.columns.has_created {
            true => format!("(e.{} :: HUGEINT * {TWO_TO_64} + ({TWO_TO_64} - 1))", self.event_time()),
            false => format!("e.{}", self.event_time()),
        };
        let on: Vec<String> = self.same_keys(name).chain([format!("{moment} >= {name}.o")]).collect();
        format!("ASOF LEFT JOIN ({}) AS {name}\nON {}", self.ordered_rows(), on.join(" AND "))
    }

    /// Of the rows that were there at the entity row's time, and known by then, the newest.
    fn join_by_created(&self) -> String {
        let name = &self.name;
        let features: String = self.columns.feature_names().map(|name| format!(", {name} := s.{name}")).collect();
        let unpacked: String = self.columns.feature_names().map(|name| format!(", r.{name} AS {name}")).collect();
        let event = format!("s.t <= e.{}", self.event_time());
        let created = format!("s.c <= e.{}", time_in(self.ticks[1]));
        let conditions: Vec<String> = self.same_keys("s").chain([event, created]).collect();
        format!(
            "LEFT JOIN (SELECT {ROW}, r.t AS t, r.c AS c{unpacked} FROM (\n\
             SELECT e.{ROW}, arg_max(struct_pack(t := s.t, c := s.c{features}), s.o) AS r\n\
             FROM {TABLE} AS e JOIN ({}) AS s\nON {}\nGROUP BY e.{ROW})) AS {name}\nON e.{ROW} = {name}.{ROW}",
            self.ordered_rows(),
            conditions.join(" AND ")
        )
    }

    /// The rows of entities that somebody asks about: keys `k…`, event time `t`, creation time `c`,
    /// recency `o`, features `f…`.
    fn ordered_rows(&self) -> String {
        let columns = self.columns;
        let selected: Vec<String> = columns
            .key_names()
            .chain(["t".to_owned(), format!("{} AS c", columns.created()), format!("{} AS o", columns.recency())])
            .chain(columns.feature_names())
            .collect();
        format!("SELECT {} FROM {}{}", selected.join(", "), self.rows, self.of_entities())
    }

    /// The condition that a row is of an entity that somebody asks about.
    fn of_entities(&self) -> String {
        if self.side.keys.is_empty() {
            return String::new();
        }
        let stored: Vec<String> = self.columns.key_names().map(|key| format!("s.{key}")).collect();
        let asked: Vec<String> = self.side.keys.iter().map(|key| format!("e.k{key}")).collect();
        format!("\nWHERE ({}) IN (SELECT ({}) FROM {TABLE} AS e)", stored.join(", "), asked.join(", "))
    }

    /// What is kept of the join: times and features, with the side's name in front.
    fn found(&self) -> Vec<String> {
        let name = &self.name;
        let times = ["t", "c"].map(|time| format!("{name}.{time} AS {name}_{time}"));
        // What is older than the ttl at the row's time is not a value; exactly as old still is.
        let lives = self.side.ttl.map(|ttl| {
            let ttl = self.ticks[0].of_micros(ttl);
            format!("{name}.t >= e.{} - {ttl}", self.event_time())
        });
        let feature = |feature: String| match &lives {
            Some(lives) => format!("CASE WHEN {lives} THEN {name}.{feature} END AS {name}_{feature}"),
            None => format!("{name}.{feature} AS {name}_{feature}"),
        };
        let features = self.columns.feature_names().map(feature);
        let lives = format!("{} AS {name}_lives", lives.as_deref().unwrap_or("true"));
        times.into_iter().chain([lives]).chain(features).collect()
    }

    /// First and last event time of the rows that were found.
    pub(crate) fn found_times(&self) -> String {
        let name = &self.name;
        format!("SELECT min({name}_t), max({name}_t) FROM {JOINED}")
    }

    /// How many moments of entities were found, and how many rows there are of them; `rows` are called
    /// `s` and have keys and times.
    pub(crate) fn counted(&self, rows: &str) -> String {
        let (rows, found, same) = (self.moments_of(rows), self.found_moments(), self.same_moment());
        format!(
            "SELECT (SELECT count(*) FROM (SELECT DISTINCT {found})),\n\
             (SELECT count(*) FROM {rows}\nSEMI JOIN (SELECT {found}) AS m\nON {same})"
        )
    }

    /// A table of the moments that were found and have several rows; `rows` as for
    /// [`counted`](Self::counted).
    pub(crate) fn tied(&self, rows: &str) -> String {
        format!(
            "CREATE OR REPLACE TEMP TABLE {}_tied AS\nSELECT {}s.t, s.c FROM {}\n\
             JOIN (SELECT DISTINCT {}) AS m\nON {}\nGROUP BY ALL HAVING count(*) > 1",
            self.name,
            list(self.columns.key_names().map(|key| format!("s.{key}"))),
            self.moments_of(rows),
            self.found_moments(),
            self.same_moment(),
        )
    }

    /// A table of the rows with the greatest values among those of [`tied`](Self::tied) moments; `rows`
    /// are called `s` and have all features of the view and `content`, which orders them.
    pub(crate) fn winners(&self, rows: &str) -> String {
        let name = &self.name;
        let wanted: Vec<String> =
            self.side.features.iter().enumerate().map(|(index, feature)| format!("f{index} := s.f{feature}")).collect();
        let features: Vec<String> = (0..self.side.view.features.len()).map(|index| format!("f{index}")).collect();
        format!(
            "CREATE OR REPLACE TEMP TABLE {name}_winners AS\n\
             SELECT {}s.t, s.c, arg_max(struct_pack({}), s.content) AS r\n\
             FROM (SELECT {}t, {} AS c, {}, content FROM {rows}) AS s\nJOIN {name}_tied AS m\nON {}\nGROUP BY ALL",
            list(self.columns.key_names().map(|key| format!("s.{key}"))),
            wanted.join(", "),
            list(self.columns.key_names()),
            self.columns.created(),
            features.join(", "),
            self.same_moment(),
        )
    }

    /// Keys and times of rows, called `s`.
    fn moments_of(&self, rows: &str) -> String {
        format!("(SELECT {}t, {} AS c FROM {rows}) AS s", list(self.columns.key_names()), self.columns.created())
    }

    /// Keys and times of the rows that were found.
    fn found_moments(&self) -> String {
        let name = &self.name;
        let keys = self.side.keys.iter().enumerate().map(|(index, key)| format!("e.k{key} AS k{index}"));
        format!(
            "{}j.{name}_t AS t, j.{name}_c AS c FROM {JOINED} AS j JOIN {TABLE} AS e USING ({ROW})\n\
             WHERE j.{name}_t IS NOT NULL",
            list(keys)
        )
    }

    /// The condition that rows `s` and `m` are of one entity and moment.
    fn same_moment(&self) -> String {
        let keys = self.columns.key_names().map(|key| format!("s.{key} = m.{key}"));
        let times = ["s.t = m.t".to_owned(), "s.c IS NOT DISTINCT FROM m.c".to_owned()];
        keys.chain(times).collect::<Vec<_>>().join(" AND ")
    }

    /// The features as they come out, in the order in which they were asked for.
    fn outputs(&self) -> impl Iterator<Item = String> {
        let name = &self.name;
        self.columns.feature_names().map(move |feature| {
            let found = format!("j.{name}_{feature}");
            match self.has_winners {
                true => format!(
                    "CASE WHEN w{name}.r IS NULL OR NOT j.{name}_lives THEN {found} ELSE w{name}.r.{feature} END"
                ),
                false => found,
            }
        })
    }

    /// The join with the rows that were decided on.
    fn join_of_winners(&self) -> Option<String> {
        let name = &self.name;
        let keys = self.side.keys.iter().enumerate().map(|(index, key)| format!("e.k{key} = w{name}.k{index}"));
        let moment = [format!("j.{name}_t = w{name}.t"), format!("j.{name}_c IS NOT DISTINCT FROM w{name}.c")];
        let on: Vec<String> = keys.chain(moment).collect();
        self.has_winners.then(|| format!("LEFT JOIN {name}_winners AS w{name}\nON {}", on.join(" AND ")))
    }

    /// The conditions that an entity row has the keys of a row of `side`.
    fn same_keys(&self, side: &str) -> impl Iterator<Item = String> {
        self.side.keys.iter().enumerate().map(move |(index, key)| format!("e.k{key} = {side}.k{index}"))
    }

    /// The column with the time of an entity row in what event times count.
    const fn event_time(&self) -> &'static str {
        time_in(self.ticks[0])
    }
}

/// The column with the time of an entity row in ticks.
const fn time_in(ticks: Ticks) -> &'static str {
    match ticks {
        Ticks::Micros => "us",
        Ticks::Nanos => "ns",
    }
}

/// Columns before others: each with a comma behind it.
fn list(columns: impl Iterator<Item = String>) -> String {
    columns.map(|column| format!("{column}, ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DataType, FeatureView, Field};

    fn view(features: usize) -> FeatureView {
        let features = (0..features).map(|index| Field::new(format!("feature{index}"), DataType::Int64)).collect();
        FeatureView { features, ..FeatureView::new("view") }
    }

    fn side<'a>(view: &'a FeatureView, keys: &[usize], features: &[usize]) -> Side<'a> {
        Side { view, keys: keys.to_vec(), features: features.to_vec(), ttl: None, by_created: false }
    }

    fn rendered<'a>(side: &'a Side<'a>, has_created: bool) -> RenderedSide<'a> {
        RenderedSide {
            side,
            name: "v0".to_owned(),
            columns: ViewColumns { keys: side.keys.len(), has_created, features: side.features.len() },
            ticks: [Ticks::Micros; 2],
            rows: "rows AS s".to_owned(),
            has_winners: false,
        }
    }

    #[test]
    fn the_newest_row_that_is_not_later_is_joined() {
        let view = view(2);
        let side = Side { ttl: Some(60), ..side(&view, &[1], &[1, 0]) };
        insta::assert_snapshot!(joined(&[&rendered(&side, false)]), @r"
        CREATE OR REPLACE TEMP TABLE feastr_joined AS
        SELECT e.number, v0.t AS v0_t, v0.c AS v0_c, v0.t >= e.us - 60 AS v0_lives, CASE WHEN v0.t >= e.us - 60 THEN v0.f0 END AS v0_f0, CASE WHEN v0.t >= e.us - 60 THEN v0.f1 END AS v0_f1
        FROM feastr_entity_rows AS e
        ASOF LEFT JOIN (SELECT k0, t, NULL :: BIGINT AS c, t AS o, f0, f1 FROM rows AS s
        WHERE (s.k0) IN (SELECT (e.k1) FROM feastr_entity_rows AS e)) AS v0
        ON e.k1 = v0.k0 AND e.us >= v0.o
        ");
    }

    #[test]
    fn creation_times_decide_between_rows_of_one_moment() {
        let view = view(1);
        let side = side(&view, &[0, 2], &[0]);
        let rendered = RenderedSide { ticks: [Ticks::Nanos, Ticks::Micros], ..rendered(&side, true) };
        insta::assert_snapshot!(joined(&[&rendered]), @r"
        CREATE OR REPLACE TEMP TABLE feastr_joined AS
        SELECT e.number, v0.t AS v0_t, v0.c AS v0_c, true AS v0_lives, v0.f0 AS v0_f0
        FROM feastr_entity_rows AS e
        ASOF LEFT JOIN (SELECT k0, k1, t, c AS c, (t :: HUGEINT * 18446744073709551616 + coalesce(c :: HUGEINT + 9223372036854775808, 0)) AS o, f0 FROM rows AS s
        WHERE (s.k0, s.k1) IN (SELECT (e.k0, e.k2) FROM feastr_entity_rows AS e)) AS v0
        ON e.k0 = v0.k0 AND e.k2 = v0.k1 AND (e.ns :: HUGEINT * 18446744073709551616 + (18446744073709551616 - 1)) >= v0.o
        ");
    }

    #[test]
    fn rows_that_were_created_later_do_not_count_where_that_is_asked() {
        let view = view(1);
        let side = Side { by_created: true, ..side(&view, &[0], &[0]) };
        let rendered = RenderedSide { ticks: [Ticks::Micros, Ticks::Nanos], ..rendered(&side, true) };
        insta::assert_snapshot!(joined(&[&rendered]), @r"
        CREATE OR REPLACE TEMP TABLE feastr_joined AS
        SELECT e.number, v0.t AS v0_t, v0.c AS v0_c, true AS v0_lives, v0.f0 AS v0_f0
        FROM feastr_entity_rows AS e
        LEFT JOIN (SELECT number, r.t AS t, r.c AS c, r.f0 AS f0 FROM (
        SELECT e.number, arg_max(struct_pack(t := s.t, c := s.c, f0 := s.f0), s.o) AS r
        FROM feastr_entity_rows AS e JOIN (SELECT k0, t, c AS c, (t :: HUGEINT * 18446744073709551616 + coalesce(c :: HUGEINT + 9223372036854775808, 0)) AS o, f0 FROM rows AS s
        WHERE (s.k0) IN (SELECT (e.k0) FROM feastr_entity_rows AS e)) AS s
        ON e.k0 = s.k0 AND s.t <= e.us AND s.c <= e.ns
        GROUP BY e.number)) AS v0
        ON e.number = v0.number
        ");
    }

    #[test]
    fn without_keys_all_rows_are_of_the_one_entity() {
        let view = view(1);
        let side = side(&view, &[], &[0]);
        insta::assert_snapshot!(joined(&[&rendered(&side, false)]), @r"
        CREATE OR REPLACE TEMP TABLE feastr_joined AS
        SELECT e.number, v0.t AS v0_t, v0.c AS v0_c, true AS v0_lives, v0.f0 AS v0_f0
        FROM feastr_entity_rows AS e
        ASOF LEFT JOIN (SELECT t, NULL :: BIGINT AS c, t AS o, f0 FROM rows AS s) AS v0
        ON e.us >= v0.o
        ");
    }

    #[test]
    fn rows_of_texts_are_kept_for_a_second_look() {
        let view = view(1);
        let side = side(&view, &[0], &[0]);
        let mut rendered = rendered(&side, true);
        insta::assert_snapshot!(rendered.kept_rows(), @r"
        CREATE OR REPLACE TEMP TABLE v0_rows AS
        SELECT k0, t, c, f0 FROM rows AS s
        WHERE (s.k0) IN (SELECT (e.k0) FROM feastr_entity_rows AS e)
        ");
        rendered.rows = rendered.kept();
        assert_eq!(rendered.rows, "v0_rows AS s");
    }

    #[test]
    fn ties_are_decided_by_all_values_of_a_row() {
        let view = view(2);
        let side = side(&view, &[3], &[1]);
        let mut rendered = rendered(&side, true);
        insta::assert_snapshot!(rendered.found_times(), @"SELECT min(v0_t), max(v0_t) FROM feastr_joined");
        insta::assert_snapshot!(rendered.counted("moments AS s"), @r"
        SELECT (SELECT count(*) FROM (SELECT DISTINCT e.k3 AS k0, j.v0_t AS t, j.v0_c AS c FROM feastr_joined AS j JOIN feastr_entity_rows AS e USING (number)
        WHERE j.v0_t IS NOT NULL)),
        (SELECT count(*) FROM (SELECT k0, t, c AS c FROM moments AS s) AS s
        SEMI JOIN (SELECT e.k3 AS k0, j.v0_t AS t, j.v0_c AS c FROM feastr_joined AS j JOIN feastr_entity_rows AS e USING (number)
        WHERE j.v0_t IS NOT NULL) AS m
        ON s.k0 = m.k0 AND s.t = m.t AND s.c IS NOT DISTINCT FROM m.c)
        ");
        insta::assert_snapshot!(rendered.tied("moments AS s"), @r"
        CREATE OR REPLACE TEMP TABLE v0_tied AS
        SELECT s.k0, s.t, s.c FROM (SELECT k0, t, c AS c FROM moments AS s) AS s
        JOIN (SELECT DISTINCT e.k3 AS k0, j.v0_t AS t, j.v0_c AS c FROM feastr_joined AS j JOIN feastr_entity_rows AS e USING (number)
        WHERE j.v0_t IS NOT NULL) AS m
        ON s.k0 = m.k0 AND s.t = m.t AND s.c IS NOT DISTINCT FROM m.c
        GROUP BY ALL HAVING count(*) > 1
        ");
        insta::assert_snapshot!(rendered.winners("contents AS s"), @r"
        CREATE OR REPLACE TEMP TABLE v0_winners AS
        SELECT s.k0, s.t, s.c, arg_max(struct_pack(f0 := s.f1), s.content) AS r
        FROM (SELECT k0, t, c AS c, f0, f1, content FROM contents AS s) AS s
        JOIN v0_tied AS m
        ON s.k0 = m.k0 AND s.t = m.t AND s.c IS NOT DISTINCT FROM m.c
        GROUP BY ALL
        ");
        assert_eq!(result(&[&rendered]), "SELECT j.number, j.v0_f0\nFROM feastr_joined AS j\nORDER BY j.number");
        rendered.has_winners = true;
        insta::assert_snapshot!(result(&[&rendered]), @r"
        SELECT j.number, CASE WHEN wv0.r IS NULL OR NOT j.v0_lives THEN j.v0_f0 ELSE wv0.r.f0 END
        FROM feastr_joined AS j
        JOIN feastr_entity_rows AS e USING (number)
        LEFT JOIN v0_winners AS wv0
        ON e.k3 = wv0.k0 AND j.v0_t = wv0.t AND j.v0_c IS NOT DISTINCT FROM wv0.c
        ORDER BY j.number
        ");
    }

    #[test]
    fn a_join_without_features_still_numbers_the_rows() {
        assert_eq!(result(&[]), "SELECT j.number\nFROM feastr_joined AS j\nORDER BY j.number");
    }
}
