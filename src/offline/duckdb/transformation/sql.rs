//! The rows that a view's SQL makes of those of its source.
//!
//! The question sees one table, under the name `source` and under that of the source: all rows, their columns called as
//! views know them. It reads nothing else, and its answer does not depend on when it is asked.

use std::{collections::HashSet, path::Path, sync::Arc};

use arrow::datatypes::{DataType as ArrowType, SchemaRef};
use duckdb::vtab::to_duckdb_logical_type;
use serde_json::Value;

use super::super::{
    question::{self, Wrong},
    scans::{Content, ScanTable},
    session::{DuckdbSession, Work},
    view_table::micros,
};
use crate::{
    diagnostics::did_you_mean,
    model::{DataSource, Timestamp, TransformationPart},
    offline::{result_file, transformation::WrongTransformation, view_source::ViewSource},
    problem::Problem,
    sources::{Column, OpenSource, Role, Wanted},
    sql_name::quoted,
};

/// The table that a question is about, whatever the source is called.
const SOURCE: &str = "source";
/// The result of the question.
const RESULT: &str = "feastr_result";
/// Functions that give rows and read nothing.
const ROW_FUNCTIONS: [&str; 4] = ["unnest", "range", "generate_series", "generate_subscripts"];
/// Words that stand for functions whose results depend on when or by whom they are called.
const VOLATILE_WORDS: [&str; 11] = [
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "session_user",
    "user",
];

/// A view's question about its source, which can be answered.
pub(super) struct ViewSql<'a> {
    session: &'a DuckdbSession,
    origin: &'a ViewSource<'a>,
    table: SourceTable,
    result: SchemaRef,
    /// The names of the columns that the view needs of the result.
    columns: Vec<String>,
}

/// Checks a question as far as that can be done without knowing the columns of its source.
///
/// # Errors
/// When it is no question about a source alone.
pub(super) fn check(session: &DuckdbSession, source: &DataSource, sql: &str) -> Result<(), WrongTransformation> {
    let parsed = question::parse(session.connection(), sql)?;
    let mut tables = HashSet::from([SOURCE.to_owned(), source.name.to_lowercase()]);
    note_common_tables(&parsed, &mut tables);
    let volatile = session.texts(
        Work { what: "cannot ask for functions", scans: &[] },
        // Some do so for arguments that no source has, such as times with a zone.
        "SELECT function_name FROM duckdb_functions() GROUP BY ALL HAVING bool_and(stability <> 'CONSISTENT')",
    )?;
    Ok(Checker { source, tables, volatile: volatile.into_iter().collect() }.check(&parsed)?)
}

impl<'a> ViewSql<'a> {
    /// Prepares a question about the rows of `origin`, which gives join keys, times and these values. The session is for
    /// it alone.
    ///
    /// # Errors
    /// When it is wrong, or its result lacks a column that the view needs.
    pub(super) fn prepare(
        session: &'a DuckdbSession,
        origin: &'a ViewSource<'_>,
        sql: &str,
        values: impl Iterator<Item = String>,
    ) -> Result<Self, WrongTransformation> {
        check(session, origin.source(), sql)?;
        let table = SourceTable::of(session, origin)?;
        let what = what(origin);
        let work = Work { what: &what, scans: &[&table.table] };
        session.execute(work, &table.views(&origin.source().name))?;
        question::bind(session.connection(), sql).map_err(|wrong| table.explained(wrong))?;
        session.execute(work, &format!("CREATE TEMP VIEW {RESULT} AS {sql}"))?;
        let result = session.columns(work, &format!("SELECT * FROM {RESULT} LIMIT 0"))?;
        let (view, source) = (origin.view, origin.source());
        let keys = view.join_keys().iter().map(|key| key.name.clone());
        let times = [source.event_column(), source.created_column()].into_iter().filter(|column| !column.is_empty());
        let columns = keys.chain(times.map(|column| source.mapped(column).to_owned())).chain(values);
        let columns = columns.map(|name| found(&result, name)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { session, origin, table, result, columns })
    }

    /// Answers it into a parquet file: the columns that the view needs, of rows whose events are in a span.
    ///
    /// # Errors
    /// When it cannot be answered, or the file not be written.
    pub(super) fn write(&self, span: Option<(i64, i64)>, path: &Path) -> Result<(), WrongTransformation> {
        let mut selected: Vec<String> = self.columns.iter().map(|name| format!("{0} AS {0}", quoted(name))).collect();
        // What is aggregated in two ways comes once.
        let mut known = HashSet::new();
        selected.retain(|column| known.insert(column.clone()));
        let (what, shown) = (what(self.origin), format!("rows of feature view `{}`", self.origin.view.name));
        let event = self.origin.source().mapped(self.origin.source().event_column());
        let (first, last) = span.filter(|_| self.is_moment(event)).unwrap_or((i64::MIN, i64::MAX));
        // What is outside of all years needs no condition, and DuckDB knows no such moment.
        let since =
            (first > Timestamp::FIRST.micros()).then(|| format!("{} >= make_timestamp({first})", quoted(event)));
        let until = (last < Timestamp::LAST.micros()).then(|| format!("{} <= make_timestamp({last})", quoted(event)));
        let inside: Vec<String> = since.into_iter().chain(until).chain(["true".to_owned()]).collect();
        let sql = format!("SELECT {} FROM {RESULT} WHERE {}", selected.join(", "), inside.join(" AND "));
        let work = Work { what: &what, scans: &[&self.table.table] };
        Ok(result_file::write((path, &shown), |rows| self.session.stream(work, &sql, rows))?)
    }

