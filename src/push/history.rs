//! Rows that are added to the history of a source, as its files or its table have them. Nobody sees any of them before
//! they are finished.

use std::{io, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{DataType as ArrowType, Field, Schema, SchemaRef},
};

use super::{
    Added, Naming,
    columns::Needs,
    days,
    exact::{self, Unfit},
    sent_rows,
};
use crate::{
    model::{DataSource, DataType, SourceKind},
    offline::SourceWriter,
    problem::{Kind, Problem},
    sink::{AddedFiles, Complete, ExistingTable, Folder, Format, OpenRows, ParquetOptions, Partitions, SinkError},
    sources::{Column, NewFolder, OpenSource, Part, Role, Rows, Scan, SourceTable, TimeFormat, Wanted, Whereabouts},
};

/// The history of a source, as it is before rows are added.
pub struct History<'a> {
    source: &'a DataSource,
    opened: OpenSource,
    columns: Vec<HistoryColumn>,
    whereabouts: &'a Whereabouts,
    /// The server that has it, and the view by which that knows it.
    server: Option<(Arc<dyn SourceWriter>, String)>,
}

/// A column of the history.
struct HistoryColumn {
    field: Field,
    /// As what its values are read.
    role: Role,
    /// Whether its values are the names of folders.
    in_folders: bool,
    /// Whether that is the day of the event.
    is_day: bool,
}

/// Where rows go.
enum Place {
    Files(AddedFiles),
    Table(String),
    Server(String),
}

/// How a column of the history is made of the columns that are read of rows, by their places.
enum Way {
    /// Of moments.
    Times(usize),
    /// Of values.
    Values(usize),
    /// Of what becomes the name of a folder.
    Names(usize),
    /// Of the days of the events.
    Days { events: usize },
    /// Of days that have to be those of the events.
    GivenDays { days: usize, events: usize },
}

impl<'a> History<'a> {
    /// The history of a source whose files or table were looked at.
    pub fn new(source: &'a DataSource, opened: OpenSource, whereabouts: &'a Whereabouts) -> Self {
        let partitions = opened.files.partition_names();
        let column = |column: &Column| {
            let in_folders = partitions.contains(&column.name.as_str());
            let is_day = in_folders && column.name == source.date_partition_column;
            let field = match in_folders {
                true => Field::new(&column.name, ArrowType::Utf8, true),
                false => column.field(),
            };
            let role = match column.is_written_number() {
                true => Role::Value(DataType::Decimal),
                false => exact::role(field.data_type()),
            };
            HistoryColumn { field, role, in_folders, is_day }
        };
        let columns = opened.columns().columns.iter().map(column).collect();
        Self { source, opened, columns, whereabouts, server: None }
    }

    /// The same, which a server has, if one has it; that knows it by a view.
    #[must_use]
    pub fn behind(self, server: Option<Arc<dyn SourceWriter>>, view: &str) -> Self {
        Self { server: server.map(|server| (server, view.to_owned())), ..self }
    }

