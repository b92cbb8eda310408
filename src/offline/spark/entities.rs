//! The entities that rows of sources are of, found by the cluster.

use std::sync::Arc;

use super::{
    cluster::Cluster,
    plan,
    sql::quoted,
    view_rows::{ViewRows, key_type},
};
use crate::{
    model::DataType,
    offline::{EntityQuery, EntitySource, result_file},
    problem::{Kind, Problem},
    retrieval::{EVENT_TIMESTAMP, Entities},
    spill::SpillFolder,
};

/// The entities, each once, at their moments or without any; in the order of those, then of their keys.
///
/// # Errors
/// When a source cannot be read or lacks a column, the cluster refuses, or it is called off.
pub(super) fn of_sources(cluster: &Cluster<'_>, query: &EntityQuery) -> Result<Entities, Problem> {
    const SHOWN: &str = "the entities of the sources";
    let columns = query.columns();
    if columns.is_empty() && query.at.is_some() {
        return without_keys(cluster, query);
    }
    // Views without keys have no entities; they are asked only where there are no others.
    let sources = query.sources.iter().filter(|source| columns.is_empty() || !source.keys.is_empty());
    let selects = sources.map(|source| select(cluster, source, &columns, query.at.is_none()));
    let selects = selects.collect::<Result<Vec<_>, _>>()?;
    let times = query.at.is_none().then(|| EVENT_TIMESTAMP.to_owned());
    let order: Vec<String> = times.into_iter().chain(columns.iter().map(|(name, _)| quoted(name))).collect();
    let order: Vec<String> = order.into_iter().map(|column| format!("{column} ASC NULLS LAST")).collect();
    let statement = format!("SELECT DISTINCT * FROM ({}) ORDER BY {}", selects.join("\nUNION ALL\n"), order.join(", "));
    let folder = Arc::new(SpillFolder::default());
    let path = folder.path()?.join("rows.parquet");
    result_file::write((&path, SHOWN), |rows| cluster.session.rows(plan::sql(&statement), rows, &|_| {}).map(drop))?;
    Ok(Entities::of_kept(path, folder, SHOWN))
}

/// The one entity of views without join keys, if they have rows.
fn without_keys(cluster: &Cluster<'_>, query: &EntityQuery) -> Result<Entities, Problem> {
    for source in &query.sources {
        let rows = cluster.rows_of(&source.view)?;
        let any = rows.select(&[], &conditions(source, &rows));
        let statement = format!("SELECT count(*) AS a FROM (SELECT t FROM ({any}) LIMIT 1)");
        if cluster.integers(&statement)? == [Some(1)] {
            return Entities::of_texts(&[Vec::new()]);
        }
    }
    Entities::of_texts(&[])
}

/// The entity rows of a source.
fn select(
    cluster: &Cluster<'_>,
    source: &EntitySource,
    columns: &[(&str, &DataType)],
    with_times: bool,
) -> Result<String, Problem> {
    let rows = cluster.rows_of(&source.view)?;
    let mut selected = columns.iter().map(|column| of_column(source, *column)).collect::<Result<Vec<_>, _>>()?;
    selected.extend(with_times.then(|| format!("timestamp_micros(t) AS {EVENT_TIMESTAMP}")));
    Ok(format!("SELECT {} FROM ({})", selected.join(", "), rows.select(&[], &conditions(source, &rows))))
}

/// A column of entity rows from a source: null where the source does not have it.
fn of_column(source: &EntitySource, (name, dtype): (&str, &DataType)) -> Result<String, Problem> {
    let kind = match dtype {
        DataType::Int32 => "INT",
        dtype if key_type(dtype) == key_type(&DataType::Int64) => "BIGINT",
        dtype if key_type(dtype).is_some() => "STRING",
        dtype => {
            let message = format!("join key `{name}` is {dtype}, and on Spark whole numbers and texts are joined");
            let help = "give its entity the value_type INT64 or STRING".to_owned();
            return Err(Problem::new(Kind::Unsupported, message, help));
        }
    };
    let value = match source.keys.iter().position(|key| key.column == name) {
        None => format!("CAST(NULL AS {kind})"),
        Some(key) if source.keys[key].field.dtype == *dtype => format!("CAST(k{key} AS {kind})"),
        Some(key) => format!("try_cast(k{key} AS {kind})"),
    };
    Ok(format!("{value} AS {}", quoted(name)))
}

/// Which rows of a source are of an entity, and count.
fn conditions(source: &EntitySource, rows: &ViewRows<'_>) -> Vec<String> {
    let bounds = (Some(source.interval.start.micros()), Some(source.interval.end.micros()));
    let mut conditions = rows.inside(bounds);
    conditions.extend(rows.of_entities());
    if source.by_created {
        conditions.extend(rows.written_by(Some(source.interval.end.micros())));
    }
    conditions
}
