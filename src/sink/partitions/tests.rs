//! Folders of files, and what becomes of them when something breaks.

use std::{fs, path::Path};

use arrow::{
    array::{ArrayRef, Int64Array, StringArray},
    util::pretty::pretty_format_batches,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;
use crate::{
    offline::BatchSink as _,
    sink::{ParquetOptions, RowSink},
};

fn batch(letters: &[Option<&str>]) -> RecordBatch {
    let numbers: Vec<i64> = (0_i64..).take(letters.len()).collect();
    RecordBatch::try_from_iter([
        ("n", Arc::new(Int64Array::from(numbers)) as ArrayRef),
        ("letter", Arc::new(StringArray::from(letters.to_vec()))),
    ])
    .unwrap()
}

fn sink(path: &Path, format: Format, by: &[&str]) -> RowSink {
    let folder = Folder::create(path, false).unwrap();
    RowSink::new(Partitions { folder, format, by: by.iter().map(|name| (*name).to_owned()).collect() }.opening())
}

fn write(path: &Path, format: Format, by: &[&str], batches: &[RecordBatch]) -> Result<usize, SinkError> {
    let mut sink = sink(path, format, by);
    let _ =
        sink.start(&batches[0].schema()).is_continue() && batches.iter().all(|batch| sink.batch(batch).is_continue());
    sink.finish()
}

/// The files below a folder with what is in them.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        match entry.path().is_dir() {
            true => found.extend(files(&entry.path()).into_iter().map(|(file, text)| (format!("{name}/{file}"), text))),
            false => _ = found.insert(name, fs::read_to_string(entry.path()).unwrap_or_default()),
        }
    }
    found
}

#[test]
fn rows_are_in_the_folder_of_their_value_in_their_order() {
    let around = tempfile::tempdir().unwrap();
    let path = around.path().join("out");
    let letters = [batch(&[Some("a"), None, Some("a"), Some("b/c")]), batch(&[Some("b/c"), Some("a")])];
    assert_eq!(write(&path, Format::Csv, &["letter"], &letters).unwrap(), 6);
    let expected = [
        ("letter=__HIVE_DEFAULT_PARTITION__/data_0.csv", "n\n1\n"),
        ("letter=a/data_0.csv", "n\n0\n2\n1\n"),
        ("letter=b%2Fc/data_0.csv", "n\n3\n0\n"),
    ];
    assert_eq!(files(&path).iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>(), expected);
}

/// Those that were used longest ago are completed, and their folders get another file later.
#[test]
fn no_more_files_are_open_than_may_be() {
    let around = tempfile::tempdir().unwrap();
    let path = around.path().join("out");
    let letters: Vec<String> = (0..=MOST_OPEN).map(|number| number.to_string()).collect();
    let all = batch(&letters.iter().map(|letter| Some(letter.as_str())).collect::<Vec<_>>());
    write(&path, Format::Jsonl, &["letter"], &[all, batch(&[Some("0"), Some("100")])]).unwrap();
    let files = files(&path);
    assert_eq!(files.len(), MOST_OPEN + 2);
    assert_eq!((&*files["letter=0/data_0.jsonl"], &*files["letter=0/data_1.jsonl"]), ("{\"n\":0}\n", "{\"n\":0}\n"));
    assert_eq!(files["letter=100/data_0.jsonl"], "{\"n\":100}\n{\"n\":1}\n");
}

#[test]
fn without_columns_one_file_has_all_rows_and_their_types() {
    let around = tempfile::tempdir().unwrap();
    let rows = batch(&[Some("a"), None]);
    for (name, batches) in [("some", vec![rows.clone()]), ("none", vec![rows.slice(0, 0)])] {
        let path = around.path().join(name);
        write(&path, Format::Parquet(ParquetOptions::default()), &[], &batches).unwrap();
        let file = fs::File::open(path.join("data_0.parquet")).unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        assert_eq!(builder.schema().fields(), rows.schema().fields());
        let read: Vec<RecordBatch> = builder.build().unwrap().map(Result::unwrap).collect();
        let shown = |batches: &[RecordBatch]| pretty_format_batches(batches).unwrap().to_string();
        assert_eq!(read.iter().map(RecordBatch::num_rows).sum::<usize>(), batches[0].num_rows());
        assert!(read.is_empty() || shown(&read) == shown(&batches));
    }
}