    /// Whether none of the columns that the view needs is there twice, which costs an answer where there are rows.
    ///
    /// # Errors
    /// When one is.
    pub(super) fn check_names(&self, sql: &str) -> Result<(), WrongTransformation> {
        let result = self.session.columns(Work { what: &what(self.origin), scans: &[&self.table.table] }, sql)?;
        let named = |name: &str| result.fields().iter().filter(|field| field.name().eq_ignore_ascii_case(name)).count();
        match self.columns.iter().find(|name| named(name) > 1) {
            None => Ok(()),
            Some(name) => Err(of_sql(Wrong {
                help: Some("choose one of them; `* EXCLUDE (…)` leaves out a column of the source".to_owned()),
                ..Wrong::of(format!("the result of the query has several columns `{name}`"))
            })),
        }
    }

    fn is_moment(&self, column: &str) -> bool {
        let field = self.result.fields().iter().find(|field| field.name().eq_ignore_ascii_case(column));
        field.is_some_and(|field| matches!(field.data_type(), ArrowType::Timestamp(..)))
    }
}

/// The name of a column of a result.
fn found(result: &SchemaRef, name: String) -> Result<String, Wrong> {
    let known = || result.fields().iter().map(|field| field.name().as_str());
    if known().any(|known| known.eq_ignore_ascii_case(&name)) {
        return Ok(name);
    }
    let help = did_you_mean(&name, known());
    Err(Wrong { help, ..Wrong::of(format!("the result of the query has no column `{name}`")) })
}

fn what(origin: &ViewSource<'_>) -> String {
    format!("cannot carry out the SQL of feature view `{}`", origin.view.name)
}

fn of_sql(Wrong { message, help, at }: Wrong) -> WrongTransformation {
    WrongTransformation::Wrong { part: TransformationPart::Sql(at), message, help }
}

impl From<Wrong> for WrongTransformation {
    fn from(wrong: Wrong) -> Self {
        of_sql(wrong)
    }
}

/// The rows of a source as the table that a question is about.
struct SourceTable {
    table: ScanTable,
    /// Names and expressions of its columns.
    columns: Vec<(String, String)>,
    /// Columns that it lacks, because their values have no type.
    left_out: Vec<(String, String)>,
}

impl SourceTable {
    fn of(session: &DuckdbSession, origin: &ViewSource<'_>) -> Result<Self, Problem> {
        let (opened, source) = (origin.opened(), origin.source());
        let (mut wanted, mut names, mut left_out) = (Vec::new(), Vec::<String>::new(), Vec::new());
        for column in &opened.columns().columns {
            let name = source.mapped(&column.name);
            let is_known = names.iter().any(|known| known.eq_ignore_ascii_case(name));
            match role(origin, column).filter(|role| !is_known && is_known_to_duckdb(opened, column, role)) {
                Some(role) => {
                    wanted.push(Wanted { column: column.name.clone(), role, null_if_unfit: false });
                    names.push(name.to_owned());
                }
                None => left_out.push((name.to_owned(), column.describe())),
            }
        }
        let scan = opened.scan(wanted.clone())?;
        let column = |(number, name): (usize, String)| {
            let expression = match wanted[number].role {
                Role::Time => format!("make_timestamp({})", micros(&format!("c{number}"), scan.ticks(number))),
                _ => format!("c{number}"),
            };
            (name, expression)
        };
        let columns = names.into_iter().enumerate().map(column).collect();
        let kinds = scan.columns().into_iter().map(without_zone).collect();
        let table = session.table_of(Content::Source { files: Arc::clone(opened), wanted, kinds });
        Ok(Self { table, columns, left_out })
    }

    /// Statements that give it its names.
    fn views(&self, name: &str) -> String {
        let selected: Vec<String> =
            self.columns.iter().map(|(name, expression)| format!("{expression} AS {}", quoted(name))).collect();
        let names: Vec<String> = (0..self.columns.len()).map(|column| format!("c{column}")).collect();
        let select = format!("SELECT {} FROM {}", selected.join(", "), self.table.sql("s", &names));
        let own = Some(name).filter(|name| !name.eq_ignore_ascii_case(SOURCE));
        let own = own.map_or_else(String::new, |name| format!("CREATE TEMP VIEW {} AS FROM {SOURCE};", quoted(name)));
        format!("CREATE TEMP VIEW {SOURCE} AS {select}; {own}")
    }

