use std::path::Path;

use super::{session::Session, source::SourceTable};
use crate::{
    model::{FeatureView, Timestamp},
    offline::{BatchSink, NewestQuery, OfflineError},
};

/// Streams the newest row per entity: keys, event time, creation time, features.
pub fn run(
    session: &Session,
    repo: &Path,
    query: &NewestQuery<'_>,
    sink: &mut dyn BatchSink,
) -> Result<(), OfflineError> {
    session.forget_order()?;
    let source = SourceTable::open(session, repo, query.view)?;
    session.stream(&source.what(), &newest(&source, query)?, sink)
}

/// One aggregation: each entity keeps the row with the greatest recency. The row is carried as a
/// struct, because `arg_max` of a single column would skip the nulls of the newest row.
fn newest(source: &SourceTable<'_>, query: &NewestQuery<'_>) -> Result<String, OfflineError> {
    let keys = key_columns(source, query.view)?;
    let mut row = vec![
        format!("event := {}", source.event()?),
        format!("created := {}", source.created()?.unwrap_or_else(|| "NULL :: BIGINT".to_owned())),
    ];
    for (index, feature) in query.view.features.iter().enumerate() {
        row.push(format!("f{index} := {}", source.column(&feature.name)?));
    }
    let selected: Vec<String> = (0..keys.len())
        .map(|index| format!("k{index}"))
        .chain(["make_timestamp(r.event)".to_owned(), "make_timestamp(r.created)".to_owned()])
        .chain((0..query.view.features.len()).map(|index| format!("r.f{index}")))
        .collect();
    let named_keys: String = keys.iter().enumerate().map(|(index, key)| format!("{key} AS k{index}, ")).collect();
    let group = if keys.is_empty() {
        // Without keys there is still no row when nothing is in the interval.
        "HAVING count(*) > 0".to_owned()
    } else {
        format!("GROUP BY {}", (1..=keys.len()).map(|index| index.to_string()).collect::<Vec<_>>().join(", "))
    };
    Ok(format!(
        "SELECT {} FROM (SELECT {named_keys}arg_max(struct_pack({}), {}) AS r FROM {} WHERE {} {group})",
        selected.join(", "),
        row.join(", "),
        source.recency()?,
        source.relation,
        in_interval(source, query)?,
    ))
}

/// About how many entities have a row in the interval.
pub fn count(session: &Session, repo: &Path, query: &NewestQuery<'_>) -> Result<u64, OfflineError> {
    let source = SourceTable::open(session, repo, query.view)?;
    let keys = key_columns(&source, query.view)?;
    let counted = match keys.as_slice() {
        [] => "least(count(*), 1)".to_owned(),
        keys => format!("approx_count_distinct(hash({}))", keys.join(", ")),
    };
    let sql = format!("SELECT {counted} FROM {} WHERE {}", source.relation, in_interval(&source, query)?);
    session.value(&source.what(), &sql)
}

/// The earliest event time of a view's source.
pub fn first_event(session: &Session, repo: &Path, view: &FeatureView) -> Result<Option<Timestamp>, OfflineError> {
    let source = SourceTable::open(session, repo, view)?;
    let sql = format!("SELECT min({}) FROM {}", source.event()?, source.relation);
    let micros: Option<i64> = session.value(&source.what(), &sql)?;
    Ok(micros.map(Timestamp::from_micros))
}

fn key_columns(source: &SourceTable<'_>, view: &FeatureView) -> Result<Vec<String>, OfflineError> {
    view.join_keys().iter().map(|column| source.column(&column.name)).collect()
}

fn in_interval(source: &SourceTable<'_>, query: &NewestQuery<'_>) -> Result<String, OfflineError> {
    let event = source.event()?;
    let (start, end) = (query.interval.start.micros(), query.interval.end.micros());
    Ok(format!("{event} BETWEEN {start} AND {end}"))
}