#[test]
fn a_folder_appears_as_a_whole_or_not_at_all() {
    let around = tempfile::tempdir().unwrap();
    let path = around.path().join("out");
    let mut given_up = sink(&path, Format::Csv, &["letter"]);
    assert!(given_up.start(&batch(&[]).schema()).is_continue());
    assert!(given_up.batch(&batch(&[Some("a")])).is_continue());
    assert!(!path.exists() && fs::read_dir(around.path()).unwrap().count() == 1);
    drop(given_up);
    assert_eq!(fs::read_dir(around.path()).unwrap().count(), 0);
    // An empty folder is as good as none.
    fs::create_dir(&path).unwrap();
    write(&path, Format::Csv, &["letter"], &[batch(&[Some("a")])]).unwrap();
    assert_eq!((files(&path).len(), fs::read_dir(around.path()).unwrap().count()), (1, 1));
}

#[test]
fn what_is_there_stays_unless_it_is_to_be_replaced() {
    let around = tempfile::tempdir().unwrap();
    let (path, file) = (around.path().join("out"), around.path().join("file"));
    write(&path, Format::Csv, &["letter"], &[batch(&[Some("old")])]).unwrap();
    fs::write(&file, "").unwrap();
    let refused = |path: &Path, replace: bool| Folder::create(path, replace).map(|_| ()).unwrap_err().kind();
    assert_eq!(refused(&path, false), std::io::ErrorKind::AlreadyExists);
    assert_eq!([refused(&file, false), refused(&file, true)], [std::io::ErrorKind::AlreadyExists; 2]);
    let folder = Folder::create(&path, true).unwrap();
    let mut sink = RowSink::new(Partitions { folder, format: Format::Csv, by: vec!["letter".to_owned()] }.opening());
    let rows = batch(&[Some("new")]);
    assert!(sink.start(&rows.schema()).is_continue() && sink.batch(&rows).is_continue());
    assert!(path.join("letter=old").exists());
    sink.finish().unwrap();
    assert_eq!(files(&path).into_keys().collect::<Vec<_>>(), ["letter=new/data_0.csv"]);
    assert_eq!(fs::read_dir(around.path()).unwrap().count(), 2);
}

#[test]
fn columns_to_partition_by_are_there_once_and_have_names_as_values() {
    let around = tempfile::tempdir().unwrap();
    let path = around.path().join("out");
    let said = |by: &[&str]| write(&path, Format::Csv, by, &[batch(&[Some("a")])]).unwrap_err().to_string();
    assert_eq!(said(&["lettr"]), "the result has no column `lettr` to partition by");
    assert_eq!(said(&["n", "n"]), "the result is to be partitioned by column `n` twice");
    assert_eq!(said(&["n", "letter"]), "all columns would be in the names of folders, and none in the files");
    assert!(!path.exists());
}

#[test]
fn files_are_added_to_those_that_are_there() {
    let around = tempfile::tempdir().unwrap();
    let path = around.path().join("in");
    let add = |letters: &[Option<&str>], by: &[&str]| {
        let (folder, added) = Folder::adding_to(&path, ("some-push-", ".csv")).unwrap();
        let by = by.iter().map(|name| (*name).to_owned()).collect();
        let mut sink = RowSink::new(Partitions { folder, format: Format::Csv, by }.opening());
        let rows = batch(letters);
        assert!(sink.start(&rows.schema()).is_continue() && sink.batch(&rows).is_continue());
        let unfinished: Vec<String> = files(&path).into_keys().filter(|file| !file.starts_with("some-")).collect();
        assert!(
            unfinished.iter().all(|file| file.starts_with(".push.") && file.ends_with(".csv.part")),
            "{unfinished:?}"
        );
        assert!(!unfinished.is_empty() && added.paths().is_empty());
        sink.finish().unwrap();
        added.paths()
    };
    let first = add(&[Some("a")], &[]);
    let second = add(&[Some("b"), Some("c")], &[]);
    assert_eq!(files(&path).into_values().collect::<std::collections::BTreeSet<_>>().len(), 2);
    assert!(first[0] != second[0] && fs::read_to_string(&first[0]).unwrap() == "n,letter\n0,a\n");
    let parted = add(&[Some("x"), Some("y")], &["letter"]);
    let shown: Vec<String> =
        parted.iter().map(|file| file.strip_prefix(&path).unwrap().display().to_string()).collect();
    assert!(shown[0].starts_with("letter=x/some-push-") && shown[1].starts_with("letter=y/some-push-"), "{shown:?}");
    assert_eq!(files(&path).len(), 4, "nothing else is left");
    // What is not finished leaves nothing.
    let (folder, _) = Folder::adding_to(&path, ("", ".csv")).unwrap();
    drop(folder);
    assert_eq!(fs::read_dir(&path).unwrap().count(), 4);
}
