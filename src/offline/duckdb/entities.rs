//! Entity rows that nobody has in hand: the entities of sources, and what SQL gives.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use duckdb::{Config, Connection};

use super::{
    DuckDbStore,
    error::explain,
    question,
    session::{DuckdbSession, Work},
    view_table::{ViewTable, micros},
};
use crate::{
    model::{DataSource, DataType, SourceKind, Timestamp},
    offline::{EntityQuery, EntitySource, result_file, view_source::ViewSource},
    problem::{Kind, Problem},
    retrieval::{EVENT_TIMESTAMP, Entities},
    spill::SpillFolder,
    sql_name::quoted,
};

/// The entities that rows of sources are of.
pub(super) fn of_sources(store: &DuckDbStore, query: &EntityQuery) -> Result<Entities, Problem> {
    const WHAT: &str = "cannot find entities";
    let columns = query.columns();
    if columns.is_empty() && query.at.is_some() {
        return without_keys(store, query);
    }
    let session = store.session()?;
    // Views without keys have no entities; they are asked only where there are no others.
    let sources = query.sources.iter().filter(|source| columns.is_empty() || !source.keys.is_empty());
    let opened = sources.map(|source| Ok((source, opened(store, source, query.at)?)));
    let opened = opened.collect::<Result<Vec<_>, Problem>>()?;
    let mut tables = Vec::with_capacity(opened.len());
    for (source, opened) in &opened {
        tables.push((*source, ViewTable::of(opened.scan(&[])?.inside(source.interval), &session)));
    }
    let scans: Vec<_> = tables.iter().map(|(_, table)| &table.table).collect();
    let sql = statement(&columns, &tables, query.at.is_none());
    kept(&session, Work { what: WHAT, scans: &scans }, &sql, "the entities of the sources")
}

/// The rows that tell of entities: those of which aggregates are made, but what they have become for those who ask about
/// one moment.
fn opened<'a>(
    store: &'a DuckDbStore,
    source: &'a EntitySource,
    at: Option<Timestamp>,
) -> Result<ViewSource<'a>, Problem> {
    match at {
        Some(_) => store.values_of(&source.view, source.interval, source.by_created),
        None => store.rows_of(&source.view, Some(source.interval)),
    }
}

/// The one entity of views without join keys, if they have rows.
fn without_keys(store: &DuckDbStore, query: &EntityQuery) -> Result<Entities, Problem> {
    let session = store.session()?;
    for source in &query.sources {
        let opened = opened(store, source, query.at)?;
        let table = ViewTable::of(opened.scan(&[])?.inside(source.interval), &session);
        let counts = counts(source, &table);
        let any = format!("SELECT count(*) FROM (SELECT 1 FROM {} WHERE {counts} LIMIT 1)", table.sql());
        if session.integers(Work { what: "cannot look for rows", scans: &[&table.table] }, &any)? == [Some(1)] {
            return Entities::of_texts(&[Vec::new()]);
        }
    }
    Entities::of_texts(&[])
}

fn statement(columns: &[(&str, &DataType)], tables: &[(&EntitySource, ViewTable)], with_times: bool) -> String {
    let select = |(source, table): &(&EntitySource, ViewTable)| {
        let mut selected: Vec<String> = columns.iter().map(|(name, dtype)| column(source, name, dtype)).collect();
        selected
            .extend(with_times.then(|| format!("make_timestamp({}) AS {EVENT_TIMESTAMP}", micros("t", table.ticks()))));
        format!("SELECT {} FROM {} WHERE {}", selected.join(", "), table.sql(), counts(source, table))
    };
    let selects: Vec<String> = tables.iter().map(select).collect();
    let order = with_times.then(|| EVENT_TIMESTAMP.to_owned());
    let order: Vec<String> = order.into_iter().chain(columns.iter().map(|(name, _)| quoted(name))).collect();
    format!("SELECT DISTINCT * FROM ({}) ORDER BY {}", selects.join("\nUNION\n"), order.join(", "))
}

/// A column of entity rows from a source: null where the source does not have it.
fn column(source: &EntitySource, name: &str, dtype: &DataType) -> String {
    let kind = sql_type(dtype);
    let value = match source.keys.iter().position(|key| key.column == name) {
        None => format!("NULL :: {kind}"),
        // They count seconds.
        Some(key) if *dtype == DataType::UnixTimestamp => format!("make_timestamp(k{key} * 1000000)"),
        Some(key) if source.keys[key].field.dtype == *dtype => format!("k{key}"),
        Some(key) => format!("TRY_CAST(k{key} AS {kind})"),
    };
    format!("{value} AS {}", quoted(name))
}

