//! The statements of the registry, in the words of each database.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    schema::{CHANGES, ColumnType, RUNS, TABLES, Table, object_table},
    value::Parameter,
};
use crate::model::{ObjectId, ObjectKind};

/// The table of notes.
const NOTES: &str = "feast_metadata";

/// Where databases differ.
pub(crate) struct Dialect {
    /// The name of a column type.
    pub spell: fn(ColumnType) -> String,
    /// The nth parameter of a statement, from 1.
    pub placeholder: fn(usize) -> String,
    /// A text as bytes in UTF-8.
    pub as_bytes: fn(&str) -> String,
    /// The end of an INSERT that replaces `columns` in rows whose `keys` are there.
    pub replace: fn(keys: &[&str], columns: &[&str]) -> String,
    /// Follows a SELECT whose rows nobody else may change until the transaction ends.
    pub lock_rows: &'static str,
    /// A condition that is always true and lets the server confirm a transaction before it is certain to last.
    pub unsynced: Option<&'static str>,
    /// A column that tables have without being asked, if they have one: another text after each change of a row.
    pub row_state: Option<&'static str>,
    /// Whether an index is declared inside of its table.
    pub index_in_table: bool,
    /// A query for the tables and columns there are; may give others as well.
    pub columns: &'static str,
    /// A query for the names of the indexes there are; may give others as well.
    pub indexes: &'static str,
}

/// How much of a project is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Extent<'a> {
    /// Everything.
    Project,
    /// The view of this name, of whatever kind, without its versions, and the notes with these keys.
    View { name: &'a str, notes: &'a [String] },
    /// What matters to whoever changes this object, with the notes that have these keys.
    Object { id: &'a ObjectId, notes: &'a [String] },
    /// The names of objects of these kinds, without their messages.
    Names(&'a [ObjectKind]),
}

/// What a row of [`Dialect::select`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Name, seconds of the last update, message.
    Object(ObjectKind),
    /// Nothing, nothing, message.
    Infra,
    /// View, highest version, nothing.
    Version,
    /// Key, the state of the row if that can be told, value.
    Metadata,
}

impl Part {
    fn all() -> impl Iterator<Item = Self> {
        ObjectKind::ALL.into_iter().map(Self::Object).chain([Self::Infra, Self::Version, Self::Metadata])
    }

    /// The part with this number.
    pub(crate) fn of(number: i64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|number| Self::all().nth(number))
    }

    /// Its table, and what the four columns of an answer hold.
    fn columns(self, dialect: &Dialect, here: &Columns) -> (&'static str, [String; 3]) {
        // With a type, which a bare NULL has not.
        let nothing = || (dialect.as_bytes)("''");
        match self {
            Self::Object(kind) => {
                let table = object_table(kind);
                let name = (dialect.as_bytes)(table.name);
                (table.table, [name, "last_updated_timestamp".to_owned(), table.proto.to_owned()])
            }
            Self::Infra => ("managed_infra", [nothing(), "0".to_owned(), "infra_proto".to_owned()]),
            Self::Version => {
                let view = (dialect.as_bytes)("feature_view_name");
                ("feature_view_version_history", [view, "max(version_number)".to_owned(), nothing()])
            }
            Self::Metadata => {
                let [key, value] = ["metadata_key", "metadata_value"].map(dialect.as_bytes);
                let state = dialect.state_of_note(here).map(|column| format!("CAST(CAST({column} AS TEXT) AS BIGINT)"));
                (NOTES, [key, state.unwrap_or_else(|| "0".to_owned()), value])
            }
        }
    }
}

