//! For whom features are asked: rows with join keys and, for training data, the time of each. One value for
//! every face; online and offline read it through the same [`open`](Entities::open), so that a key is the
//! same everywhere.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use serde_json::{Value as Json, value::RawValue};

use super::arrow_file::{arrow_to_parquet, is_arrow};
use crate::{
    model::{Timestamp, printable},
    problem::{Kind, Problem},
    sources::{Format, OpenSource},
    spill::SpillFolder,
};

/// The column with the times of entity rows, as Feast calls it.
pub const EVENT_TIMESTAMP: &str = "event_timestamp";

/// More columns no view has; names are looked for one by one.
const MOST_COLUMNS: usize = 10_000;

/// Rows of entities.
#[derive(Debug, Clone)]
pub struct Entities {
    rows: Rows,
    /// What messages call the file they are in; `None` for rows that somebody has in hand.
    file: Option<String>,
    /// What messages call those.
    in_hand: &'static str,
    /// The moment that all rows are about, if they have none of their own.
    moment: Option<Timestamp>,
}

#[derive(Debug, Clone)]
enum Rows {
    /// In memory.
    Batches(SchemaRef, Vec<RecordBatch>),
    /// In memory, as lines of JSON that have these columns.
    Json { columns: Vec<String>, lines: Arc<[u8]> },
    /// In a file, which may be larger than memory: it is read part by part, each time they are asked for.
    File {
        path: PathBuf,
        format: Format,
        /// Removes rows that were kept here because they can be read only once.
        _folder: Option<Arc<SpillFolder>>,
    },
}

impl Entities {
    /// Rows in memory, whose columns are those of the schema.
    pub const fn of_batches(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self { rows: Rows::Batches(schema, batches), file: None, in_hand: "the entity rows", moment: None }
    }

