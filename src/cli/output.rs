//! Where a result of rows goes and in which format: the arguments that commands with such results share.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use indicatif::HumanBytes;

use super::{CommandError, Context, output_format::OutputFormat, parquet_options::ParquetArgs};
use crate::{
    config::{BucketUrl, TableUrl},
    diagnostics::counted,
    offline::ResultPlace,
    sink::{Folder, Partitions, PostgresTable, RowSink, SinkError, Target},
    ui::Printer,
};

/// Where rows go.
#[derive(Debug, clap::Args)]
pub(crate) struct OutputArgs {
    /// Where the result goes: a file or an object of a bucket (s3://BUCKET/KEY), whose ending gives the format; a folder, with
    /// --partition-by, also of a bucket; a table of PostgreSQL, postgresql://USER:PASSWORD@HOST/DATABASE#SCHEMA.TABLE; or what the engine
    /// of the settings (`offline_store: {type: spark}`) writes itself: a folder, with a slash at its end and without --partition-by, or a
    /// table of its catalog, table:CATALOG.SCHEMA.NAME [default: the screen]
    #[arg(long, short, value_name = "OUTPUT")]
    output: Option<PathBuf>,
    /// How the result is written [default: as the ending of the output says, parquet in a folder, else a table]
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,
    /// Write a folder of files, with a folder in it for each value of these columns (as Hive: day=2024-01-01)
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', requires = "output")]
    partition_by: Vec<String>,
    #[command(flatten)]
    parquet: ParquetArgs,
    /// Write the first N rows only
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

/// Where a result goes.
enum Place {
    Screen,
    File(PathBuf),
    Folder(PathBuf),
    Object(BucketUrl),
    FolderInBucket(BucketUrl),
    Table(TableUrl),
}

impl OutputArgs {
    /// Begins to write, so that what cannot be written is known before anything is read.
    pub(crate) fn open(&self, context: &Context) -> Result<Output, CommandError> {
        let place = self.place()?;
        let format = self.chosen_format(&place, context.printer.json)?;
        if let Some(flag) = self.parquet.given().filter(|_| format != OutputFormat::Parquet) {
            return Err(CommandError::new(
                format!("{flag} is for parquet, and this is not written as such"),
                "leave it out, or give --format parquet".to_owned(),
            ));
        }
        let sink = match &place {
            Place::Screen => format.sink(Target::stdout(), self.parquet.options()),
            Place::File(path) => {
                let target = Target::file(path).map_err(|error| unwritable(path, &error))?;
                format.sink(target, self.parquet.options())
            }
            Place::Object(url) => {
                let bucket = context.bucket(url)?;
                format.sink(Target::object(&bucket, &url.key)?, self.parquet.options())
            }
            Place::Folder(path) => {
                self.folder(format, || Folder::create(path, false).map_err(|error| unwritable(path, &error)))?
            }
            Place::FolderInBucket(url) => {
                self.folder(format, || Ok(Folder::create_in(&context.bucket(url)?, url, false)?))?
            }
            Place::Table(url) => RowSink::new(PostgresTable::connect(url.clone())?.opening()),
        };
        let sink = sink.limited_to(self.limit.unwrap_or(usize::MAX));
        Ok(Output { sink, place, format })
    }

    /// What an engine is to write itself: a table of its catalog, or what ends with a slash and is not divided by columns.
    ///
    /// # Errors
    /// When something else is wanted of it that engines do not do.
    pub(crate) fn of_engine(&self) -> Result<Option<ResultPlace>, CommandError> {
        let Some(path) = self.output.as_deref().and_then(Path::to_str) else { return Ok(None) };
        let table = path.strip_prefix("table:");
        if table.is_none() && (!path.ends_with('/') || !self.partition_by.is_empty()) {
            return Ok(None);
        }
        if !self.partition_by.is_empty() {
            return Err(self.no_folder("a table is no folder"));
        }
        let other = match (self.format, self.limit, self.parquet.given()) {
            (Some(format), ..) if format != OutputFormat::Parquet => Some("--format"),
            (_, Some(_), _) => Some("--limit"),
            (_, _, flag) => flag,
        };
        if let Some(flag) = other {
            let message = format!("{flag} is nothing for a result that an engine writes itself, in its own way");
            return Err(CommandError::new(message, "leave it out, or name one file with --output".to_owned()));
        }
        Ok(Some(match table {
            Some(name) => ResultPlace::Table(name.to_owned()),
            None if path.contains("://") => ResultPlace::Folder(path.to_owned()),
            None => ResultPlace::Folder(std::path::absolute(path)?.display().to_string()),
        }))
    }

    fn place(&self) -> Result<Place, CommandError> {
        let Some(path) = self.output.as_deref().filter(|path| *path != Path::new("-")) else {
            return match self.partition_by.is_empty() {
                true => Ok(Place::Screen),
                false => Err(self.no_folder("standard output is no folder")),
            };
        };
        if let Some(url) = path.to_str().and_then(BucketUrl::parse) {
            return match self.partition_by.is_empty() {
                true => Ok(Place::Object(url?)),
                false => Ok(Place::FolderInBucket(url?)),
            };
        }
        match path.to_str().map(TableUrl::parse).transpose()?.flatten() {
            Some(_) if !self.partition_by.is_empty() => Err(self.no_folder("a table is no folder")),
            Some(_) if self.format.is_some() => Err(CommandError::new(
                "a table has no format of files",
                "leave out --format, or name a file with --output".to_owned(),
            )),
            Some(url) => Ok(Place::Table(url)),
            None if self.partition_by.is_empty() => Ok(Place::File(path.to_owned())),
            None => Ok(Place::Folder(path.to_owned())),
        }
    }

