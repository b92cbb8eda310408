use std::path::Path;

use arrow::datatypes::TimeUnit;

use super::{
    beside::BesideEntities,
    entity_rows::{EntityTable, ROW, TABLE},
    session::{Session, Work},
    source::{TWO_TO_64, ViewSource, ViewTable, ticks},
};
use crate::{
    model::Field,
    offline::{BatchSink, HistoricalQuery, HistoricalRead},
    problem::{Kind, Problem},
    retrieval::SelectedView,
};

/// Table with the features that were found, by number of the entity row.
const JOINED: &str = "feastr_joined";

/// Runs the point-in-time join and streams its result.
///
/// One statement joins all views. Where rows of one entity and moment turn out to be among those that
/// count, a second look decides by what they hold, as materializing does.
pub fn run(
    session: &Session,
    repo: &Path,
    query: &HistoricalQuery<'_>,
    sink: &mut dyn BatchSink,
) -> Result<HistoricalRead, Problem> {
    const WHAT: &str = "cannot join features";
    let entities = EntityTable::load(session, query.entities, query.retrieval)?;
    check_names(&entities, query)?;
    let mut joins = Vec::with_capacity(query.retrieval.views.len());
    for (index, selected) in query.retrieval.views.iter().enumerate() {
        joins.push(ViewJoin::new(session, repo, &entities, selected, index, query.filter_by_created_timestamp)?);
    }
    let found: Vec<String> = [format!("e.{ROW}")].into_iter().chain(joins.iter().flat_map(ViewJoin::found)).collect();
    let statements: Vec<String> = joins.iter().map(ViewJoin::sql).collect();
    let sql = format!(
        "CREATE OR REPLACE TEMP TABLE {JOINED} AS SELECT {} FROM {TABLE} AS e {}",
        found.join(", "),
        statements.join(" ")
    );
    let scans: Vec<_> = joins.iter().map(|join| &join.table.table).collect();
    session.execute(Work { what: WHAT, scans: &scans }, &sql)?;

    let mut read = HistoricalRead::default();
    for join in &mut joins {
        read.ties += join.decide_ties(session)?;
    }
    let outputs: Vec<String> = joins.iter().flat_map(ViewJoin::outputs).collect();
    let mut winners: Vec<String> = joins.iter().filter_map(ViewJoin::winners).collect();
    if !winners.is_empty() {
        winners.insert(0, format!("JOIN {TABLE} AS e USING ({ROW})"));
    }
    let outputs = if outputs.is_empty() { vec![format!("j.{ROW}")] } else { outputs };
    let sql = format!("SELECT {} FROM {JOINED} AS j {} ORDER BY j.{ROW}", outputs.join(", "), winners.join(" "));
    let mut beside = BesideEntities::new(&entities, query.retrieval, sink)?;
    session.stream(Work { what: WHAT, scans: &[] }, &sql, &mut beside)?;
    beside.finish()?;
    read.unfit = joins.iter().map(|join| join.table.table.scan().unfit()).sum();
    Ok(read)
}

/// A feature may not be called like a column of the entity rows.
fn check_names(entities: &EntityTable, query: &HistoricalQuery<'_>) -> Result<(), Problem> {
    for column in entities.columns() {
        if query.retrieval.outputs().any(|output| output == column) {
            return Err(Problem::new(
                Kind::Invalid,
                format!("{} has a column `{column}`, and so would the result", query.entities.shown),
                "use --full-feature-names, or rename the column".to_owned(),
            ));
        }
    }
    Ok(())
}

/// The part of the query that finds one view's features.
struct ViewJoin<'a> {
    selected: &'a SelectedView,
    source: ViewSource<'a>,
    table: ViewTable,
    /// How the statement calls the view.
    alias: String,
    /// Columns of the entity table with its join keys.
    keys: Vec<String>,
    by_created: bool,
    /// Where the rows are, called `s`: in the files, or in a table if reading them twice would take long.
    rows: String,
    /// Whether rows of one entity and moment had to be told apart.
    has_ties: bool,
}

impl<'a> ViewJoin<'a> {
    fn new(
        session: &Session,
        repo: &Path,
        entities: &EntityTable,
        selected: &'a SelectedView,
        index: usize,
        by_created: bool,
    ) -> Result<Self, Problem> {
        let source = ViewSource::open(repo, &selected.view)?;
        let features: Vec<&Field> = selected.features.iter().map(|feature| &feature.field).collect();
        let (first, last) = match entities.range {
            Some((first, last)) => (selected.view.ttl.limit().map_or(i64::MIN, |ttl| first.saturating_sub(ttl)), last),
            // Nobody asks about any moment.
            None => (i64::MAX, i64::MIN),
        };
        let scan = source.scan(&features)?;
        // Entity rows have times to the microsecond here, whose nanoseconds belong to them.
        let (first, last) = (scan.ticks(first), scan.ticks(last).saturating_add(scan.ticks(1) - 1));
        let scan = scan.between(first, last);
        let by_created = by_created && scan.columns.has_created;
        let table = scan.table(session);
        let rows = table.sql();
        let keys = selected.join_keys.iter().map(|key| entities.join_key(key)).collect();
        let alias = format!("v{index}");
        let mut join = Self { selected, source, table, alias, keys, by_created, rows, has_ties: false };
        if join.source.is_text() {
            join.keep_rows(session)?;
        }
        Ok(join)
    }

