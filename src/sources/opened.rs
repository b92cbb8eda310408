//! A source whose files are found and whose headers are read, once.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

use arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    compute::{CastOptions, cast_with_options},
    datatypes::{DataType as ArrowType, Schema},
};

use super::{
    batches::Batches,
    columns::{Column, Columns},
    convert::{Converted, Converter},
    files::{self, DataFile, Days, Format, NewFiles, Search, SourceFiles},
    header::Header,
    parquet::{Footer, unreadable},
    postgres::Table,
    scan::{FileColumn, FileContent, Scan, ScanFile},
    seen::columns_of,
    target::{Integers, Role, Target, target},
    text::{TextRules, TimeFormat},
    text_files::TextFile,
    wanted::Wanted,
    whereabouts::Whereabouts,
};
use crate::{
    config::BucketUrl,
    diagnostics::did_you_mean,
    feast::values::encode::EncodeError,
    model::{DataSource, FileFormat, FileSource, PostgresSource, SourceKind},
    problem::{Kind, Problem},
    side_by_side::{side_by_side, waiting_side_by_side},
};

/// The files of a source with their headers.
#[derive(Debug)]
pub struct OpenSource {
    /// The files that it has.
    pub files: SourceFiles,
    /// What messages call each of them.
    names: Vec<String>,
    headers: Vec<Header>,
    columns: Columns,
    rules: Arc<TextRules>,
    /// What messages call the source.
    shown: String,
}

impl OpenSource {
    /// Finds the files or the table of a source and reads their headers, to read rows, too.
    ///
    /// # Errors
    /// When there is none, or one of them is not what its format says.
    pub fn open(source: &DataSource, whereabouts: &Whereabouts) -> Result<Self, Problem> {
        Self::find(source, whereabouts, true, None)
    }