impl Dialect {
    /// One query for all that the tables in `here` hold of this extent of a project, with its parameters; `None` where
    /// there is no table. Rows start with the number of their [`Part`].
    pub(crate) fn select<'a>(
        &self,
        here: &Columns,
        project: &'a str,
        extent: Extent<'a>,
        for_update: bool,
    ) -> Option<(String, Vec<Parameter<'a>>)> {
        let (mut selects, mut parameters) = (Vec::new(), Vec::new());
        for (number, part) in Part::all().enumerate() {
            let (table, [name, integer, mut bytes]) = part.columns(self, here);
            if !here.has_table(table) {
                continue;
            }
            let named: Option<(&str, Vec<&'a str>)> = match (extent, part) {
                (Extent::Project, _) => None,
                (Extent::View { name, .. }, Part::Object(kind)) if kind.is_view() => {
                    Some((object_table(kind).name, vec![name]))
                }
                (Extent::View { notes, .. } | Extent::Object { notes, .. }, Part::Metadata) => {
                    Some(("metadata_key", notes.iter().map(String::as_str).collect()))
                }
                // Of itself a project has one.
                (Extent::Object { .. }, Part::Object(ObjectKind::Project | ObjectKind::Permission)) => None,
                (Extent::Object { id, .. }, Part::Object(kind))
                    if kind == id.kind || kind.is_view() && id.kind.is_view() =>
                {
                    Some((object_table(kind).name, vec![&id.name]))
                }
                (Extent::Object { id, .. }, Part::Version) if id.kind.is_view() => {
                    Some(("feature_view_name", vec![&id.name]))
                }
                (Extent::Object { id, .. }, Part::Infra) if id.kind == ObjectKind::Project => None,
                (Extent::Names(kinds), Part::Object(kind)) if kinds.contains(&kind) => {
                    bytes = (self.as_bytes)("''");
                    None
                }
                (Extent::View { .. } | Extent::Object { .. } | Extent::Names(_), _) => continue,
            };
            let rest = match (extent, part) {
                (_, Part::Version) => " GROUP BY feature_view_name",
                // They are written without regard to what they were.
                (Extent::View { .. } | Extent::Object { .. }, Part::Metadata) => "",
                _ if for_update => self.lock_rows,
                _ => "",
            };
            let mut parameter = |text: &'a str| {
                parameters.push(Parameter::Text(text));
                (self.placeholder)(parameters.len())
            };
            let mut wanted = format!("project_id = {}", parameter(project));
            if let Some((column, names)) = named {
                let names: Vec<String> = names.into_iter().map(parameter).collect();
                let _ = write!(wanted, " AND {column} IN ({})", names.join(", "));
            }
            // A subquery, because rows of a union cannot be locked otherwise.
            selects.push(format!(
                "SELECT * FROM (SELECT {number} AS part, {name} AS name, {integer} AS number, {bytes} AS content \
                 FROM {table} WHERE {wanted}{rest}) AS {table}_rows"
            ));
        }
        (!selects.is_empty()).then(|| (selects.join(" UNION ALL "), parameters))
    }

    /// The column that tells the states of a note apart, if there is one.
    pub(crate) fn state_of_note(&self, here: &Columns) -> Option<&'static str> {
        self.row_state.filter(|column| here.has_column(NOTES, column))
    }

    /// A SELECT of the note of a project (parameter 1) under a key (parameter 2), with the state of its row if that can be told.
    pub(crate) fn note_and_state(&self, here: &Columns) -> String {
        let state = self
            .state_of_note(here)
            .map_or_else(String::new, |column| format!(", CAST(CAST({column} AS TEXT) AS BIGINT)"));
        let [project, key] = [1, 2].map(self.placeholder);
        format!("SELECT metadata_value{state} FROM {NOTES} WHERE project_id = {project} AND metadata_key = {key}")
    }

    /// The statements that create a table and its index.
    pub(crate) fn create(&self, table: &Table) -> Vec<String> {
        let mut parts: Vec<String> = table
            .columns
            .iter()
            .map(|column| {
                let null = if column.nullable { "" } else { " NOT NULL" };
                format!("{} {}{null}", column.name, (self.spell)(column.kind))
            })
            .collect();
        parts.push(format!("PRIMARY KEY ({})", table.primary_key.join(", ")));
        if self.index_in_table {
            parts.push(format!("INDEX {} ({})", table.index.name, table.index.columns.join(", ")));
        }
        let mut statements = vec![format!("CREATE TABLE IF NOT EXISTS {} ({})", table.name, parts.join(", "))];
        if !self.index_in_table {
            let (index, columns) = (table.index.name, table.index.columns.join(", "));
            statements.push(format!("CREATE INDEX IF NOT EXISTS {index} ON {} ({columns})", table.name));
        }
        statements
    }

    /// The statement that creates the index of a table that has been without.
    pub(crate) fn create_index(&self, table: &Table) -> String {
        format!("CREATE INDEX {} ON {} ({})", table.index.name, table.name, table.index.columns.join(", "))
    }

    /// An INSERT of `rows` rows; those already there are replaced if wanted.
    pub(crate) fn insert(&self, table: &Table, columns: &[&str], rows: usize, replace: bool) -> String {
        let mut statement = format!("INSERT INTO {} ({}) VALUES ", table.name, columns.join(", "));
        for row in 0..rows {
            statement.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..columns.len() {
                let separator = if column == 0 { "" } else { ", " };
                let _ = write!(statement, "{separator}{}", (self.placeholder)(row * columns.len() + column + 1));
            }
            statement.push(')');
        }
        if replace {
            let _ = write!(statement, " {}", self.replacing(table, columns));
        }
        statement
    }

    /// The end of an INSERT that replaces rows.
    fn replacing(&self, table: &Table, columns: &[&str]) -> String {
        let replaced: Vec<&str> =
            columns.iter().copied().filter(|column| !table.primary_key.contains(column)).collect();
        (self.replace)(table.primary_key, &replaced)
    }

    /// An INSERT of one whole row, which replaces one that is there, and may be lost if the server fails right after it.
    pub(crate) fn note(&self, table: &Table) -> String {
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let Some(condition) = self.unsynced else { return self.insert(table, &columns, 1, true) };
        let row: Vec<String> = (1..=columns.len()).map(self.placeholder).collect();
        format!(
            "INSERT INTO {} ({}) SELECT {} WHERE {condition} {}",
            table.name,
            columns.join(", "),
            row.join(", "),
            self.replacing(table, &columns)
        )
    }

    /// A DELETE of the rows of a project (parameter 1) whose `column` is one of `count` parameters.
    pub(crate) fn delete(&self, table: &str, column: &str, count: usize) -> String {
        let names: Vec<String> = (2..count + 2).map(self.placeholder).collect();
        let project = (self.placeholder)(1);
        format!("DELETE FROM {table} WHERE project_id = {project} AND {column} IN ({})", names.join(", "))
    }

    /// A SELECT of the history of a project's views: view, kind, number, message, time, id.
    pub(crate) fn versions(&self) -> String {
        format!(
            "SELECT feature_view_name, feature_view_type, version_number, feature_view_proto, created_timestamp, \
             version_id FROM feature_view_version_history WHERE project_id = {}",
            (self.placeholder)(1)
        )
    }

    /// A DELETE of all rows of a project.
    pub(crate) fn delete_project(&self, table: &str) -> String {
        format!("DELETE FROM {table} WHERE project_id = {}", (self.placeholder)(1))
    }
}