    /// The columns that it needs of rows: all that it has, but for the day of the event, which is known.
    pub fn needs(&self, rows: Naming<'_>) -> Needs<'_> {
        let has = |name: &str| rows.rows.columns().get(name).is_some();
        let columns = self.columns.iter().filter(|column| !column.is_day || has(column.field.name()));
        let columns = columns.map(|column| column.field.name().as_str());
        let columns = columns.chain([self.source.event_column()]).collect();
        Needs { who: format!("data source `{}`", self.source.name), source: self.source, columns }
    }

    /// Writes rows to where nobody sees them yet.
    ///
    /// # Errors
    /// When a value does not fit into its column, or the history takes no rows.
    pub fn stage(&self, rows: Naming<'_>) -> Result<Staged<'a>, Problem> {
        let (open, place) = self.open()?;
        let schema = Arc::new(Schema::new(self.columns.iter().map(|column| column.field.clone()).collect::<Vec<_>>()));
        let mut writer = open(&schema).map_err(|error| unwritable(self.source, error))?;
        let (wanted, ways) = self.ways(rows)?;
        let scan = Arc::new(rows.rows.scan(wanted)?);
        let (run, mut count) = (scan.run(), 0);
        while let Some(mut part) = run.part()? {
            while let Some(batch) = run.batch(&mut part)? {
                let batch = self.converted(&schema, &batch, (&part, &scan), &ways)?;
                writer.write(&batch).map_err(|error| unwritable(self.source, error))?;
                count += batch.num_rows() as u64;
            }
        }
        let written = writer.complete().map_err(|error| unwritable(self.source, error))?;
        Ok(Staged { source: self.source, repo: &self.whereabouts.repo, written, place, rows: count })
    }

    /// What takes the rows.
    fn open(&self) -> Result<(OpenRows, Place), Problem> {
        if let Some((server, view)) = &self.server {
            let place = Place::Server(server.name().to_owned());
            return Ok((sent_rows::opening(Arc::clone(server), view.clone()), place));
        }
        match &self.source.kind {
            SourceKind::File(file) => {
                let new = self.opened.new_files(self.source, file, &self.whereabouts.repo)?;
                let beginning = format!("{}push-", new.beginning);
                let names = (beginning.as_str(), new.ending.as_str());
                let (folder, added) = match &new.folder {
                    NewFolder::Local(folder) => {
                        Folder::adding_to(folder, names).map_err(|error| unwritable(self.source, error.into()))?
                    }
                    NewFolder::InBucket(url) => {
                        let bucket = self.whereabouts.bucket(self.source, url, &file.s3_endpoint_override)?;
                        Folder::adding_in(&bucket, url, names)
                    }
                };
                let format = Format::Parquet(ParquetOptions::default());
                Ok((Partitions { folder, format, by: new.partitions }.opening(), Place::Files(added)))
            }
            SourceKind::Postgres(postgres) => {
                let table = SourceTable::of(self.source, postgres, self.whereabouts)?;
                let SourceTable { url, certificate, search_path, name } = table;
                let shown = format!("{name} of data source `{}`", self.source.name);
                let table = ExistingTable { url, certificate, search_path, name: name.clone(), shown };
                Ok((table.connect()?.opening(), Place::Table(name)))
            }
            kind => {
                let message =
                    format!("rows are not added to data source `{}`, which is of type {kind}", self.source.name);
                Err(Problem::new(Kind::Unsupported, message, "push to the online store only".to_owned()))
            }
        }
    }

    /// What is read of rows, and how it becomes the columns.
    fn ways(&self, rows: Naming<'_>) -> Result<(Vec<Wanted>, Vec<Way>), Problem> {
        let mut wanted: Vec<Wanted> = Vec::new();
        let mut read = |column: &str, role: Role| {
            wanted.push(Wanted { column: column.to_owned(), role, null_if_unfit: false });
            wanted.len() - 1
        };
        let [event, created] = [self.source.event_column(), self.source.created_column()];
        let mut ways = Vec::with_capacity(self.columns.len());
        for HistoryColumn { field, role, in_folders, is_day } in &self.columns {
            let (name, target) = (field.name().as_str(), field.data_type());
            let found = rows.find(self.source, name)?.unwrap_or(name);
            let is_moment = [event, created].contains(&name) && exact::holds_times(target, &self.written()?);
            let is_typed = rows.rows.columns().get(found).is_some_and(Column::is_timestamp);
            ways.push(match () {
                () if *is_day => {
                    let events = read(rows.find(self.source, event)?.unwrap_or(event), Role::Time);
                    match rows.rows.columns().get(found) {
                        Some(_) => Way::GivenDays { days: read(found, Role::AsIs), events },
                        None => Way::Days { events },
                    }
                }
                () if *in_folders => Way::Names(read(found, Role::AsIs)),
                () if is_moment || is_typed && exact::holds_times(target, &TimeFormat::Iso) => {
                    Way::Times(read(found, Role::Time))
                }
                () => Way::Values(read(found, role.clone())),
            });
        }
        Ok((wanted, ways))
    }

    /// How times are written in the files.
    fn written(&self) -> Result<TimeFormat, Problem> {
        match &self.source.kind {
            SourceKind::File(file) if !file.timestamp_format.is_empty() => {
                Ok(TimeFormat::parse(&file.timestamp_format).unwrap_or_default())
            }
            _ => Ok(TimeFormat::Iso),
        }
    }

    /// Rows in the columns of the history.
    fn converted(
        &self,
        schema: &SchemaRef,
        rows: &Rows,
        (part, scan): (&Part, &Scan),
        ways: &[Way],
    ) -> Result<RecordBatch, Problem> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(ways.len());
        for (way, field) in ways.iter().zip(schema.fields()) {
            let column = match way {
                Way::Times(times) => {
                    exact::times(&rows.columns[*times], scan.ticks(*times), field.data_type(), &self.written()?)
                }
                Way::Values(values) => exact::values(&rows.columns[*values], field.data_type()),
                Way::Names(names) => exact::texts(&rows.columns[*names]),
                Way::Days { events } => {
                    let is_compact = days::are_compact(&self.opened.files, field.name());
                    Ok(days::of(&rows.columns[*events], scan.ticks(*events), is_compact))
                }
                Way::GivenDays { days, events } => {
                    days::same(&rows.columns[*days], &rows.columns[*events], scan.ticks(*events))
                }
            };
            columns.push(column.map_err(|Unfit { row, reason }| {
                let message = format!("{}, column `{}`: {reason}", part.place(row), field.name());
                Problem::new(Kind::Invalid, message, None)
            })?);
        }
        RecordBatch::try_new(Arc::clone(schema), columns)
            .map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))
    }
}

/// Rows that are written where nobody sees them.
pub struct Staged<'a> {
    source: &'a DataSource,
    repo: &'a Path,
    written: Box<dyn Complete>,
    place: Place,
    rows: u64,
}

impl Staged<'_> {
    /// Lets the rows appear, for certain.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn finish(self) -> Result<Added, Problem> {
        let Self { source, repo, written, place, rows } = self;
        written.appear().map_err(|error| unwritable(source, error))?;
        let shown = |path: &Path| path.strip_prefix(repo).unwrap_or(path).display().to_string();
        let added = Added { source: source.name.clone(), rows, files: Vec::new(), table: None, server: None };
        Ok(match place {
            Place::Files(files) => Added { files: files.paths().iter().map(|path| shown(path)).collect(), ..added },
            Place::Table(table) => Added { table: Some(table), ..added },
            Place::Server(server) => Added { server: Some(server), ..added },
        })
    }
}

fn unwritable(source: &DataSource, error: SinkError) -> Problem {
    let what = format!("cannot add rows to data source `{}`", source.name);
    match error {
        SinkError::Problem(problem) => problem,
        SinkError::Io(error) if error.kind() == io::ErrorKind::StorageFull => {
            Problem::new(Kind::Unavailable, format!("{what}: no space is left for them"), None)
        }
        SinkError::Io(error) => Problem::new(Kind::Unavailable, format!("{what}: {error}"), None),
        other => Problem::new(Kind::Unsupported, format!("{what}: {other}"), None),
    }
}
