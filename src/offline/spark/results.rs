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
    plan,
    session::Session,
    sql::quoted,
    upload::SentRows,
    written,
};
use crate::{
    model::Timestamp,
    offline::{
        HistoricalQuery, Tasks, WrittenResult,
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
pub(super) fn write_folder(
    way: Way<'_>,
    query: &HistoricalQuery<'_>,
    (folder, run, now): (StagedFolder, &str, Timestamp),
    watch: &dyn Fn(Tasks),
) -> Result<WrittenResult, Problem> {
    let (mut folder, mut begun) = (Some(folder), None);
    let mut files = Vec::new();
    let rows = join(way, query, &mut |session, statement| {
        let is_there = begun.is_some();
        if let Some(folder) = folder.take() {
            begun = Some(folder.begin()?);
        }
        let Some(filling) = &begun else { return Ok(()) };
        written::add(session, statement, (filling, is_there), watch)?;
        files = written::files(session, filling)?;
        Ok(())
    })?;
    let manifest = Manifest {
        format_version: Manifest::FORMAT_VERSION,
        id: run.to_owned(),
        written: now,
        rows: Some(rows),
        files: files.clone(),
        view: None,
    };
    if let Some(filling) = begun {
        filling.finish(&manifest)?;
    }
    Ok(WrittenResult { rows, files })
}

/// The same into a table of the cluster's catalog, which is made for it by one statement, in the format that the cluster makes
/// tables in.
///
/// # Errors
/// As for [`write_folder`], and when the name is none or taken, or entity rows are too many for one statement.
pub(super) fn write_table(
    way: Way<'_>,
    query: &HistoricalQuery<'_>,
    name: &str,
    watch: &dyn Fn(Tasks),
) -> Result<WrittenResult, Problem> {
    let name = table_name(name)?;
    let mut is_made = false;
    let rows = join(way, query, &mut |session, statement| {
        let carry_out = |statement: &str| session.collected(plan::sql(statement), watch).map(drop);
        if is_made {
            // Nobody could tell half a table from a whole one.
            carry_out(&format!("DROP TABLE {name}"))?;
            let message = "there are more entity rows than one message takes, and a table is made by one statement";
            let help = "set `staging_location` beside `spark_conf`, where entity rows can lie, or write a folder";
            return Err(Problem::new(Kind::Unsupported, message, help.to_owned()));
        }
        carry_out(&format!("CREATE TABLE {name} AS\n{statement}"))?;
        is_made = true;
        Ok(())
    })?;
    Ok(WrittenResult { rows, files: Vec::new() })
}

/// A name with dots, such as `catalog.schema.name`, as it stands in statements.
fn table_name(name: &str) -> Result<String, Problem> {
    let parts: Vec<&str> = name.split('.').collect();
    if parts.iter().any(|part| part.trim().is_empty() || part.contains(char::is_control)) {
        let message = format!("`{name}` is no name of a table");
        return Err(Problem::new(
            Kind::Invalid,
            message,
            "write it as catalog.schema.name, or a part of that".to_owned(),
        ));
    }
    Ok(parts.into_iter().map(quoted).collect::<Vec<_>>().join("."))
}

/// Puts the rows that a statement gives somewhere.
type Put<'p> = dyn FnMut(&Session, &str) -> Result<(), Problem> + 'p;

/// Has features joined by a statement for each part of the entity rows, and gives their number.
fn join(way: Way<'_>, query: &HistoricalQuery<'_>, put: &mut Put<'_>) -> Result<u64, Problem> {
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
    let mut rows: u64 = 0;
    let whole = |count: usize| {
        let nothing: Vec<ArrayRef> = kinds.iter().map(|kind| new_null_array(kind, count)).collect();
        let rows = beside.next(nothing, count)?;
        names.iter().zip(rows.columns()).map(|(name, column)| as_sent(column, name)).collect()
    };
    let mut parts = EntityParts::new((way, &cluster.session), (entities, &join.keys), whole);
    while let Some(EntityPart { rows: asked, .. }) = parts.next()? {
        let joined = asking(&cluster, &sides, (&asked, join.keys.len()))?;
        put(&cluster.session, &statement(&joined, &asked, (&names, &features, &computed)))?;
        rows += asked.count;
        query.progress.joined.add(asked.count);
    }
    if rows == 0 {
        return Err(Problem::new(Kind::Invalid, "there are no entity rows, and so nothing to write", None));
    }
    Ok(rows)
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
