//! Rows that are added to a source are found by everybody who reads it.

use std::path::Path;

use super::*;
use crate::{
    model::{DataSource, FileFormat, FileSource, SourceKind},
    problem::Kind,
    sources::{NewFiles, NewFolder, files::new_files},
};

fn local(folder: &NewFolder) -> &Path {
    match folder {
        NewFolder::Local(path) => path,
        NewFolder::InBucket(url) => panic!("{url}"),
    }
}

impl Repo {
    fn new_files(&self, path: &str, format: Option<FileFormat>) -> Result<NewFiles, Problem> {
        let file = FileSource { path: path.to_owned(), format, ..FileSource::default() };
        let source = DataSource::new("s", SourceKind::File(file.clone()));
        new_files(&source, &file, &self.find(path, Format::declared(format)).unwrap(), &self.path)
    }

    /// Where new files go, as one text: their folder, the partitions, the name.
    fn added_to(&self, path: &str) -> String {
        let NewFiles { folder, partitions, beginning, ending } = self.new_files(path, None).unwrap();
        let partitions: String = partitions.iter().map(|key| format!("/{key}=")).collect();
        format!("{}{partitions}/{beginning}…{ending}", self.shown(local(&folder)))
    }

    /// Writes a new file and asserts that it is read.
    fn add(&self, path: &str) -> String {
        let NewFiles { folder, partitions, beginning, ending } = self.new_files(path, None).unwrap();
        let folders: String = partitions.iter().map(|key| format!("{key}=any thing/")).collect();
        let file = format!("{}/{folders}{beginning}push-7{ending}", self.shown(local(&folder)));
        self.write(&file, PARQUET);
        let found = self.parquet(path);
        assert!(self.paths(&found).contains(&file), "{file} is not among {:?}", self.paths(&found));
        let added = found.files.iter().find(|known| self.shown(known.place.name()) == file).unwrap();
        assert!(added.partitions.iter().all(|(_, value)| value.as_deref() == Some("any thing")), "{added:?}");
        assert_eq!(added.partitions.len(), partitions.len());
        file
    }
}

#[test]
fn what_was_added_to_a_file_lies_in_a_folder_beside_it() {
    let repo = Repo::with(&["d/x.parquet"]);
    assert_eq!(repo.added_to("d/x.parquet"), "d/x.parquet.d/….parquet");
    assert_eq!(repo.files("d/x.parquet"), ["d/x.parquet"]);
    let added = repo.add("d/x.parquet");
    repo.write("d/x.parquet.d/.push.tmp.part/push-8.parquet.part", PARQUET);
    repo.write("d/x.parquet.d/notes.txt", b"?");
    let found = repo.parquet("d/x.parquet");
    assert_eq!(repo.paths(&found), ["d/x.parquet", &added]);
    assert_eq!(found.left_out.len(), 2, "{:?}", repo.left_out(&found));
    // It has no other name for those who read the folder.
    assert_eq!(repo.files("d"), ["d/x.parquet", &added]);
    assert_eq!(repo.files("d/*.parquet"), ["d/x.parquet"]);
    // And what is damaged there is told, like everywhere.
    repo.write("d/x.parquet.d/push-9.parquet", b"PAR");
    let (message, _) = repo.problem("d/x.parquet", Format::Parquet);
    assert!(message.contains("x.parquet.d/push-9.parquet is not a readable parquet file"), "{message}");
}

#[test]
fn rows_are_added_to_folders_where_their_partitions_are() {
    let repo = Repo::with(&["plain/a.parquet", "hive/day=1/city=x/a.parquet", "hive/day=2/city=y/b.parquet"]);
    assert_eq!(repo.added_to("plain"), "plain/….parquet");
    assert_eq!(repo.added_to("hive"), "hive/day=/city=/….parquet");
    for path in ["plain", "hive"] {
        repo.add(path);
    }
}

#[test]
fn new_files_match_the_pattern_of_their_source() {
    let repo = Repo::with(&["d/part-1.parquet", "d/x/part-1.parquet", "hive/day=1/part-1.parquet"]);
    for (path, expected) in [
        ("d/*.parquet", "d/….parquet"),
        ("d/part-*.parquet", "d/part-….parquet"),
        ("d/part-*", "d/part-….parquet"),
        ("d/*-*.parquet", "d/…-.parquet"),
        ("d/**", "d/….parquet"),
        ("d/**/*.parquet", "d/….parquet"),
        ("d/**/part-*.parquet", "d/part-….parquet"),
        ("{d,e}/{part-?,*}.parquet", "d/….parquet"),
        ("hive/*/part-*", "hive/day=/part-….parquet"),
        ("hive/day=*/*.parquet", "hive/day=/….parquet"),
        ("hive/**/*.parquet", "hive/day=/….parquet"),
    ] {
        assert_eq!(repo.added_to(path), expected, "{path}");
        repo.add(path);
    }
}

#[test]
fn where_nothing_is_sure_to_be_found_nothing_is_added() {
    let repo = Repo::with(&["d/part-1.parquet", "d/x/y.parquet", "hive/day=1/a.parquet", "d/.h/y.parquet"]);
    for path in [
        "d/part-?.parquet",
        "d/part-[0-9]*.parquet",
        "d/*/y.parquet",
        "hive/day=1*/*",
        "*/x/*.parquet",
        "hiv[e]/**/*.parquet",
        "d/.*/*.parquet",
        "d/x*/",
    ] {
        let refused = repo.new_files(path, None).unwrap_err();
        let message = format!("no new file is sure to match `{path}`, the path of data source `s`");
        assert_eq!((refused.kind, refused.message.starts_with(&message)), (Kind::Unsupported, true), "{refused}");
    }
    repo.write("rows.csv", b"a\n1\n");
    let refused = repo.new_files("rows.csv", Some(FileFormat::Csv)).unwrap_err();
    assert_eq!(refused.message, "data source `s` has CSV files, and rows are added to parquet files only");
    repo.write("delta/a.parquet", PARQUET);
    let refused = repo.new_files("delta", Some(FileFormat::Delta)).unwrap_err();
    assert_eq!(refused.message, "data source `s` is a Delta table, and rows are not added to those");
}
