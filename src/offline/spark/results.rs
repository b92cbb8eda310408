//! Features that the cluster joins to entity rows and writes itself: entity rows are sent whole, and the result does not pass
//! through here.

use arrow::array::{ArrayRef, new_null_array};

use super::{
    cluster::{Cluster, Way},
    computed::Computed,
    entity_columns::as_sent,
    entity_parts::{EntityPart, EntityParts},
    historical::{self, asking},
    joined::NUMBER,
    joined_feature::JoinedFeature,
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
    let features = JoinedFeature::of_sides(&sides)?;
    let kinds = historical::kinds(&sides)?;
    let mut beside = BesideEntities::new(&entities, (query.retrieval, &kinds))?;
    let computed = Computed::of(query.retrieval, beside.schema(), &features)?;
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
        let statement = statement(&joined, &asked, (&names, &features, &computed));
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

/// The statement that puts the columns of the entity rows in front of their features, and behind these what is computed.
fn statement(
    joined: &str,
    entities: &SentRows,
    (names, features, computed): (&[String], &[JoinedFeature<'_>], &Computed<'_>),
) -> String {
    let columns = names.iter().enumerate().map(|(column, name)| (format!("r.e{column}"), name.as_str()));
    let shown = features.iter().zip(computed.shown()).filter(|(_, is_shown)| *is_shown);
    let columns = columns.chain(shown.map(|(feature, _)| (feature.value(), feature.output())));
    let from = format!("{} AS r LEFT JOIN (\n{joined}\n) AS j ON r.n = j.{NUMBER}", entities.name);
    computed.beside(columns, &from)
}