    /// Says why a column of the source is not there.
    fn explained(&self, wrong: Wrong) -> WrongTransformation {
        let meant = self.left_out.iter().find(|(name, _)| wrong.message.contains(&format!("\"{name}\"")));
        of_sql(match meant {
            Some((name, kind)) => Wrong {
                help: Some(format!("column `{name}` of the source has {kind} values, which have no type here")),
                ..wrong
            },
            None => wrong,
        })
    }
}

/// What a column of the source is read as: what views would declare that leave their columns to the source.
fn role(origin: &ViewSource<'_>, column: &Column) -> Option<Role> {
    let source = origin.source();
    if [source.event_column(), source.created_column()].contains(&column.name.as_str()) {
        return Some(Role::Time);
    }
    match origin.view.join_keys().iter().find(|key| key.name == source.mapped(&column.name)) {
        Some(key) => Some(Role::Key(key.dtype.clone())),
        None => column.data_type().map(Role::Value),
    }
}

fn is_known_to_duckdb(opened: &OpenSource, column: &Column, role: &Role) -> bool {
    let wanted = Wanted { column: column.name.clone(), role: role.clone(), null_if_unfit: false };
    let kinds = opened.scan(vec![wanted]).map(|scan| scan.columns());
    kinds.is_ok_and(|kinds| kinds.into_iter().all(|kind| to_duckdb_logical_type(&without_zone(kind)).is_ok()))
}

fn without_zone(kind: ArrowType) -> ArrowType {
    match kind {
        ArrowType::Timestamp(unit, _) => ArrowType::Timestamp(unit, None),
        kind => kind,
    }
}

/// The names under which a question knows parts of itself.
fn note_common_tables(value: &Value, names: &mut HashSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| note_common_tables(value, names)),
        Value::Object(members) => {
            let entries = members.get("cte_map").and_then(|map| map["map"].as_array());
            names.extend(entries.into_iter().flatten().filter_map(|entry| Some(entry["key"].as_str()?.to_lowercase())));
            members.values().for_each(|value| note_common_tables(value, names));
        }
        _ => {}
    }
}

/// Looks for what a question about a source may not have.
struct Checker<'a> {
    source: &'a DataSource,
    /// Names in lower case.
    tables: HashSet<String>,
    volatile: HashSet<String>,
}

impl Checker<'_> {
    fn check(&self, value: &Value) -> Result<(), Wrong> {
        match value {
            Value::Array(values) => values.iter().try_for_each(|value| self.check(value)),
            Value::Object(members) => {
                self.check_node(value)?;
                members.values().try_for_each(|value| self.check(value))
            }
            _ => Ok(()),
        }
    }

    fn check_node(&self, node: &Value) -> Result<(), Wrong> {
        let wrong = |message: String, help: &str| Err(Wrong { message, help: Some(help.to_owned()), at: place(node) });
        let text = |key: &str| node[key].as_str().unwrap_or_default().to_lowercase();
        const OTHERWISE: &str = "its result would be another one each time; take times and values from the rows";
        if node["sample"].is_object() {
            return wrong("a sample is another one each time".to_owned(), "choose rows by their values");
        }
        match node["type"].as_str().unwrap_or_default() {
            "FUNCTION" if self.volatile.contains(&text("function_name")) => {
                wrong(format!("`{}` depends on when it is called", text("function_name")), OTHERWISE)
            }
            "COLUMN_REF" => match node["column_names"].as_array().map(Vec::as_slice) {
                Some([Value::String(name)]) if VOLATILE_WORDS.contains(&name.to_lowercase().as_str()) => {
                    wrong(format!("`{name}` depends on when it is asked"), OTHERWISE)
                }
                _ => Ok(()),
            },
            "VALUE_PARAMETER" => wrong("nobody gives the query parameters".to_owned(), "write their values"),
            "SHOW_REF" => wrong("only SELECT gives rows here".to_owned(), "write SELECT … FROM source"),
            "TABLE_FUNCTION" => {
                let name = node["function"]["function_name"].as_str().unwrap_or_default().to_lowercase();
                match ROW_FUNCTIONS.contains(&name.as_str()) {
                    true => Ok(()),
                    false => wrong(
                        format!("`{name}` reads something else than the source"),
                        &format!("a view sees the rows of its source, as `{SOURCE}`"),
                    ),
                }
            }
            "BASE_TABLE" if !text("schema_name").is_empty() || !self.tables.contains(&text("table_name")) => {
                let known = [SOURCE, self.source.name.as_str()];
                let name = node["table_name"].as_str().unwrap_or_default();
                let help =
                    did_you_mean(name, known).unwrap_or_else(|| format!("the rows of the source are `{SOURCE}`"));
                wrong(format!("there is no table `{name}`"), &help)
            }
            _ => Ok(()),
        }
    }
}

/// Where a node stands in the text.
fn place(node: &Value) -> Option<(usize, usize)> {
    let start = usize::try_from(node["query_location"].as_u64().filter(|at| *at != u64::MAX)?).ok()?;
    let length = usize::try_from(node["query_location_length"].as_u64().unwrap_or(1)).unwrap_or(1);
    Some((start, start + length.max(1)))
}
