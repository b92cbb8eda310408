use std::fs;

use arrow::datatypes::{DataType as ArrowType, TimeUnit};
use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::model::Timestamp;

/// A table in a temporary folder, whose log is written by hand.
struct Table {
    folder: tempfile::TempDir,
}

impl Table {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(DELTA_LOG)).unwrap();
        Self { folder }
    }

    /// A table with columns `id` and `day`, which is a partition, and this metadata.
    fn with(protocol: Value, configuration: Value) -> Self {
        let table = Self::new();
        let schema = json!({"type": "struct", "fields": [
            {"name": "id", "type": "long", "nullable": true, "metadata": {}},
            {"name": "day", "type": "date", "nullable": true, "metadata": {}},
            {"name": "ts", "type": "timestamp", "nullable": true, "metadata": {}},
        ]});
        let metadata = json!({"metaData": {
            "id": "1", "format": {"provider": "parquet", "options": {}}, "schemaString": schema.to_string(),
            "partitionColumns": ["day"], "configuration": configuration, "createdTime": 0,
        }});
        table.commit(0, &[json!({ "protocol": protocol }), metadata]);
        table
    }

    fn plain() -> Self {
        Self::with(json!({"minReaderVersion": 1, "minWriterVersion": 2}), json!({}))
    }

    fn commit(&self, version: u64, actions: &[Value]) {
        let lines: String = actions.iter().map(|action| format!("{action}\n")).collect();
        let path = self.folder.path().join(format!("{DELTA_LOG}/{version:020}.json"));
        fs::write(&path, lines).unwrap();
        // A commit each second.
        let moment = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000 + version);
        fs::File::options().append(true).open(path).unwrap().set_modified(moment).unwrap();
    }

    fn find(&self, version: Option<TableVersion>) -> Result<SourceFiles, Problem> {
        find("t", self.folder.path(), version)
    }

    /// The names of the files, and what the log says of their day.
    fn files(&self, version: Option<TableVersion>) -> Vec<(String, Option<String>)> {
        let shown = |file: &DataFile| {
            let path = file.place.name();
            let path = path.strip_prefix(self.folder.path()).unwrap_or(path);
            assert_eq!(file.partitions.len(), 1);
            (path.to_str().unwrap().to_owned(), file.partitions[0].1.clone())
        };
        self.find(version).unwrap().files.iter().map(shown).collect()
    }

    fn message(&self, version: Option<TableVersion>) -> String {
        self.find(version).unwrap_err().message
    }
}

fn add(path: &str, day: Option<&str>) -> Value {
    json!({"add": {
        "path": path, "partitionValues": {"day": day}, "size": 7, "modificationTime": 0, "dataChange": true,
    }})
}

fn remove(path: &str) -> Value {
    json!({"remove": {"path": path, "deletionTimestamp": 0, "dataChange": true}})
}

fn some(path: &str, day: &str) -> (String, Option<String>) {
    (path.to_owned(), Some(day.to_owned()))
}

fn none(path: &str) -> (String, Option<String>) {
    (path.to_owned(), None)
}

#[test]
fn files_that_were_removed_are_not_read() {
    let table = Table::plain();
    assert_eq!(table.files(None), [], "a table may be empty");
    table.commit(1, &[add("b.parquet", Some("2026-01-01")), add("x/y/a.parquet", None)]);
    table.commit(2, &[remove("b.parquet"), add("c.parquet", Some("2026-01-02"))]);
    assert_eq!(table.files(None), [some("c.parquet", "2026-01-02"), none("x/y/a.parquet")]);
    // What others leave in the folder, also while they write, is not of the table.
    for odd in
        ["b.parquet", "_delta_log/00000000000000000003.json.tmp", "_delta_log/.tmp", "_delta_log/_commits/4.json"]
    {
        let path = table.folder.path().join(odd);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "{").unwrap();
    }
    assert_eq!(table.files(None).len(), 2);
    let found = table.find(None).unwrap();
    assert_eq!((found.files[0].bytes, found.beside_delta_log, found.format), (7, false, super::super::Format::Parquet));
}

#[test]
fn names_of_files_are_those_of_urls() {
    let table = Table::plain();
    let elsewhere = tempfile::tempdir().unwrap();
    let place = elsewhere.path().join("a b.parquet");
    let url = Url::from_file_path(&place).unwrap();
    table.commit(1, &[add("day=2026-01-01%2012%253A30/%C3%A9%20%25.parquet", Some("")), add(url.as_str(), None)]);
    let mut files = table.files(None);
    files.sort();
    assert_eq!(files, [none(place.to_str().unwrap()), none("day=2026-01-01 12%3A30/é %.parquet")]);
    table.commit(2, &[add("s3://bucket/c.parquet", None)]);
    let message = table.message(None);
    assert!(message.ends_with("its file s3://bucket/c.parquet, which is elsewhere"), "{message}");
}