/// `ON CONFLICT … DO UPDATE`, which PostgreSQL and SQLite share.
pub(crate) fn on_conflict(keys: &[&str], columns: &[&str]) -> String {
    let set: Vec<String> = columns.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    format!("ON CONFLICT ({}) DO UPDATE SET {}", keys.join(", "), set.join(", "))
}

/// The registry's tables that a database has, with their columns.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    tables: BTreeMap<&'static str, Vec<String>>,
}

impl Columns {
    /// From pairs of table and column; those of other tables are left out.
    pub(crate) fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut found = Self::default();
        for (table, column) in pairs {
            if let Some(table) = TABLES.iter().chain([&RUNS, &CHANGES]).find(|ours| ours.name == table) {
                found.tables.entry(table.name).or_default().push(column);
            }
        }
        found
    }

    pub(crate) fn has_table(&self, name: &str) -> bool {
        self.tables.contains_key(name)
    }

    fn has_column(&self, table: &str, name: &str) -> bool {
        self.tables.get(table).is_some_and(|columns| columns.iter().any(|column| column == name))
    }

    /// The tables of Feast that are not there.
    pub(crate) fn missing_tables(&self) -> Vec<&'static Table> {
        TABLES.iter().filter(|table| !self.has_table(table.name)).collect()
    }

    /// Columns without which the tables that are there cannot be used, as `table.column`.
    pub(crate) fn missing_columns(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for table in &TABLES {
            let Some(here) = self.tables.get(table.name) else { continue };
            let needed = table.columns.iter().filter(|column| !column.nullable);
            let absent = needed.filter(|column| !here.iter().any(|name| name == column.name));
            missing.extend(absent.map(|column| format!("{}.{}", table.name, column.name)));
        }
        missing
    }
}