    fn no_folder(&self, why: &str) -> CommandError {
        CommandError::new(
            format!("{why}, which --partition-by {} asks for", self.partition_by.join(",")),
            "name one with --output FOLDER, or leave out --partition-by".to_owned(),
        )
    }

    fn folder(
        &self,
        format: OutputFormat,
        create: impl FnOnce() -> Result<Folder, CommandError>,
    ) -> Result<RowSink, CommandError> {
        let format = format.of_files(self.parquet.options()).ok_or_else(|| {
            CommandError::new("a folder of tables for the screen cannot be written", "use --format parquet".to_owned())
        })?;
        Ok(RowSink::new(Partitions { folder: create()?, format, by: self.partition_by.clone() }.opening()))
    }

    fn chosen_format(&self, place: &Place, json: bool) -> Result<OutputFormat, CommandError> {
        match (self.format, place) {
            (Some(format), _) => Ok(format),
            (None, Place::File(path)) => OutputFormat::from_path(path).ok_or_else(|| no_format(place)),
            (None, Place::Object(url)) => OutputFormat::from_path(Path::new(&url.key)).ok_or_else(|| no_format(place)),
            (None, Place::Folder(_) | Place::FolderInBucket(_)) => Ok(OutputFormat::Parquet),
            (None, Place::Screen) if json => Ok(OutputFormat::Jsonl),
            // A table of PostgreSQL has no format; this one takes no options of parquet.
            (None, Place::Screen | Place::Table(_)) => Ok(OutputFormat::Table),
        }
    }
}

/// An output that is being written.
pub(crate) struct Output {
    /// Takes the rows.
    pub(crate) sink: RowSink,
    place: Place,
    format: OutputFormat,
}

impl Output {
    /// Completes the output when the query, which answered `read`, is done. A query that was broken off because the
    /// output failed is no failure of its own.
    pub(crate) fn finish<T: Default, E: Into<CommandError>>(
        self,
        read: Result<T, E>,
        printer: Printer,
    ) -> Result<(T, Written), CommandError> {
        let Self { sink, place, format } = self;
        let read = if sink.failed() { T::default() } else { read.map_err(Into::into)? };
        let rows = sink.finish().map_err(|error| explain(error, &place))?;
        let not_shown = if matches!(place, Place::Table(_)) { 0 } else { format.left_out(rows) };
        if not_shown > 0 {
            printer.say(format_args!("… and {}; write them all with --output FILE", counted(not_shown, "more row")));
        }
        Ok((read, Written { rows, place }))
    }
}

/// The most memory that this process has had, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    kibibytes.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
}

/// What was written.
pub(crate) struct Written {
    /// How many rows.
    pub(crate) rows: usize,
    place: Place,
}

impl Written {
    /// Says where the result is, if not in front of the person, and what it took.
    pub(crate) fn say(&self, elapsed: Duration, printer: Printer) {
        if matches!(self.place, Place::Screen) {
            return;
        }
        let seconds = elapsed.as_secs_f64();
        let speed = match &self.place {
            Place::File(path) => fs::metadata(path).ok().filter(|file| file.is_file()).map(|file| file.len()),
            _ => None,
        };
        let speed = speed.map_or(String::new(), |bytes| format!(", {:.1} MB/s", bytes as f64 / 1e6 / seconds));
        let memory = peak_memory().map_or(String::new(), |bytes| format!(", peak memory {}", HumanBytes(bytes)));
        let rows = counted(self.rows, "row");
        printer.say(format_args!("Wrote {rows} to {} in {seconds:.1} s{speed}{memory}", self.place));
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Screen => f.write_str("standard output"),
            Self::File(path) | Self::Folder(path) => path.display().fmt(f),
            Self::Object(url) | Self::FolderInBucket(url) => url.fmt(f),
            Self::Table(url) => url.fmt(f),
        }
    }
}

fn no_format(place: &Place) -> CommandError {
    CommandError::new(
        format!("the ending of {place} says no format"),
        "end it with .parquet, .csv, .jsonl or .arrow, or give --format".to_owned(),
    )
}

fn explain(error: SinkError, place: &Place) -> CommandError {
    match (error, place) {
        (SinkError::Io(error), Place::File(path) | Place::Folder(path)) => unwritable(path, &error),
        (SinkError::Io(error), _) => error.into(),
        (SinkError::Problem(problem), _) => problem.into(),
        (error @ SinkError::Nested(_), _) => {
            CommandError::new(error.to_string(), "use --format parquet or jsonl".to_owned())
        }
        (error, _) => CommandError::new(error.to_string(), None),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> CommandError {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::StorageFull => {
            CommandError::new(format!("no space left for {path}; no file was left behind"), None)
        }
        io::ErrorKind::AlreadyExists => CommandError::new(
            format!("cannot write {path}: {error}"),
            "remove it, or name another folder with --output".to_owned(),
        ),
        _ => CommandError::new(format!("cannot write {path}: {error}"), None),
    }
}