    /// The same for those who read events between two moments (microseconds, both inside): folders of other days, as the
    /// source's `date_partition_column` names them, are left out.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_between(source: &DataSource, whereabouts: &Whereabouts, moments: (i64, i64)) -> Result<Self, Problem> {
        Self::find(source, whereabouts, true, Some(moments))
    }

    /// The same for those who only look at columns, which takes less.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn look_at(source: &DataSource, whereabouts: &Whereabouts) -> Result<Self, Problem> {
        Self::find(source, whereabouts, false, None)
    }

    fn find(
        source: &DataSource,
        whereabouts: &Whereabouts,
        to_read: bool,
        moments: Option<(i64, i64)>,
    ) -> Result<Self, Problem> {
        match &source.kind {
            SourceKind::File(file) => Self::find_files(source, file, whereabouts, (to_read, moments)),
            SourceKind::Postgres(postgres) => Self::find_table(source, postgres, whereabouts, to_read),
            kind => {
                let message = format!("data source `{}` is of type {kind}, which is not supported yet", source.name);
                Err(Problem::new(Kind::Unsupported, message, None))
            }
        }
    }

    fn find_table(
        source: &DataSource,
        postgres: &PostgresSource,
        whereabouts: &Whereabouts,
        to_read: bool,
    ) -> Result<Self, Problem> {
        let shown = format!("data source `{}`", source.name);
        let table = Table::open(source, postgres, whereabouts, to_read)?;
        Ok(Self::of_table(table, &shown))
    }

    fn find_files(
        source: &DataSource,
        file: &FileSource,
        whereabouts: &Whereabouts,
        (to_read, moments): (bool, Option<(i64, i64)>),
    ) -> Result<Self, Problem> {
        let repo = &whereabouts.repo;
        let moments = moments.filter(|_| !source.date_partition_column.is_empty());
        let days = moments.map(|moments| Days::between(&source.date_partition_column, moments));
        let bucket = |url: &BucketUrl| whereabouts.bucket(source, url, &file.s3_endpoint_override);
        let search = Search { repo, bucket: &bucket, days: days.as_ref(), to_read };
        let files = match file.format {
            Some(FileFormat::Delta) => files::find_delta(&file.path, file.table_version, search)?,
            format => files::find(&file.path, Format::declared(format), search)?,
        };
        Self::read_files(files, source, file, (repo, to_read))
    }

    fn read_files(
        files: SourceFiles,
        source: &DataSource,
        file: &FileSource,
        (repo, to_read): (&Path, bool),
    ) -> Result<Self, Problem> {
        let times = time_format(source, file)?;
        let name = |file: &DataFile| file.place.shown_from(repo);
        let rules = TextRules { times };
        Self::read(files, rules, file.delimiter, &name, (format!("data source `{}`", source.name), to_read))
    }

    /// Some of the files of a source, to read rows.
    ///
    /// # Errors
    /// When one of them is not what its format says.
    pub(super) fn of_found(
        files: SourceFiles,
        source: &DataSource,
        whereabouts: &Whereabouts,
    ) -> Result<Self, Problem> {
        match &source.kind {
            SourceKind::File(file) => Self::read_files(files, source, file, (&whereabouts.repo, true)),
            _ => Self::find(source, whereabouts, true, None),
        }
    }

    /// A file of rows that a person names, called `shown` in messages.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn file(path: &Path, format: Format, shown: &str) -> Result<Self, Problem> {
        let files = SourceFiles::single(path, format).map_err(|error| unreadable(shown, &error))?;
        Self::read(files, TextRules { times: TimeFormat::Iso }, None, &|_| shown.to_owned(), (shown.to_owned(), true))
    }

    /// The same rows, in which times are written as in a source.
    ///
    /// # Errors
    /// When its `timestamp_format` is none.
    pub fn written_like(self, source: &DataSource) -> Result<Self, Problem> {
        let SourceKind::File(file) = &source.kind else { return Ok(self) };
        Ok(Self { rules: Arc::new(TextRules { times: time_format(source, file)? }), ..self })
    }

    /// Where new files of this source go, which is one of files.
    ///
    /// # Errors
    /// When they are no parquet files, or its path is a pattern that new files would perhaps not match.
    pub fn new_files(&self, source: &DataSource, file: &FileSource, repo: &Path) -> Result<NewFiles, Problem> {
        files::new_files(source, file, &self.files, repo)
    }

    /// Lines of JSON in memory, one for each row, which have these columns and are called `shown` in messages.
    pub fn json_lines(columns: Vec<String>, lines: Arc<[u8]>, shown: &str) -> Self {
        Self::of_one(Header::Text(TextFile::in_hand(columns, lines)), shown)
    }

    /// Rows in memory, called `shown` in messages.
    pub fn batches(schema: &Schema, batches: Vec<RecordBatch>, shown: &str) -> Self {
        Self::of_one(Header::Batches(Batches::new(schema, batches)), shown)
    }

    /// Rows that are in no file.
    fn of_one(header: Header, shown: &str) -> Self {
        let (names, headers) = (vec![shown.to_owned()], vec![header]);
        let rules = Arc::new(TextRules { times: TimeFormat::Iso });
        let (files, columns) = (SourceFiles::of(vec![DataFile::default()]), Columns::default());
        let mut opened = Self { files, names, headers, columns, rules, shown: shown.to_owned() };
        opened.columns = columns_of(opened.all(), None);
        opened
    }

    /// A source of which only the columns are known, and no rows can be read.
    ///
    /// # Errors
    /// When its `timestamp_format` is none.
    pub fn known(source: &DataSource, columns: Columns) -> Result<Self, Problem> {
        let times = match &source.kind {
            SourceKind::File(file) => time_format(source, file)?,
            _ => TimeFormat::Iso,
        };
        let files = SourceFiles::of(Vec::new());
        let (names, headers, shown) = (Vec::new(), Vec::new(), source.name.clone());
        Ok(Self { files, names, headers, columns, rules: Arc::new(TextRules { times }), shown })
    }

    fn read(
        files: SourceFiles,
        rules: TextRules,
        delimiter: Option<char>,
        name: &(dyn Fn(&DataFile) -> String + Sync),
        (shown, to_read): (String, bool),
    ) -> Result<Self, Problem> {
        let look = |file: &DataFile| {
            let shown = name(file);
            Ok(match files.format {
                Format::Parquet => {
                    Header::Parquet(Footer::read(&file.place, &shown, to_read || !file.partitions.is_empty())?)
                }
                Format::Csv => Header::Text(TextFile::csv(&file.place, &shown, delimiter)?),
                Format::Json => Header::Text(TextFile::json(&file.place, &shown)?),
            })
        };
        let headers = match files.files.iter().any(|file| file.place.is_stored()) {
            true => waiting_side_by_side(&files.files, look),
            false => side_by_side(&files.files, look),
        };
        let headers = headers.into_iter().collect::<Result<_, Problem>>()?;
        let names = files.files.iter().map(name).collect();
        let mut opened = Self { columns: Columns::default(), files, names, headers, rules: Arc::new(rules), shown };
        opened.columns = columns_of(opened.all(), opened.files.table.as_ref());
        if !to_read {
            opened.headers = opened.headers.into_iter().map(Header::without_row_groups).collect();
        }
        Ok(opened)
    }

    /// Rows of a table, called `shown` in messages.
    pub(crate) fn of_table(table: Table, shown: &str) -> Self {
        Self::of_one(Header::Postgres(Arc::new(table)), shown)
    }

    /// The table of PostgreSQL that has the rows, if they are in one.
    pub(crate) fn as_table(&self) -> Option<&Arc<Table>> {
        match self.headers.as_slice() {
            [Header::Postgres(table)] => Some(table),
            _ => None,
        }
    }

    /// Whether there is neither a row nor a column.
    pub fn has_nothing(&self) -> bool {
        self.columns.columns.is_empty() && self.headers.iter().all(Header::is_empty)
    }

    /// Whether all rows are in parquet files, of which some can be found and read again at little cost.
    pub fn is_parquet(&self) -> bool {
        self.headers.iter().all(|header| matches!(header, Header::Parquet(_) | Header::Columns { .. }))
    }

    /// The columns of all files.
    pub const fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Whether a column can be read for a purpose.
    pub fn accepts(&self, column: &Column, role: &Role) -> bool {
        target(column, role, self.integers()).is_some()
    }

    /// Looks at the values of the first 20 million rows where their type says too little of them: at those of folder
    /// names, and at numbers of join keys, which may have fractions.
    ///
    /// # Errors
    /// When one does not fit, or a file cannot be read.
    pub fn check(&self, column: &Column, role: &Role) -> Result<(), Problem> {
        const ROWS: usize = 20_000_000;
        if self.headers.is_empty() {
            return Ok(());
        }
        if let Some(file) = &column.twice_in {
            return Err(twice(file, &column.name));
        }
        let is_fraction = |kind: &ArrowType| kind.is_floating() || kind.is_decimal();
        let may_be_fraction =
            matches!(role, Role::Key(_)) && column.kinds.iter().any(|kind| is_fraction(kind.holds.arrow()));
        let in_folders = self.files.partition_names().contains(&column.name.as_str());
        if !may_be_fraction && !in_folders {
            return Ok(());
        }
        // Making a scan reads the names of folders.
        let wanted = Wanted { column: column.name.clone(), role: role.clone(), null_if_unfit: false };
        let scan = self.scan(vec![wanted])?;
        if !may_be_fraction {
            return Ok(());
        }
        let run = Arc::new(scan).run();
        let mut rows = 0;
        while let Some(mut part) = run.part()? {
            while let Some(batch) = run.batch(&mut part)? {
                rows += batch.count;
                if rows > ROWS {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// In how many of the files a column is not.
    pub fn missing_in(&self, column: &Column) -> usize {
        let files = self.all().filter(|(_, header)| !header.is_empty()).count();
        files.saturating_sub(column.kinds.iter().map(|kind| kind.files).sum())
    }

    /// What is odd about the files and keeps nobody from reading them.
    pub fn oddities(&self) -> Vec<Problem> {
        let mut oddities = Vec::new();
        if self.files.beside_delta_log {
            oddities.push(Problem::new(
                Kind::Invalid,
                "the files are those of a Delta table, and all of them are read, also those that it has removed",
                "run VACUUM on the table, or write what is to be read to a folder of its own".to_owned(),
            ));
        }
        for column in &self.columns.columns {
            if let Some(difference) = &column.in_folders {
                oddities.push(Problem::new(
                    Kind::Invalid,
                    format!(
                        "column `{}` is in the files and in the names of folders, which differ: {difference}",
                        column.name
                    ),
                    "the values of the files are read".to_owned(),
                ));
            }
        }
        oddities
    }

    fn integers(&self) -> Integers {
        match self.rules.times {
            TimeFormat::Iso => Integers::None,
            TimeFormat::Epoch(_) => Integers::Counted,
            TimeFormat::Pattern(_) => Integers::Digits,
        }
    }

    /// Decides how columns are read.
    ///
    /// # Errors
    /// When there is no such column, or its values cannot become what is asked for.
    pub fn scan(&self, wanted: Vec<Wanted>) -> Result<Scan, Problem> {
        let mut targets = Vec::with_capacity(wanted.len());
        for column in &wanted {
            targets.push(self.target(&column.column, &column.role)?);
        }
        let files = self.all().filter(|(_, header)| !header.is_empty());
        let files = files.map(|((file, shown), header)| self.scan_file(file, shown, header, &wanted, &targets));
        let files = files.collect::<Result<_, _>>()?;
        Ok(Scan {
            wanted,
            targets,
            files,
            range: None,
            keys: Vec::new(),
            content: None,
            only: None,
            places: false,
            rows: self.columns.rows.unwrap_or_else(|| match self.headers.as_slice() {
                [Header::Postgres(table)] => table.rows,
                _ => {
                    // Of texts, of which nobody knows the number of lines.
                    const BYTES_OF_A_ROW: u64 = 100;
                    self.files.files.iter().map(|file| file.bytes).sum::<u64>() / BYTES_OF_A_ROW
                }
            }),
            unfit: AtomicU64::new(0),
        })
    }

    /// Where the wanted columns are in a file.
    fn scan_file(
        &self,
        file: &DataFile,
        shown: &str,
        header: &Header,
        wanted: &[Wanted],
        targets: &[Target],
    ) -> Result<ScanFile, Problem> {
        let converter =
            |index: usize| Converter::new(wanted[index].role.clone(), targets[index].clone(), Arc::clone(&self.rules));
        let fields = match header {
            Header::Batches(batches) => Some(&batches.fields),
            Header::Parquet(footer) => Some(&footer.fields),
            Header::Columns { fields, .. } => Some(fields),
            Header::Text(_) | Header::Postgres(_) => None,
        };
        let root = |column: &str| match header {
            Header::Postgres(table) => table.position(column),
            _ => Some(fields?.find(column)?.0),
        };
        let mut roots: Vec<usize> = wanted.iter().filter_map(|wanted| root(&wanted.column)).collect();
        roots.sort_unstable();
        roots.dedup();
        let mut columns = Vec::with_capacity(wanted.len());
        for (index, column) in wanted.iter().enumerate() {
            let folder = file.partitions.iter().rev().find(|(key, _)| *key == column.column);
            let position = match header {
                Header::Batches(_) | Header::Parquet(_) | Header::Columns { .. } | Header::Postgres(_) => {
                    root(&column.column).and_then(|root| roots.iter().position(|known| *known == root))
                }
                Header::Text(text) if text.has(&column.column) => Some(index),
                Header::Text(text) => (folder.is_none() && text.may_have_more()).then_some(index),
            };
            columns.push(match (position, folder) {
                (Some(position), _) => {
                    let is_written = matches!(header, Header::Postgres(table) if table.is_written(&column.column));
                    FileColumn::Read(position, converter(index).of_what_is_written(is_written))
                }
                (None, None) => FileColumn::Missing,
                (None, Some((key, text))) => {
                    FileColumn::Folder(self.folder_value(&converter(index), key, text, shown)?)
                }
            });
        }
        let parquet = |footer: Footer| {
            let reading = footer.for_reading(shown)?;
            Ok::<_, Problem>(FileContent::Parquet { footer, reading, roots: roots.clone() })
        };
        let content = match header {
            Header::Batches(batches) => FileContent::Batches { batches: batches.clone(), roots },
            Header::Parquet(footer) => parquet(footer.clone())?,
            Header::Columns { .. } => parquet(Footer::read(&file.place, shown, true)?)?,
            Header::Text(text) => FileContent::Text(text.clone()),
            Header::Postgres(table) => FileContent::Postgres { table: Arc::clone(table), roots },
        };
        let deleted = file.deleted.clone();
        let (place, bytes) = (file.place.clone(), file.bytes);
        Ok(ScanFile { place, bytes, shown: shown.to_owned(), columns, content, deleted })
    }

    fn target(&self, name: &str, role: &Role) -> Result<Target, Problem> {
        let Some(column) = self.columns.get(name) else {
            let help = did_you_mean(name, self.columns.columns.iter().map(|column| column.name.as_str()));
            return Err(Problem::new(
                Kind::Invalid,
                format!("cannot read {}: there is no column `{name}`", self.shown),
                help,
            ));
        };
        if let Some(file) = &column.twice_in {
            return Err(twice(file, name));
        }
        target(column, role, self.integers()).ok_or_else(|| {
            let what = column.describe();
            let message = match role {
                Role::Time => format!("cannot read {}: column `{name}` holds {what} values, not times", self.shown),
                Role::Value(declared) | Role::Key(declared) | Role::EntityKey(declared) => format!(
                    "cannot read {}: column `{name}` holds {what} values, which cannot become {declared}",
                    self.shown
                ),
                Role::AsIs => format!("cannot read {}: column `{name}` holds {what} values", self.shown),
            };
            Problem::new(Kind::Invalid, message, None)
        })
    }

    fn folder_value(
        &self,
        converter: &Converter,
        key: &str,
        text: &Option<String>,
        shown: &str,
    ) -> Result<ArrayRef, Problem> {
        let converted = match self.files.table.as_ref().and_then(|table| table.find(key)) {
            Some((_, field)) => typed_constant(converter, field.data_type(), text.as_deref()),
            None => Ok(converter.constant(text.as_deref())),
        };
        let converted = converted.map_err(|error| {
            let message =
                format!("{shown} belongs to the partition `{key}={}`: {error}", text.as_deref().unwrap_or_default());
            Problem::new(Kind::Invalid, message, None)
        })?;
        match converted.reason {
            None => Ok(converted.array),
            Some(reason) => {
                let message =
                    format!("the folder `{key}={}` of {shown}: {reason}", text.as_deref().unwrap_or_default());
                Err(Problem::new(Kind::Invalid, message, None))
            }
        }
    }

    /// The columns of texts all of whose first values are times.
    ///
    /// # Errors
    /// When the first rows cannot be read.
    pub fn columns_of_times(&self) -> Result<Vec<String>, Problem> {
        let mut names = Vec::new();
        for ((file, shown), header) in self.all() {
            if let Header::Text(text) = header {
                names.extend(text.columns_of_times(&file.place, shown, &self.rules.times)?);
            }
        }
        Ok(names)
    }

    /// The files, each with what messages call it and its header.
    fn all(&self) -> impl Iterator<Item = ((&DataFile, &String), &Header)> + Clone {
        self.files.files.iter().zip(&self.names).zip(&self.headers)
    }
}

/// The text that a table has for a value of a type, as an array of one.
fn typed_constant(converter: &Converter, kind: &ArrowType, text: Option<&str>) -> Result<Converted, EncodeError> {
    let text: ArrayRef = Arc::new(StringArray::from(vec![text]));
    let value = cast_with_options(&text, kind, &CastOptions { safe: false, ..CastOptions::default() })?;
    converter.convert(&value)
}

fn twice(file: &str, column: &str) -> Problem {
    let message = format!("{file} has two columns called `{column}`");
    Problem::new(Kind::Invalid, message, "write it with another name for one of them".to_owned())
}

fn time_format(source: &DataSource, file: &FileSource) -> Result<TimeFormat, Problem> {
    match file.timestamp_format.as_str() {
        "" => Ok(TimeFormat::Iso),
        declared => TimeFormat::parse(declared).ok_or_else(|| {
            let message = format!("`{declared}`, the timestamp_format of `{}`, is none", source.name);
            Problem::new(Kind::Invalid, message, "write `epoch_seconds` or a pattern such as %d/%m/%Y".to_owned())
        }),
    }
}