    /// Rows that a person writes, one after the other: names of join keys and their values as texts. All
    /// of them have the same keys, in any order.
    ///
    /// # Errors
    /// When a row has a key twice, or other keys than the first one.
    pub fn of_texts(rows: &[Vec<(String, String)>]) -> Result<Self, Problem> {
        let invalid = |message: String, help: Option<String>| Err(Problem::new(Kind::Invalid, message, help));
        let names: Vec<&str> = rows.first().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        for (index, row) in rows.iter().enumerate() {
            for (position, (name, _)) in row.iter().enumerate() {
                if row[..position].iter().any(|(other, _)| other == name) {
                    return invalid(format!("`{name}` is given twice for one entity"), None);
                }
            }
            if row.len() != names.len() || !row.iter().all(|(name, _)| names.contains(&name.as_str())) {
                let help = format!("give {} for each", names.join(", "));
                return invalid(format!("entity {} has other columns than the first one", index + 1), Some(help));
            }
        }
        let column = |name: &&str| -> ArrayRef {
            let texts = rows.iter().flatten().filter(|(key, _)| key == name).map(|(_, value)| value);
            Arc::new(StringArray::from_iter_values(texts))
        };
        let fields: Vec<Field> = names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let columns = names.iter().map(column).collect();
        let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options)
            .map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))?;
        Ok(Self::of_batches(schema, vec![batch]))
    }

    /// Columns of JSON as they are written, each with a value for every row. Of those with one name the last one counts,
    /// as in JSON.
    ///
    /// # Errors
    /// When they are not of one length, or more than anything has.
    pub fn of_json(columns: Vec<(String, Vec<&RawValue>)>) -> Result<Self, Problem> {
        if columns.len() > MOST_COLUMNS {
            let message = format!("there are {} columns, of which {MOST_COLUMNS} are looked at", columns.len());
            return Err(Problem::new(Kind::Invalid, message, "leave out those that nobody needs".to_owned()));
        }
        let mut each: Vec<(String, Vec<&RawValue>)> = Vec::with_capacity(columns.len());
        for (name, values) in columns {
            match each.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = values,
                None => each.push((name, values)),
            }
        }
        let rows = each.first().map_or(0, |(_, values)| values.len());
        if let Some((name, values)) = each.iter().find(|(_, values)| values.len() != rows) {
            let (first, values) = (printable(&each[0].0), values.len());
            let message = format!("column `{first}` has {rows} values and `{}` has {values}", printable(name));
            return Err(Problem::new(Kind::Invalid, message, "give one of each for every row".to_owned()));
        }
        let lines = json_lines(&each, rows).into();
        let columns = each.into_iter().map(|(name, _)| name).collect();
        Ok(Self { rows: Rows::Json { columns, lines }, file: None, in_hand: "the rows", moment: None })
    }

    /// A file of rows in any format, which messages call `shown`. Pipes are copied to a temporary file.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn of_file(path: &Path, shown: &str) -> Result<Self, Problem> {
        let unreadable = |error: io::Error| unreadable(shown, &error);
        let kind = fs::metadata(path).map_err(unreadable)?.file_type();
        if kind.is_dir() {
            return Err(Problem::new(
                Kind::Invalid,
                format!("{shown} is a folder"),
                "name a file; rows are read from one".to_owned(),
            ));
        }
        if !kind.is_file() {
            return Self::of_stream(&mut File::open(path).map_err(unreadable)?, shown);
        }
        if is_arrow(path).map_err(unreadable)? {
            return Self::of_arrow(path, shown);
        }
        let format = Format::of_file(path).map_err(unreadable)?;
        Ok(Self::of_rows(Rows::File { path: path.to_owned(), format, _folder: None }, shown))
    }

    /// Rows in any format that can be read only once, such as standard input, which messages call `shown`.
    ///
    /// # Errors
    /// When they cannot be read, or not be copied to a temporary file.
    pub fn of_stream(stream: &mut dyn Read, shown: &str) -> Result<Self, Problem> {
        let unreadable = |error: io::Error| unreadable(shown, &error);
        let folder = Arc::new(SpillFolder::default());
        let path = folder.path()?.join("rows");
        let mut copy = File::create(&path).map_err(unreadable)?;
        io::copy(stream, &mut copy).map_err(unreadable)?;
        if is_arrow(&path).map_err(unreadable)? {
            return Self::of_arrow(&path, shown);
        }
        let format = Format::of_file(&path).map_err(unreadable)?;
        Ok(Self::of_rows(Rows::File { path, format, _folder: Some(folder) }, shown))
    }

    /// Rows of an Arrow file or stream, which are kept as parquet.
    fn of_arrow(path: &Path, shown: &str) -> Result<Self, Problem> {
        let folder = Arc::new(SpillFolder::default());
        let kept = folder.path()?.join("rows.parquet");
        arrow_to_parquet(path, &kept)
            .map_err(|reason| Problem::new(Kind::Invalid, format!("cannot read {shown}: {reason}"), None))?;
        Ok(Self::of_kept(kept, folder, shown))
    }

    /// Rows in a parquet file that is removed with its folder when nobody wants them any longer.
    pub fn of_kept(path: PathBuf, folder: Arc<SpillFolder>, shown: &str) -> Self {
        Self::of_rows(Rows::File { path, format: Format::Parquet, _folder: Some(folder) }, shown)
    }

    fn of_rows(rows: Rows, shown: &str) -> Self {
        Self { rows, file: Some(shown.to_owned()), in_hand: "", moment: None }
    }

    /// The same rows, which messages call so if they are in no file.
    #[must_use]
    pub fn called(self, in_hand: &'static str) -> Self {
        Self { in_hand, ..self }
    }

    /// The same rows, all of them about one moment; they have no times of their own.
    #[must_use]
    pub fn at(self, moment: Timestamp) -> Self {
        Self { moment: Some(moment), ..self }
    }

    /// The moment that all rows are about, if they have none of their own.
    pub const fn moment(&self) -> Option<Timestamp> {
        self.moment
    }

    /// The rows, with their columns known.
    ///
    /// # Errors
    /// When the file is not what its format says.
    pub fn open(&self) -> Result<OpenSource, Problem> {
        match &self.rows {
            Rows::Batches(schema, batches) => Ok(OpenSource::batches(schema, batches.clone(), self.shown())),
            Rows::Json { columns, lines } => {
                Ok(OpenSource::json_lines(columns.clone(), Arc::clone(lines), self.shown()))
            }
            Rows::File { path, format, .. } => OpenSource::file(path, *format, self.shown()),
        }
    }

    /// What messages call all of them.
    pub fn shown(&self) -> &str {
        self.file.as_deref().unwrap_or(self.in_hand)
    }

    /// What messages call one of them, by its place from 0.
    pub fn row(&self, index: usize) -> String {
        match &self.file {
            Some(file) => format!("row {} of {file}", index + 1),
            None => format!("entity {}", index + 1),
        }
    }

    /// Whether they are in a file, which may have columns that nobody asks about.
    pub const fn is_file(&self) -> bool {
        self.file.is_some()
    }
}

/// Columns as one object a line.
fn json_lines(columns: &[(String, Vec<&RawValue>)], rows: usize) -> Vec<u8> {
    let names: Vec<String> = columns.iter().map(|(name, _)| format!("{}:", Json::from(name.as_str()))).collect();
    let bytes = |(name, (_, values)): (&String, &(String, Vec<&RawValue>))| {
        rows * (name.len() + 1) + values.iter().map(|value| value.get().len()).sum::<usize>()
    };
    let mut lines = Vec::with_capacity(2 * rows + names.iter().zip(columns).map(bytes).sum::<usize>());
    for row in 0..rows {
        for (place, (name, (_, values))) in names.iter().zip(columns).enumerate() {
            lines.push(if place == 0 { b'{' } else { b',' });
            lines.extend_from_slice(name.as_bytes());
            // Between values JSON may have ends of lines, in texts not.
            lines.extend(values[row].get().bytes().map(|byte| if byte == b'\n' { b' ' } else { byte }));
        }
        lines.extend_from_slice(b"}\n");
    }
    lines
}