    /// Reads the rows that can matter into a table.
    fn keep_rows(&mut self, session: &Session) -> Result<(), Problem> {
        let table = format!("{}_rows", self.alias);
        let names = self.table.columns.names().join(", ");
        let sql =
            format!("CREATE OR REPLACE TEMP TABLE {table} AS SELECT {names} FROM {}{}", self.rows, self.of_entities());
        session.execute(Work { what: &self.source.what(), scans: &[&self.table.table] }, &sql)?;
        self.rows = format!("{table} AS s");
        Ok(())
    }

    /// The time of an entity row in what event times count.
    fn time(&self) -> &'static str {
        in_unit(self.table.unit)
    }

    /// The join of one newest row that counts, with columns `t`, `c` and `f0`, ….
    fn sql(&self) -> String {
        let alias = &self.alias;
        let rows = self.source_rows();
        let pairs = |side: &str| -> Vec<String> {
            self.keys.iter().enumerate().map(|(index, key)| format!("e.{key} = {side}.k{index}")).collect()
        };
        if self.by_created {
            let features: String =
                self.table.columns.feature_names().map(|name| format!(", {name} := s.{name}")).collect();
            let unpacked: String =
                self.table.columns.feature_names().map(|name| format!(", r.{name} AS {name}")).collect();
            let conditions: Vec<String> = pairs("s")
                .into_iter()
                .chain([format!("s.t <= e.{}", self.time()), format!("s.c <= e.{}", in_unit(self.table.created_unit))])
                .collect();
            return format!(
                "LEFT JOIN (SELECT {ROW}, r.t AS t, r.c AS c{unpacked} FROM (
                     SELECT e.{ROW}, arg_max(struct_pack(t := s.t, c := s.c{features}), s.o) AS r
                     FROM {TABLE} AS e JOIN ({rows}) AS s ON {} GROUP BY e.{ROW})) AS {alias}
                 ON e.{ROW} = {alias}.{ROW}",
                conditions.join(" AND ")
            );
        }
        // The greatest recency that is not after the row's time.
        let moment = match self.table.columns.has_created {
            true => format!("(e.{} :: HUGEINT * {TWO_TO_64} + ({TWO_TO_64} - 1))", self.time()),
            false => format!("e.{}", self.time()),
        };
        let on: Vec<String> = pairs(alias).into_iter().chain([format!("{moment} >= {alias}.o")]).collect();
        format!("ASOF LEFT JOIN ({rows}) AS {alias} ON {}", on.join(" AND "))
    }

    /// The source rows that can matter: keys `k…`, event time `t`, creation time `c`, recency `o`,
    /// features `f…`, cut to the entities.
    fn source_rows(&self) -> String {
        let columns = self.table.columns;
        let selected: Vec<String> = columns
            .key_names()
            .chain(["t".to_owned(), format!("{} AS c", columns.created()), format!("{} AS o", self.table.recency())])
            .chain(columns.feature_names())
            .collect();
        format!("SELECT {} FROM {}{}", selected.join(", "), self.rows, self.of_entities())
    }

    /// The condition that a source row is of an entity that somebody asks about.
    fn of_entities(&self) -> String {
        if self.keys.is_empty() {
            return String::new();
        }
        let stored: Vec<String> = self.table.columns.key_names().map(|key| format!("s.{key}")).collect();
        let asked: Vec<String> = self.keys.iter().map(|key| format!("e.{key}")).collect();
        format!(" WHERE ({}) IN (SELECT ({}) FROM {TABLE} AS e)", stored.join(", "), asked.join(", "))
    }

    /// What is kept of the join: times and features, with the view's name in front.
    fn found(&self) -> Vec<String> {
        let alias = &self.alias;
        let times = ["t", "c"].map(|name| format!("{alias}.{name} AS {alias}_{name}"));
        // What is older than the ttl at the row's time is no value; exactly as old still is.
        let lives = self.selected.view.ttl.limit().map(|ttl| {
            let ttl = ticks(ttl, self.table.unit);
            format!("{alias}.t >= e.{} - {ttl}", self.time())
        });
        let feature = |name: String| match &lives {
            Some(lives) => format!("CASE WHEN {lives} THEN {alias}.{name} END AS {alias}_{name}"),
            None => format!("{alias}.{name} AS {alias}_{name}"),
        };
        let features = self.table.columns.feature_names().map(feature);
        let lives = format!("{} AS {alias}_lives", lives.as_deref().unwrap_or("true"));
        times.into_iter().chain([lives]).chain(features).collect()
    }

    /// Looks whether the row that was found has others of its entity and moment beside it, and
    /// decides between them by their values. Gives how many rows were as new as others.
    fn decide_ties(&mut self, session: &Session) -> Result<u64, Problem> {
        let what = self.source.what();
        let alias = &self.alias;
        let times = format!("SELECT min({alias}_t), max({alias}_t) FROM {JOINED}");
        let [Some(first), Some(last)] = session.integers(Work { what: &what, scans: &[] }, &times)? else {
            return Ok(0);
        };
        let moments = self.source.scan(&[])?.between(first, last).table(session);
        let all_rows = if self.source.is_text() { self.rows.clone() } else { moments.sql() };
        let keys: Vec<String> = moments.columns.key_names().collect();
        let found: Vec<String> =
            self.keys.iter().enumerate().map(|(index, key)| format!("e.{key} AS k{index}")).collect();
        let grouped: Vec<String> = keys.iter().map(|key| format!("s.{key}")).collect();
        let key_list = |list: &[String]| list.iter().map(|key| format!("{key}, ")).collect::<String>();
        let created = moments.columns.created();
        let rows = format!("(SELECT {}t, {created} AS c FROM {}) AS s", key_list(&keys), all_rows);
        let moment = format!("{}j.{alias}_t AS t, j.{alias}_c AS c", key_list(&found));
        let of_entities = format!("{JOINED} AS j JOIN {TABLE} AS e USING ({ROW}) WHERE j.{alias}_t IS NOT NULL");
        let same = self.same_moment("s", "m");
        // Most often there are as many rows as moments, and then there is nothing to decide.
        let sql = format!(
            "SELECT (SELECT count(*) FROM (SELECT DISTINCT {moment} FROM {of_entities})),
                    (SELECT count(*) FROM {rows} SEMI JOIN (SELECT {moment} FROM {of_entities}) AS m ON {same})"
        );
        let work = Work { what: &what, scans: &[&moments.table] };
        let [found_moments, found_rows] = session.integers(work, &sql)?;
        if found_moments == found_rows {
            return Ok(0);
        }
        let sql = format!(
            "CREATE OR REPLACE TEMP TABLE {alias}_tied AS
             SELECT {}s.t, s.c FROM {rows} JOIN (SELECT DISTINCT {moment} FROM {of_entities}) AS m ON {same}
             GROUP BY ALL HAVING count(*) > 1",
            key_list(&grouped),
        );
        session.execute(work, &sql)?;
        let ties = found_rows.zip(found_moments).map(|(rows, moments)| rows - moments);
        let all: Vec<&Field> = self.source.view.features.iter().collect();
        let contents = self.source.scan(&all)?.between(first, last).with_content().table(session);
        let features: Vec<String> = self
            .selected
            .features
            .iter()
            .enumerate()
            .filter_map(|(index, feature)| {
                let position = all.iter().position(|field| field.name == feature.field.name)?;
                Some(format!("f{index} := s.f{position}"))
            })
            .collect();
        let columns: Vec<String> = contents.columns.feature_names().collect();
        let sql = format!(
            "CREATE OR REPLACE TEMP TABLE {alias}_winners AS
             SELECT {}s.t, s.c, arg_max(struct_pack({}), s.content) AS r
             FROM (SELECT {}t, {created} AS c, {}, content FROM {}) AS s JOIN {alias}_tied AS m ON {} GROUP BY ALL",
            key_list(&grouped),
            features.join(", "),
            key_list(&keys),
            columns.join(", "),
            contents.sql(),
            self.same_moment("s", "m"),
        );
        session.execute(Work { what: &what, scans: &[&contents.table] }, &sql)?;
        self.has_ties = true;
        Ok(ties.and_then(|ties| u64::try_from(ties).ok()).unwrap_or(0))
    }

    /// The condition that two rows are of one entity and moment.
    fn same_moment(&self, one: &str, other: &str) -> String {
        self.table
            .columns
            .key_names()
            .map(|key| format!("{one}.{key} = {other}.{key}"))
            .chain([format!("{one}.t = {other}.t"), format!("{one}.c IS NOT DISTINCT FROM {other}.c")])
            .collect::<Vec<_>>()
            .join(" AND ")
    }

    /// The features as they come out, in the order in which they were asked for.
    fn outputs(&self) -> Vec<String> {
        let alias = &self.alias;
        let output = |name: String| {
            let found = format!("j.{alias}_{name}");
            match self.has_ties {
                true => format!(
                    "CASE WHEN w{alias}.r IS NULL OR NOT j.{alias}_lives THEN {found} ELSE w{alias}.r.{name} END"
                ),
                false => found,
            }
        };
        self.table.columns.feature_names().map(output).collect()
    }

    /// The join with the rows that were decided on.
    fn winners(&self) -> Option<String> {
        let alias = &self.alias;
        let keys = self.keys.iter().enumerate().map(|(index, key)| format!("e.{key} = w{alias}.k{index}"));
        let moment = [format!("j.{alias}_t = w{alias}.t"), format!("j.{alias}_c IS NOT DISTINCT FROM w{alias}.c")];
        let on: Vec<String> = keys.chain(moment).collect();
        self.has_ties.then(|| format!("LEFT JOIN {alias}_winners AS w{alias} ON {}", on.join(" AND ")))
    }
}

/// The column with the time of an entity row in a unit.
fn in_unit(unit: TimeUnit) -> &'static str {
    if unit == TimeUnit::Nanosecond { "ns" } else { "us" }
}
