use std::path::Path;

use super::{json, session::Session, sql};
use crate::{
    diagnostics::{counted, did_you_mean},
    model::{DataSource, DataType, FeatureView, Field, printable},
    offline::{
        OfflineError,
        files::{self, ReadableFormat, SourceFiles},
    },
};

/// The rows of a source as DuckDB sees them.
pub struct SourceTable<'a> {
    source: &'a DataSource,
    /// A table function over the files.
    pub relation: String,
    columns: Columns,
}

/// Columns of a relation with their DuckDB types.
#[derive(Debug, Clone)]
pub struct Columns(pub Vec<(String, String)>);

impl Columns {
    pub fn kind(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(column, _)| column == name).map(|(_, kind)| kind.as_str())
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl<'a> SourceTable<'a> {
    /// Finds the files of a view's source and looks at their columns.
    pub fn open(session: &Session, repo: &Path, view: &'a FeatureView) -> Result<Self, OfflineError> {
        if let Some(what) = view.transformation() {
            let message = format!("feature view `{}` is computed by {what}, which is not supported yet", view.name);
            return Err(OfflineError::new(message, None));
        }
        let Some(source) = &view.source else {
            return Err(OfflineError::new(format!("feature view `{}` has no source", view.name), None));
        };
        if source.timestamp_field.is_empty() {
            return Err(OfflineError::new(
                format!("data source `{}` does not say which column has the event times", source.name),
                "set its `timestamp_field` and apply".to_owned(),
            ));
        }
        let files = files::find(source, repo)?;
        let paths = paths(&files);
        let relation = relation(source, &files, &paths);
        let columns = Columns(session.columns(&what(source), &format!("SELECT * FROM {relation}"))?);
        let table = Self { source, relation, columns };
        Ok(if files.format == ReadableFormat::Json { table.with_declared_types(view, &paths) } else { table })
    }

    /// The columns of JSON files that a view uses, with the types that it declares.
    fn with_declared_types(self, view: &FeatureView, paths: &str) -> Self {
        let times = [&self.source.timestamp_field, &self.source.created_timestamp_column];
        let mut used: Vec<(String, String)> = Vec::new();
        let mut add = |column: &str, kind: &dyn Fn(&str) -> String| {
            if let Some(detected) = self.columns.kind(column)
                && !used.iter().any(|(known, _)| known == column)
            {
                used.push((column.to_owned(), kind(detected)));
            }
        };
        for column in times {
            add(column, &|_| "VARCHAR".to_owned());
        }
        for field in view.join_keys().iter().chain(&view.features) {
            add(self.source.unmapped(&field.name), &|detected| json::column_type(&field.dtype, detected));
        }
        let relation = json::declared(paths, used.iter().map(|(name, kind)| (name.as_str(), kind.as_str())));
        let others = self.columns.0.into_iter().filter(|(name, _)| !used.iter().any(|(known, _)| known == name));
        let others: Vec<(String, String)> = others.collect();
        used.extend(others);
        Self { relation, columns: Columns(used), ..self }
    }

    /// What is being done, for messages.
    pub fn what(&self) -> String {
        what(self.source)
    }

    /// The quoted column that views know as `name`.
    pub fn column(&self, name: &str) -> Result<String, OfflineError> {
        let column = self.source.unmapped(name);
        self.kind(column).map(|_| sql::name(column))
    }

    /// A join key such that what is one key online is one value: moments count in whole seconds there,
    /// and all other values that make keys make different ones.
    pub fn key(&self, key: &Field) -> Result<String, OfflineError> {
        let column = self.column(&key.name)?;
        let kind = self.kind(self.source.unmapped(&key.name))?;
        // A text is no moment to the online store.
        Ok(match micros(&column, kind).filter(|_| key.dtype == DataType::UnixTimestamp && kind != "VARCHAR") {
            Some(micros) => format!("date_trunc('second', make_timestamp({micros}))"),
            None => column,
        })
    }

    /// Event time of a row in microseconds UTC, as an expression.
    pub fn event(&self) -> Result<String, OfflineError> {
        self.micros(&self.source.timestamp_field)
    }

    /// Creation time of a row in microseconds UTC, if the source has one.
    pub fn created(&self) -> Result<Option<String>, OfflineError> {
        match self.source.created_timestamp_column.as_str() {
            "" => Ok(None),
            column => self.micros(column).map(Some),
        }
    }

    /// What orders rows of one entity, as one number: event time, then creation time, none first.
    pub fn recency(&self) -> Result<String, OfflineError> {
        Ok(match self.created()? {
            None => self.event()?,
            Some(created) => {
                format!(
                    "({} :: HUGEINT * {TWO_TO_64} + coalesce({created} :: HUGEINT + {TWO_TO_63}, 0))",
                    self.event()?
                )
            }
        })
    }

    /// Checks that texts in the columns of times are times: rows without one are in no interval.
    ///
    /// # Errors
    /// When some are not, with their number and one of them. Columns of other types are not looked at.
    pub fn check_times(&self, session: &Session) -> Result<(), OfflineError> {
        for column in [&self.source.timestamp_field, &self.source.created_timestamp_column] {
            if column.is_empty() || self.kind(column)? != "VARCHAR" {
                continue;
            }
            let (name, time) = (sql::name(column), self.micros(column)?);
            let sql = format!(
                "SELECT count(*), min({name}) FROM {} WHERE {name} IS NOT NULL AND {time} IS NULL",
                self.relation
            );
            if let Some((rows @ 1.., Some(example))) = session.row::<i64, Option<String>>(&self.what(), &sql)? {
                let example = printable(&example);
                return Err(OfflineError::new(
                    format!(
                        "{}: column `{column}` holds no time in {}, for example `{example}`",
                        self.what(),
                        counted(rows, "row")
                    ),
                    "write times like 2026-01-31T12:00:00Z; without a zone they are UTC".to_owned(),
                ));
            }
        }
        Ok(())
    }

    /// The error of a source none of whose rows has an event time.
    pub fn without_times(&self, rows: i64) -> OfflineError {
        let column = &self.source.timestamp_field;
        OfflineError::new(
            format!("{}: column `{column}`, which has the event times, is null in all rows ({rows})", self.what()),
            "write its times, or name another column in `timestamp_field`".to_owned(),
        )
    }

    fn micros(&self, column: &str) -> Result<String, OfflineError> {
        let kind = self.kind(column)?;
        micros(&sql::name(column), kind).ok_or_else(|| {
            OfflineError::new(format!("{}: column `{column}` holds {kind} values, not times", self.what()), None)
        })
    }

    fn kind(&self, column: &str) -> Result<&str, OfflineError> {
        self.columns.kind(column).ok_or_else(|| {
            let help = did_you_mean(column, self.columns.names());
            OfflineError::new(format!("{}: there is no column `{column}`", self.what()), help)
        })
    }
}

/// One more than the largest creation time can add to [`SourceTable::recency`].
pub const TWO_TO_64: &str = "18446744073709551616";
const TWO_TO_63: &str = "9223372036854775808";

fn what(source: &DataSource) -> String {
    format!("cannot read data source `{}`", source.name)
}

/// A list of files in SQL.
fn paths(files: &SourceFiles) -> String {
    let paths: Vec<String> = files.paths.iter().map(|path| sql::text(&path.display().to_string())).collect();
    format!("[{}]", paths.join(", "))
}

fn relation(source: &DataSource, files: &SourceFiles, paths: &str) -> String {
    let partitioned = files.partitioned_below.is_some();
    let times = [&source.timestamp_field, &source.created_timestamp_column];
    match files.format {
        ReadableFormat::Parquet => {
            format!("read_parquet({paths}, hive_partitioning = {partitioned}, hive_types_autocast = false)")
        }
        ReadableFormat::Csv => csv(paths, times.into_iter().filter(|column| !column.is_empty())),
        ReadableFormat::Json => json::detected(paths),
    }
}

/// A CSV relation whose time columns stay texts, because DuckDB's own reading drops zones.
pub fn csv<'a>(paths: &str, times: impl Iterator<Item = &'a String>) -> String {
    let types: Vec<String> = times.map(|column| format!("{}: 'VARCHAR'", sql::text(column))).collect();
    format!("read_csv({paths}, header = true, types = {{{}}})", types.join(", "))
}

/// Microseconds UTC of a time column, rounded towards the past; `None` if the type holds no times.
pub fn micros(column: &str, kind: &str) -> Option<String> {
    match kind {
        "TIMESTAMP" | "TIMESTAMP_S" | "TIMESTAMP_MS" | "DATE" => Some(format!("epoch_us({column} :: TIMESTAMP)")),
        "TIMESTAMP WITH TIME ZONE" => Some(format!("epoch_us({column})")),
        // A cast would round to the nearest microsecond.
        "TIMESTAMP_NS" | "TIMESTAMPTZ_NS" => {
            let nanos = format!("epoch_ns({column} :: TIMESTAMP_NS)");
            Some(format!("(({nanos} - ((({nanos} % 1000) + 1000) % 1000)) // 1000)"))
        }
        // A text without zone counts as UTC.
        "VARCHAR" => Some(format!("epoch_us(TRY_CAST({column} AS TIMESTAMPTZ))")),
        _ => None,
    }
}