#[test]
fn columns_have_the_types_of_the_table() {
    let found = Table::plain().find(None).unwrap();
    let types: Vec<_> =
        found.table.unwrap().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect();
    let moments = ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let expected = [("id", ArrowType::Int64), ("day", ArrowType::Date32), ("ts", moments)];
    assert_eq!(types, expected.map(|(name, kind)| (name.to_owned(), kind)));
}

#[test]
fn versions_are_told_by_number_and_moment() {
    let table = Table::plain();
    for version in 1..4 {
        table.commit(version, &[add(&format!("{version}.parquet"), None)]);
    }
    let number = |number| Some(TableVersion::Number(number));
    let second = |second: i64, micros| {
        Some(TableVersion::AsOf(Timestamp::from_micros((1_000_000 + second) * 1_000_000 + micros)))
    };
    assert_eq!(table.files(number(0)), []);
    assert_eq!(table.files(number(2)).len(), 2);
    assert_eq!(table.files(second(0, 0)), []);
    assert_eq!(table.files(second(2, 999_999)).len(), 2);
    assert_eq!(table.files(second(3, 0)).len(), 3);
    assert_eq!(table.files(second(1_000, 0)).len(), 3);
    assert_eq!(table.message(number(4)), "the Delta table `t` has no version 4");
    assert_eq!(
        table.message(second(0, -1)),
        "the Delta table `t` has no version as old as 1970-01-12T13:46:39.999999Z"
    );
    // The log of old versions is removed at some time.
    fs::remove_file(table.folder.path().join(format!("{DELTA_LOG}/{:020}.json", 0))).unwrap();
    assert!(table.find(None).is_err());
}

#[test]
fn what_is_not_understood_is_named() {
    let features = |features: Value| json!({"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features, "writerFeatures": features});
    let message = Table::with(features(json!(["rowsFromTheMoon"])), json!({})).message(None);
    assert!(message.starts_with("the Delta table `t` needs what feastr does not know: "), "{message}");
    assert!(message.contains("rowsFromTheMoon"), "{message}");
    let newer = Table::with(json!({"minReaderVersion": 99, "minWriterVersion": 99}), json!({})).find(None).unwrap_err();
    assert!(newer.message.contains("99"), "{}", newer.message);
    let mapped = json!({"delta.columnMapping.mode": "name"});
    let mapped = Table::with(json!({"minReaderVersion": 2, "minWriterVersion": 5}), mapped);
    assert!(mapped.message(None).contains("column"), "{}", mapped.message(None));
}

#[test]
fn what_is_no_table_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let problem = find("t", folder.path(), None).unwrap_err();
    assert_eq!(problem.message, "`t` is not a Delta table: it has no folder `_delta_log`");
    let table = Table::new();
    let message = table.message(None);
    assert!(message.starts_with("the Delta table `t` cannot be read: "), "{message}");
    let table = Table::plain();
    fs::write(table.folder.path().join(format!("{DELTA_LOG}/{:020}.json", 1)), "{\"add\": {").unwrap();
    assert!(table.message(None).contains("00000000000000000001.json"), "{}", table.message(None));
}

/// The rows as the log has them: a list of bitmaps, of which one is an array of numbers.
fn deletion_vector(rows: &[u16]) -> Value {
    let mut bytes = 1_681_511_377_u32.to_le_bytes().to_vec();
    bytes.extend(1_u64.to_le_bytes());
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend(12_346_u32.to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(0_u16.to_le_bytes());
    bytes.extend((rows.len() as u16 - 1).to_le_bytes());
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend(rows.iter().flat_map(|row| row.to_le_bytes()));
    let size = bytes.len();
    bytes.resize(size.next_multiple_of(4), 0);
    json!({"storageType": "i", "pathOrInlineDv": z85(&bytes), "sizeInBytes": size, "cardinality": rows.len()})
}

/// Four bytes as five characters.
fn z85(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
    let digits = |four: &[u8]| {
        let number = four.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
        [4, 3, 2, 1, 0].map(|power| char::from(DIGITS[number / 85_usize.pow(power) % 85]))
    };
    bytes.chunks(4).flat_map(digits).collect()
}

#[test]
fn deleted_rows_are_listed() {
    let features = json!({
        "minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["deletionVectors"],
        "writerFeatures": ["deletionVectors"],
    });
    let table = Table::with(features, json!({"delta.enableDeletionVectors": "true"}));
    table.commit(1, &[add("a.parquet", None), add("b.parquet", None)]);
    let mut again = add("a.parquet", None);
    again["add"]["deletionVector"] = deletion_vector(&[0, 3, 700]);
    table.commit(2, &[remove("a.parquet"), again]);
    let deleted: Vec<Vec<u64>> = table.find(None).unwrap().files.into_iter().map(|file| file.deleted).collect();
    assert_eq!(deleted, [vec![0, 3, 700], vec![]]);
    assert!(table.find(Some(TableVersion::Number(1))).unwrap().files.iter().all(|file| file.deleted.is_empty()));
}
