//! Entity rows that nobody has in hand: the entities of sources, and what SQL gives.

use std::{fs::File, ops::ControlFlow, path::Path, sync::Arc};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use duckdb::{Config, Connection};
use parquet::{arrow::ArrowWriter, errors::ParquetError};

use super::{
    DuckDbStore,
    error::explain,
    session::{DuckdbSession, Work},
    view_table::ViewTable,
};
use crate::{
    model::DataType,
    offline::{BatchSink, EntityQuery, EntitySource, view_source::ViewSource},
    problem::{Kind, Problem},
    retrieval::{EVENT_TIMESTAMP, Entities},
    sources::Ticks,
    spill::SpillFolder,
    sql_name::quoted,
};

/// The entities that rows of sources are of.
pub(super) fn of_sources(store: &DuckDbStore, query: &EntityQuery) -> Result<Entities, Problem> {
    const WHAT: &str = "cannot find entities";
    let columns = columns(query);
    if columns.is_empty() && query.at.is_some() {
        return without_keys(store, query);
    }
    let session = store.session()?;
    let mut tables = Vec::new();
    // Views without keys have no entities; they are asked only where there are no others.
    let sources = query.sources.iter().filter(|source| columns.is_empty() || !source.keys.is_empty());
    for source in sources {
        let scan = ViewSource::open_inside(&store.whereabouts, &source.view, source.interval)?
            .scan(&[])?
            .inside(source.interval);
        tables.push((source, ViewTable::of(scan, &session)));
    }
    let scans: Vec<_> = tables.iter().map(|(_, table)| &table.table).collect();
    let sql = statement(&columns, &tables, query.at.is_none());
    kept(&session, Work { what: WHAT, scans: &scans }, &sql, "the entities of the sources")
}

/// The one entity of views without join keys, if they have rows.
fn without_keys(store: &DuckDbStore, query: &EntityQuery) -> Result<Entities, Problem> {
    let session = store.session()?;
    for source in &query.sources {
        let scan = ViewSource::open_inside(&store.whereabouts, &source.view, source.interval)?
            .scan(&[])?
            .inside(source.interval);
        let table = ViewTable::of(scan, &session);
        let counts = counts(source, &table);
        let any = format!("SELECT count(*) FROM (SELECT 1 FROM {} WHERE {counts} LIMIT 1)", table.sql());
        if session.integers(Work { what: "cannot look for rows", scans: &[&table.table] }, &any)? == [Some(1)] {
            return Entities::of_texts(&[Vec::new()]);
        }
    }
    Entities::of_texts(&[])
}

/// The columns of entity rows with their types, in the order of the sources.
fn columns(query: &EntityQuery) -> Vec<(&str, &DataType)> {
    let mut columns: Vec<(&str, &DataType)> = Vec::new();
    for key in query.sources.iter().flat_map(|source| &source.keys) {
        if !columns.iter().any(|(name, _)| *name == key.column) {
            columns.push((&key.column, &key.field.dtype));
        }
    }
    columns
}