fn unreadable(shown: &str, error: &io::Error) -> Problem {
    if let Some(problem) = Problem::within(error) {
        return problem.clone();
    }
    match error.kind() {
        io::ErrorKind::NotFound => Problem::new(Kind::NotFound, format!("there is no file {shown}"), None),
        _ => Problem::new(Kind::Unavailable, format!("cannot read {shown}: {error}"), None),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn row(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn rows_of_texts_have_the_same_keys_in_any_order() {
        let entities = Entities::of_texts(&[row(&[("a", "1"), ("b", "x")]), row(&[("b", "y"), ("a", "2")])]).unwrap();
        let Rows::Batches(_, batches) = &entities.rows else { panic!("{entities:?}") };
        let shown = arrow::util::pretty::pretty_format_batches(batches).unwrap().to_string();
        assert!(shown.contains("| 1 | x |") && shown.contains("| 2 | y |"), "{shown}");
        assert_eq!(entities.row(1), "entity 2");
        let problem = |rows: &[Vec<(String, String)>]| Entities::of_texts(rows).unwrap_err().message;
        assert_eq!(problem(&[row(&[("a", "1"), ("a", "2")])]), "`a` is given twice for one entity");
        for other in [row(&[("a", "1")]), row(&[("a", "1"), ("c", "2")]), row(&[("a", "1"), ("b", "1"), ("c", "2")])] {
            let first = row(&[("a", "1"), ("b", "2")]);
            assert_eq!(problem(&[first, other]), "entity 2 has other columns than the first one");
        }
        assert_eq!(Entities::of_texts(&[]).unwrap().open().unwrap().columns().rows, Some(0));
    }

    #[test]
    fn what_can_be_read_once_is_kept_as_long_as_somebody_wants_it() {
        let entities = Entities::of_stream(&mut &b"{\"a\": 1}\n"[..], "stdin").unwrap();
        let Rows::File { path, format, .. } = entities.rows.clone() else { panic!("{entities:?}") };
        assert_eq!((format, entities.row(0).as_str()), (Format::Json, "row 1 of stdin"));
        let other = entities.clone();
        drop(entities);
        assert!(other.open().unwrap().columns().get("a").is_some());
        drop(other);
        assert!(!path.exists());
    }

    fn of_json(text: &str) -> Result<Entities, Problem> {
        let columns: BTreeMap<String, Vec<&RawValue>> = serde_json::from_str(text).unwrap();
        Entities::of_json(columns.into_iter().collect())
    }

    #[test]
    fn columns_of_json_are_rows_of_values_as_they_are_written() {
        let entities = of_json("{\"a\": [1.10, null], \"b \\\"\": [\"x\\n\", [\n1, {\"c\":\n2}\n]]}").unwrap();
        let Rows::Json { columns, lines } = &entities.rows else { panic!("{entities:?}") };
        assert_eq!(columns, &["a", "b \""]);
        let expected = "{\"a\":1.10,\"b \\\"\":\"x\\n\"}\n{\"a\":null,\"b \\\"\":[ 1, {\"c\": 2} ]}\n";
        assert_eq!(str::from_utf8(lines).unwrap(), expected);
        assert!(entities.open().unwrap().columns().get("b \"").is_some());
        let problem = of_json("{\"a\": [1], \"b\": []}").unwrap_err();
        assert_eq!(problem.message, "column `a` has 1 values and `b` has 0");
        assert!(of_json("{}").unwrap().open().unwrap().columns().columns.is_empty());
        let many = (0..=MOST_COLUMNS).map(|number| (number.to_string(), Vec::new())).collect();
        assert_eq!(Entities::of_json(many).unwrap_err().kind, Kind::Invalid);
        let twice = vec![("a".to_owned(), vec![RawValue::NULL]), ("a".to_owned(), Vec::new())];
        assert!(matches!(Entities::of_json(twice).unwrap().rows, Rows::Json { lines, .. } if lines.is_empty()));
    }

    #[test]
    fn what_is_no_file_of_rows_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let problem = |path: &Path| Entities::of_file(path, "e").map(|_| ()).unwrap_err();
        assert_eq!(problem(folder.path()).message, "e is a folder");
        let missing = problem(&folder.path().join("gone.csv"));
        assert_eq!((missing.kind, missing.message.as_str()), (Kind::NotFound, "there is no file e"));
    }
}
