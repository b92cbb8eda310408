//! Features that the cluster joins to entity rows and writes itself: entity rows are sent whole, and the result does not pass
//! through here.

use arrow::array::{ArrayRef, new_null_array};

use super::{
    cluster::{Cluster, Way},
    entity_columns::{as_sent, as_written},
    entity_parts::{EntityPart, EntityParts},
    historical::{self, asking},
    joined::NUMBER,
    joined_side::JoinedSide,
    sql::quoted,
    upload::SentRows,
    written,
};
use crate::{
    model::Timestamp,
    offline::{
        HistoricalQuery, Tasks,
        join::Join,
        point_in_time::{BesideEntities, EntityRows, check_names},
    },
    problem::{Kind, Problem},
    staging::{Manifest, StagedFolder},
};

/// Has features joined and written into a folder, where nothing is yet: one row for each entity row, in no order. `watch` is told
/// how many tasks are done and known.
///
/// # Errors
/// When entity rows or sources cannot be read, lack a column or have values that are not written as what is declared, the cluster
/// does not join or write them, or it is called off. Then nothing is left.
pub(super) fn write(
    way: Way<'_>,
    query: &HistoricalQuery<'_>,
    (folder, run, now): (StagedFolder, &str, Timestamp),
    watch: &dyn Fn(Tasks),
) -> Result<Manifest, Problem> {
    way.cancel.check()?;
    let join = Join::of(query.retrieval, query.filter_by_created_timestamp);
    let entities = EntityRows::open(query.entities, &join.keys)?;
    check_names(&entities, query)?;
    if query.retrieval.fetched().next().is_none() {
        let message = "no feature is read of a source, so that there is nothing that the cluster could join";
        return Err(Problem::new(Kind::Invalid, message, "have the result written to one file".to_owned()));
    }
    let cluster = Cluster::open(way)?;
    let sides = historical::sides(&cluster, query, &join)?;
    let features = features(&sides)?;
    let kinds = historical::kinds(&sides)?;
    let mut beside = BesideEntities::new(&entities, (query.retrieval, &kinds))?;
    let names: Vec<String> = entities.columns().map(str::to_owned).collect();
    query.progress.joined.expect(entities.about_rows());
    let filling = folder.begin()?;
    let mut rows: u64 = 0;
    let whole = |count: usize| {
        let nothing: Vec<ArrayRef> = kinds.iter().map(|kind| new_null_array(kind, count)).collect();
        let rows = beside.next(nothing, count)?;
        names.iter().zip(rows.columns()).map(|(name, column)| as_sent(column, name)).collect()
    };
    let mut parts = EntityParts::new((way, &cluster.session), (entities, &join.keys), whole);
    while let Some(EntityPart { rows: asked, .. }) = parts.next()? {
        let joined = asking(&cluster, &sides, (&asked, join.keys.len()))?;
        let statement = statement(&joined, &asked, (&names, &features));
        written::add(&cluster.session, &statement, (&filling, rows > 0), watch)?;
        rows += asked.count;
        query.progress.joined.add(asked.count);
    }
    drop(parts);
    if rows == 0 {
        return Err(Problem::new(Kind::Invalid, "there are no entity rows, and so nothing to write", None));
    }
    let manifest = Manifest {
        format_version: Manifest::FORMAT_VERSION,
        id: run.to_owned(),
        written: now,
        rows: Some(rows),
        files: written::files(&cluster.session, &filling)?,
        view: None,
    };
    filling.finish(&manifest)?;
    Ok(manifest)
}

/// The features in the result: what they are called, and as what the cluster writes them, if that is not what it has.
fn features<'a>(sides: &[JoinedSide<'a>]) -> Result<Vec<(&'a str, Option<String>)>, Problem> {
    let mut features = Vec::new();
    for side in sides {
        let kinds = side.rows.kinds(&side.side.features)?;
        for ((feature, output), declared) in side.side.features.iter().zip(&side.outputs).zip(kinds) {
            features.push((*output, as_written(side.rows.feature(*feature)?, &declared, output)?));
        }
    }
    Ok(features)
}

/// The statement that puts the columns of the entity rows in front of their features.
fn statement(joined: &str, entities: &SentRows, (names, features): (&[String], &[(&str, Option<String>)])) -> String {
    let columns = names.iter().enumerate().map(|(column, name)| format!("r.e{column} AS {}", quoted(name)));
    let feature = |(name, kind): &(&str, Option<String>)| {
        let name = quoted(name);
        match kind {
            Some(kind) => format!("CAST(j.{name} AS {kind}) AS {name}"),
            None => format!("j.{name} AS {name}"),
        }
    };
    let columns: Vec<String> = columns.chain(features.iter().map(feature)).collect();
    format!(
        "SELECT {} FROM {} AS r LEFT JOIN (\n{joined}\n) AS j ON r.n = j.{NUMBER}",
        columns.join(", "),
        entities.name
    )
}