fn statement(columns: &[(&str, &DataType)], tables: &[(&EntitySource, ViewTable)], with_times: bool) -> String {
    let select = |(source, table): &(&EntitySource, ViewTable)| {
        let mut selected: Vec<String> = columns.iter().map(|(name, dtype)| column(source, name, dtype)).collect();
        selected.extend(with_times.then(|| format!("{} AS {EVENT_TIMESTAMP}", moment(table.ticks()))));
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

/// The event time; what is finer than microseconds counts from the next one on, so that the row itself counts.
fn moment(ticks: Ticks) -> &'static str {
    match ticks {
        Ticks::Micros => "make_timestamp(t)",
        Ticks::Nanos => "make_timestamp(t // 1000 + CASE WHEN t % 1000 > 0 THEN 1 ELSE 0 END)",
    }
}

/// Entity rows that SQL over the repo's files gives.
pub(super) fn of_sql(store: &DuckDbStore, sql: &str) -> Result<Entities, Problem> {
    const WHAT: &str = "cannot carry out the query of entities";
    let failed = |error: &duckdb::Error| explain(WHAT, error, &store.memory);
    let spill = store.spill.path()?;
    let connection = confined(&store.whereabouts.repo, &spill, store).map_err(|error| failed(&error))?;
    check_question(&connection, sql).map_err(|reason| {
        let help =
            "write one SELECT over files of the repo, such as: SELECT driver_id, event_timestamp FROM 'rows.parquet'";
        Problem::new(Kind::Invalid, format!("{WHAT}: {reason}"), help.to_owned())
    })?;
    let session = store.database.session_of(connection, &store.cancel);
    kept(&session, Work { what: WHAT, scans: &[] }, sql, "the query of entities").map_err(|problem| {
        // In DuckDB's words it is its configuration that forbids that.
        let place = problem.message.split_once("Cannot access file \"").and_then(|(_, place)| place.split('"').next());
        match place {
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

/// A DuckDB of its own that reads the files of the repo and nothing else.
fn confined(repo: &Path, spill: &Path, store: &DuckDbStore) -> Result<Connection, duckdb::Error> {
    let text = |path: &Path| path.display().to_string().replace('\'', "''");
    let config = Config::default()
        .with("autoinstall_known_extensions", "false")?
        .with("autoload_known_extensions", "false")?
        .max_memory(&store.memory.to_string())?
        .with("arrow_large_buffer_size", "true")?
        .with("temp_directory", spill.display().to_string())?;
    let connection = Connection::open_in_memory_with_flags(config)?;
    let repo = std::path::absolute(repo).unwrap_or_else(|_| repo.to_owned());
    connection.execute_batch(&format!(
        "SET file_search_path = '{repo}'; SET allowed_directories = ['{repo}']; SET enable_external_access = false; \
         SET lock_configuration = true",
        repo = text(&repo)
    ))?;
    Ok(connection)
}

/// Whether a text is one question, which changes nothing; else what it is.
fn check_question(connection: &Connection, sql: &str) -> Result<(), String> {
    let look = "SELECT coalesce(parsed ->> 'error_message', '') FROM (SELECT json_serialize_sql(?) AS parsed)";
    let reason: String = connection.query_row(look, [sql], |row| row.get(0)).map_err(|error| error.to_string())?;
    let count = "SELECT coalesce(json_array_length(json_serialize_sql(?) -> 'statements'), 0) :: BIGINT";
    match reason.as_str() {
        "" => {}
        reason if reason.starts_with("Only SELECT") => {
            return Err("it is no question, and only those are asked".to_owned());
        }
        reason => return Err(reason.to_owned()),
    }
    let statements: i64 = connection.query_row(count, [sql], |row| row.get(0)).map_err(|error| error.to_string())?;
    match statements {
        1 => Ok(()),
        0 => Err("it is empty".to_owned()),
        _ => Err("it is more than one".to_owned()),
    }
}

/// The result of a query as entity rows.
fn kept(session: &DuckdbSession, work: Work<'_>, sql: &str, shown: &str) -> Result<Entities, Problem> {
    let folder = Arc::new(SpillFolder::default());
    let path = folder.path()?.join("rows.parquet");
    let mut rows = Kept { path: &path, writer: None, failure: None };
    session.stream(work, sql, &mut rows)?;
    let closed = rows.writer.take().map(ArrowWriter::close).transpose().map(drop);
    match rows.failure.map_or(closed, Err) {
        Ok(()) => Ok(Entities::of_kept(path, folder, shown)),
        Err(error) => {
            let message = format!("cannot keep {shown} in a temporary file: {error}");
            Err(Problem::new(Kind::Unavailable, message, "make room for temporary files".to_owned()))
        }
    }
}

/// Writes a result to a parquet file.
struct Kept<'a> {
    path: &'a Path,
    writer: Option<ArrowWriter<File>>,
    failure: Option<ParquetError>,
}

impl Kept<'_> {
    fn note(&mut self, result: Result<(), ParquetError>) -> ControlFlow<()> {
        match result {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failure = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl BatchSink for Kept<'_> {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        let opened = File::create(self.path).map_err(ParquetError::from);
        let opened = opened.and_then(|file| ArrowWriter::try_new(file, Arc::clone(schema), None));
        let opened = opened.map(|writer| self.writer = Some(writer));
        self.note(opened)
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        let written = self.writer.as_mut().map_or(Ok(()), |writer| writer.write(batch));
        self.note(written)
    }
}
