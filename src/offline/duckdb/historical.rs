use std::path::Path;

use super::{
    entity_rows::{EntityTable, ROW, TABLE, TIME},
    session::Session,
    source::{SourceTable, TWO_TO_64},
    sql,
};
use crate::{
    offline::{BatchSink, HistoricalQuery, OfflineError},
    retrieval::SelectedView,
};

/// Runs the point-in-time join as one query and streams its result.
pub fn run(
    session: &Session,
    repo: &Path,
    query: &HistoricalQuery<'_>,
    sink: &mut dyn BatchSink,
) -> Result<(), OfflineError> {
    let entities = EntityTable::load(session, query.entities)?;
    check_names(&entities, query)?;
    let mut outputs = entities.outputs();
    let mut joins = Vec::new();
    for (index, selected) in query.retrieval.views.iter().enumerate() {
        let join = ViewJoin::new(session, repo, &entities, selected, index, query.filter_by_created_timestamp)?;
        joins.push(join.sql);
        outputs.extend(join.outputs);
    }
    let sql = format!("SELECT {} FROM {TABLE} AS e {} ORDER BY e.{ROW}", outputs.join(", "), joins.join(" "));
    session.stream("cannot join features", &sql, sink)
}

/// A feature may not be called like a column of the entity rows.
fn check_names(entities: &EntityTable, query: &HistoricalQuery<'_>) -> Result<(), OfflineError> {
    for column in entities.columns() {
        if query.retrieval.outputs().any(|output| output == column) {
            return Err(OfflineError::new(
                format!("{} has a column `{column}`, and so would the result", query.entities.shown),
                "use --full-feature-names, or rename the column".to_owned(),
            ));
        }
    }
    Ok(())
}

/// The part of the query that finds one view's features.
struct ViewJoin {
    sql: String,
    outputs: Vec<String>,
}

impl ViewJoin {
    fn new(
        session: &Session,
        repo: &Path,
        entities: &EntityTable,
        selected: &SelectedView,
        index: usize,
        by_created: bool,
    ) -> Result<Self, OfflineError> {
        let source = SourceTable::open(session, repo, &selected.view)?;
        source.check_times(session)?;
        let alias = format!("v{index}");
        let mut keys = Vec::with_capacity(selected.join_keys.len());
        for key in &selected.join_keys {
            let stored = format!("{} :: {}", source.column(&key.field.name)?, sql::key_type(&key.field.dtype));
            keys.push((stored, entities.join_key(session, key)?));
        }
        let rows = source_rows(session, &source, entities, selected, &keys)?;
        let mut on: Vec<String> =
            keys.iter().enumerate().map(|(index, (_, entity))| format!("{entity} = {alias}.k{index}")).collect();
        let outputs = selected.features.iter().enumerate().map(|(index, feature)| {
            let name = sql::name(&feature.output);
            match selected.view.ttl.limit() {
                // What is older than the ttl at the row's time is no value; exactly as old still is.
                Some(ttl) => format!("CASE WHEN {alias}.t >= e.{TIME} - {ttl} THEN {alias}.f{index} END AS {name}"),
                None => format!("{alias}.f{index} AS {name}"),
            }
        });
        let created = source.created()?.filter(|_| by_created);
        let sql = if created.is_some() {
            let features: String =
                (0..selected.features.len()).map(|index| format!(", f{index} := s.f{index}")).collect();
            let conditions: Vec<String> = keys
                .iter()
                .enumerate()
                .map(|(index, (_, entity))| format!("{entity} = s.k{index}"))
                .chain([format!("s.t <= e.{TIME}"), format!("s.c <= e.{TIME}")])
                .collect();
            let unpacked: String =
                (0..selected.features.len()).map(|index| format!(", r.f{index} AS f{index}")).collect();
            format!(
                "LEFT JOIN (SELECT {ROW}, r.t AS t{unpacked} FROM (
                     SELECT e.{ROW}, arg_max(struct_pack(t := s.t{features}), s.o) AS r
                     FROM {TABLE} AS e JOIN ({rows}) AS s ON {} GROUP BY e.{ROW})) AS {alias}
                 ON e.{ROW} = {alias}.{ROW}",
                conditions.join(" AND ")
            )
        } else {
            // The greatest recency that is not after the row's time.
            let moment = match source.created()? {
                Some(_) => format!("(e.{TIME} :: HUGEINT * {TWO_TO_64} + ({TWO_TO_64} - 1))"),
                None => format!("e.{TIME}"),
            };
            on.push(format!("{moment} >= {alias}.o"));
            format!("ASOF LEFT JOIN ({rows}) AS {alias} ON {}", on.join(" AND "))
        };
        Ok(Self { sql, outputs: outputs.collect() })
    }
}

/// The source rows that can matter: keys `k…`, event time `t`, creation time `c`, recency `o`,
/// features `f…`, cut to the entities and the time of the entity rows.
fn source_rows(
    session: &Session,
    source: &SourceTable<'_>,
    entities: &EntityTable,
    selected: &SelectedView,
    keys: &[(String, String)],
) -> Result<String, OfflineError> {
    let event = source.event()?;
    let mut columns: Vec<String> =
        keys.iter().enumerate().map(|(index, (stored, _))| format!("{stored} AS k{index}")).collect();
    columns.push(format!("{event} AS t"));
    columns.push(format!("{} AS c", source.created()?.unwrap_or_else(|| "NULL :: BIGINT".to_owned())));
    columns.push(format!("{} AS o", source.recency()?));
    for (index, feature) in selected.features.iter().enumerate() {
        columns.push(format!("{} AS f{index}", source.column(&feature.field.name)?));
    }
    let mut conditions = match entities.time_range(session)? {
        Some((first, last)) => {
            let earliest = selected.view.ttl.limit().map_or(i64::MIN, |ttl| first.saturating_sub(ttl));
            vec![format!("{event} BETWEEN {earliest} AND {last}")]
        }
        None => vec!["false".to_owned()],
    };
    if !keys.is_empty() {
        let stored: Vec<&str> = keys.iter().map(|(stored, _)| stored.as_str()).collect();
        let entity: Vec<&str> = keys.iter().map(|(_, entity)| entity.as_str()).collect();
        conditions.push(format!("({}) IN (SELECT ({}) FROM {TABLE} AS e)", stored.join(", "), entity.join(", ")));
    }
    Ok(format!("SELECT {} FROM {} WHERE {}", columns.join(", "), source.relation, conditions.join(" AND ")))
}