/// The type of a join key in statements.
const fn sql_type(dtype: &DataType) -> &'static str {
    match dtype {
        DataType::Int64 => "BIGINT",
        DataType::Int32 => "INTEGER",
        DataType::Bool => "BOOLEAN",
        DataType::Bytes => "BLOB",
        DataType::UnixTimestamp => "TIMESTAMP",
        _ => "VARCHAR",
    }
}

/// Which rows of a source are of an entity, and count.
fn counts(source: &EntitySource, table: &ViewTable) -> String {
    let keys = table.columns.key_names().map(|key| format!("{key} IS NOT NULL"));
    let created = (source.by_created && table.columns.has_created)
        .then(|| format!("c <= {}", table.created_ticks().of_micros(source.interval.end.micros())));
    let conditions: Vec<String> = keys.chain(created).collect();
    if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") }
}

/// Entity rows that SQL over the repo's files gives, or over those of some sources.
pub(super) fn of_sql(store: &DuckDbStore, sql: &str, sources: Option<&[&DataSource]>) -> Result<Entities, Problem> {
    const WHAT: &str = "cannot carry out the query of entities";
    let failed = |error: &duckdb::Error| explain(WHAT, error, &store.memory);
    let spill = store.spill.path()?;
    let connection = confined(&store.whereabouts.repo, sources, &spill, store).map_err(|error| failed(&error))?;
    question::parse(&connection, sql).map_err(|wrong| {
        let help =
            "write one SELECT over files of the repo, such as: SELECT driver_id, event_timestamp FROM 'rows.parquet'";
        Problem::new(Kind::Invalid, format!("{WHAT}: {wrong}"), help.to_owned())
    })?;
    let session = store.database.session_of(connection, &store.cancel);
    kept(&session, Work { what: WHAT, scans: &[] }, sql, "the query of entities").map_err(|problem| {
        // In DuckDB's words it is its configuration that forbids that.
        let place = problem.message.split_once("Cannot access file \"").and_then(|(_, place)| place.split('"').next());
        match place {
            Some(place) if sources.is_some() => Problem::new(
                Kind::Invalid,
                format!("{WHAT}: it reads {place}, which is no file of a data source that you may read"),
                "write the path of a data source as it is registered; nothing else can be read by a query".to_owned(),
            ),
            Some(place) => Problem::new(
                Kind::Invalid,
                format!("{WHAT}: it reads {place}, which is none of the repo's files"),
                "copy it into the repo; nothing else can be read by a query".to_owned(),
            ),
            // DuckDB counts with such times in an extension only, which is not there.
            None if problem.message.contains("TIMESTAMP WITH TIME ZONE") => {
                let help = "cast times with a zone before you count with them: at::TIMESTAMP + INTERVAL 1 HOUR";
                Problem::new(problem.kind, problem.message, help.to_owned())
            }
            None => problem,
        }
    })
}

/// A DuckDB of its own that reads the files of the repo, or of some sources, and nothing else.
fn confined(
    repo: &Path,
    sources: Option<&[&DataSource]>,
    spill: &Path,
    store: &DuckDbStore,
) -> Result<Connection, duckdb::Error> {
    let text = |path: &Path| path.display().to_string().replace('\'', "''");
    let config = Config::default()
        .with("autoinstall_known_extensions", "false")?
        .with("autoload_known_extensions", "false")?
        .max_memory(&store.memory.to_string())?
        .with("arrow_large_buffer_size", "true")?
        .with("temp_directory", spill.display().to_string())?;
    let connection = Connection::open_in_memory_with_flags(config)?;
    let repo = std::path::absolute(repo).unwrap_or_else(|_| repo.to_owned());
    let (folders, files) = match sources {
        Some(sources) => places_of(sources, &repo),
        None => (vec![repo.clone()], Vec::new()),
    };
    let list = |paths: &[PathBuf]| paths.iter().map(|path| format!("'{}'", text(path))).collect::<Vec<_>>().join(", ");
    connection.execute_batch(&format!(
        "SET file_search_path = '{}'; SET allowed_directories = [{}]; SET allowed_paths = [{}]; \
         SET enable_external_access = false; SET lock_configuration = true",
        text(&repo),
        list(&folders),
        list(&files)
    ))?;
    Ok(connection)
}

/// The folders and the files of sources, as far as they are there.
fn places_of(sources: &[&DataSource], repo: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let path = |source: &&DataSource| match &source.kind {
        SourceKind::File(file) => Some(repo.join(&file.path)),
        _ => None,
    };
    sources.iter().filter_map(path).filter(|path| path.exists()).partition(|path| path.is_dir())
}

/// The result of a query as entity rows.
fn kept(session: &DuckdbSession, work: Work<'_>, sql: &str, shown: &str) -> Result<Entities, Problem> {
    let folder = Arc::new(SpillFolder::default());
    let path = folder.path()?.join("rows.parquet");
    result_file::write((&path, shown), |rows| session.stream(work, sql, rows))?;
    Ok(Entities::of_kept(path, folder, shown))
}
