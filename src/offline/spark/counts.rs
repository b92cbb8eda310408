//! What is counted of a view's source before anything is read of it.

use super::{cluster::Cluster, only::Only, view_rows::ViewRows};
use crate::{
    model::{FeatureView, Interval, Timestamp},
    offline::{Counted, Examined, NewestQuery},
    problem::Problem,
    sources::Ticks,
};

/// How many rows an interval has, of about how many entities, and what is missing of others.
///
/// # Errors
/// When the source cannot be read or lacks a column, the cluster refuses, or it is called off.
pub(super) fn count(cluster: &Cluster<'_>, query: &NewestQuery<'_>) -> Result<Counted, Problem> {
    let rows = cluster.rows_of(query.view)?;
    let only = Only::send(query.entities, query.view, &cluster.session)?;
    let keys = rows.key_names();
    // Rows without a time are in no interval.
    let inside = rows.inside(bounds(query.interval)).join(" AND ");
    let source = only.confined(&rows.select(&[], &[format!("({inside} OR {})", rows.without_time())]));
    let entities = match keys.as_slice() {
        [] => "CASE WHEN count(t) > 0 THEN 1 ELSE 0 END".to_owned(),
        keys => format!("approx_count_distinct(CASE WHEN t IS NOT NULL THEN xxhash64({}) END)", keys.join(", ")),
    };
    let statement = format!(
        "SELECT count(t) AS a, {entities} AS b, count_if(t IS NOT NULL AND ({})) AS c, count_if(t IS NULL) AS d FROM ({source})",
        null_key(&keys)
    );
    let [of_interval, entities, null_keys, mut without_time] = cluster.integers(&statement)?.map(number);
    if only.leaves_out() {
        // Whose they are does not matter then.
        let all = rows.select(&[], &[rows.without_time()]);
        [without_time] = cluster.integers(&format!("SELECT count(*) AS a FROM ({all})"))?.map(number);
    }
    let is_empty = of_interval == 0 && has_no_times(cluster, &rows)?;
    Ok(Counted { rows: of_interval, entities, null_keys, without_time, is_empty })
}

/// Whether no row has a time; ends with the first one that has.
fn has_no_times(cluster: &Cluster<'_>, rows: &ViewRows<'_>) -> Result<bool, Problem> {
    let source = rows.select(&[], &rows.inside((None, None)));
    let statement = format!("SELECT count(*) AS a FROM (SELECT t FROM ({source}) LIMIT 1)");
    Ok(cluster.integers(&statement)? == [Some(0)])
}

/// What checks ask about an interval and the time after `now`, in one go over the source.
///
/// # Errors
/// As for [`count`].
pub(super) fn examine(cluster: &Cluster<'_>, query: &NewestQuery<'_>, now: Timestamp) -> Result<Examined, Problem> {
    let rows = cluster.rows_of(query.view)?;
    let null_key = null_key(&rows.key_names());
    let inside = format!("t BETWEEN {}L AND {}L", query.interval.start.micros(), query.interval.end.micros());
    let future = format!("t > {}L", now.micros());
    let [interval, later] = [bounds(query.interval), (Some(now.micros()), None)]
        .map(|bounds| format!("({})", rows.inside(bounds).join(" AND ")));
    let source = rows.select(&[], &[format!("({interval} OR {later})")]);
    let statement = format!(
        "SELECT count_if({inside}) AS a, count_if({inside} AND ({null_key})) AS b, min(CASE WHEN {inside} AND ({null_key}) THEN t \
         END) AS c, count_if({future}) AS d, max(CASE WHEN {future} THEN t END) AS e FROM ({source})"
    );
    let [of_interval, null_keys, null_key_at, future, latest] = cluster.integers(&statement)?;
    let moment = |at| Ticks::Micros.moment(at);
    Ok(Examined {
        rows: number(of_interval),
        null_keys: number(null_keys),
        null_key_at: null_key_at.map(moment),
        future: number(future),
        latest: latest.map(moment),
    })
}

/// How many rows are as new as another one of their entity.
///
/// # Errors
/// As for [`count`].
pub(super) fn ties(cluster: &Cluster<'_>, view: &FeatureView) -> Result<u64, Problem> {
    let rows = cluster.rows_of(view)?;
    let conditions: Vec<String> = rows.inside((None, None)).into_iter().chain(rows.of_entities()).collect();
    let columns = rows.key_names().into_iter().chain(["t".to_owned(), "c".to_owned()]).collect::<Vec<_>>().join(", ");
    let source = rows.select(&[], &conditions);
    let statement = format!("SELECT sum(n - 1) AS a FROM (SELECT count(*) AS n FROM ({source}) GROUP BY {columns})");
    let [ties] = cluster.integers(&statement)?;
    Ok(number(ties))
}

/// The earliest event time of a view's source, unless it has no rows.
///
/// # Errors
/// As for [`count`]; and when it has rows and none of them a time.
pub(super) fn first_event(cluster: &Cluster<'_>, view: &FeatureView) -> Result<Option<Timestamp>, Problem> {
    let rows = cluster.rows_of(view)?;
    let statement = format!("SELECT min(t) AS a, count(*) AS b FROM ({})", rows.select(&[], &[]));
    match cluster.integers(&statement)? {
        [None, Some(count @ 1..)] => Err(rows.source().without_times(count)),
        [first, _] => Ok(first.map(|at| Ticks::Micros.moment(at))),
    }
}

const fn bounds(interval: Interval) -> (Option<i64>, Option<i64>) {
    (Some(interval.start.micros()), Some(interval.end.micros()))
}

/// A number that the server counted.
fn number(counted: Option<i64>) -> u64 {
    counted.and_then(|counted| u64::try_from(counted).ok()).unwrap_or(0)
}

/// Whether a row has no value for some join key.
fn null_key(keys: &[String]) -> String {
    match keys {
        [] => "false".to_owned(),
        keys => keys.iter().map(|key| format!("{key} IS NULL")).collect::<Vec<_>>().join(" OR "),
    }
}
