//! Buckets beside folders of this machine with the same files.

use std::fs;

use bytes::Bytes;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{clients::buckets::Expected, sources::files::Search};

/// Enough of a parquet file to be taken for one.
const PARQUET: &[u8] = b"PAR1....PAR1";

/// The same files in a folder and in a bucket.
struct Both {
    folder: TempDir,
    bucket: Bucket,
}

/// What was found, with paths from the repo or the bucket on.
#[derive(Debug, PartialEq)]
struct Seen {
    files: Vec<String>,
    partitions: Vec<Vec<(String, Option<String>)>>,
    left_out: Vec<String>,
    beside_delta_log: bool,
    other_days: u64,
}

impl Both {
    fn with(files: &[(&str, &[u8])]) -> Self {
        let bucket = Bucket::in_memory(&BucketUrl::parse("s3://b").unwrap().unwrap());
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
            let bytes = Bytes::copy_from_slice(bytes);
            runtime::wait(bucket.put(name, bytes, Expected::Nothing)).unwrap();
        }
        Self { folder, bucket }
    }

    fn look(&self, path: &str, format: Format, days: Option<&Days>) -> Result<SourceFiles, Problem> {
        let bucket = |_: &BucketUrl| Ok(self.bucket.clone());
        super::super::find(path, format, Search { repo: self.folder.path(), bucket: &bucket, days, to_read: true })
    }

    fn seen(&self, found: Result<SourceFiles, Problem>) -> Result<Seen, String> {
        let repo = format!("{}/", self.folder.path().display());
        let short = |text: String| text.replace(&repo, "").replace("s3://b/", "");
        let found = found.map_err(|problem| short(problem.message))?;
        let mut files: Vec<_> =
            found.files.into_iter().map(|file| (short(file.place.to_string()), file.partitions)).collect();
        files.sort();
        let mut left_out: Vec<String> =
            found.left_out.iter().map(|left| short(format!("{} {}", left.path.display(), left.reason))).collect();
        left_out.sort();
        let (files, partitions) = files.into_iter().unzip();
        let (beside_delta_log, other_days) = (found.beside_delta_log, found.other_days);
        Ok(Seen { files, partitions, left_out, beside_delta_log, other_days })
    }

    /// What is found in both, which must be the same.
    fn same(&self, path: &str, format: Format, days: Option<&Days>) -> Result<Seen, String> {
        let here = self.seen(self.look(path, format, days));
        let there = self.seen(self.look(&format!("s3://b/{path}"), format, days));
        assert_eq!(there, here, "{path}");
        here
    }
}

const FILES: [(&str, &[u8]); 17] = [
    ("d/a.parquet", PARQUET),
    ("d/b.csv", b"a,b\n1,2\n"),
    ("d/part-0", PARQUET),
    ("d/part-1", b"{\"a\": 1}"),
    ("d/empty.csv", b""),
    ("d/_hidden.parquet", PARQUET),
    ("d/_SUCCESS", b""),
    ("d/_temporary/0/x.parquet", PARQUET),
    ("d/.x/y.parquet", PARQUET),
    ("d/day=2026-01-01/odd + name%20ü [1].parquet", PARQUET),
    ("d/day=2026-01-02/x.parquet", PARQUET),
    ("d/day=2026-01-02/deep/_k=1/x.pq", PARQUET),
    ("d/day=2026-01-03/_delta_log/0.json", b"{}"),
    ("d/day=2026-01-03/x.parquet", PARQUET),
    ("d2/x.txt", b"a,b\n1,2\n"),
    ("top.parquet", PARQUET),
    ("top.parquet.d/day=2026-01-01/push-1.parquet", PARQUET),
];

#[test]
fn files_are_those_of_the_same_folder() {
    let both = Both::with(&FILES);
    let paths = [
        "d",
        "d/",
        "d2",
        "top.parquet",
        "d/*.parquet",
        "d/*",
        "d/day=*/*.parquet",
        "**",
        "**/*.parquet",
        "d/**/x*",
        "{d,d2}/*",
        "d/day=2026-01-0[12]/**",
        "d/_*",
        "d/_temporary/*",
        "d/*/",
        "d*/x.txt",
        "none",
        "none/*",
        "d/day=2026-01-01/odd + name%20ü [1].parquet",
        "d/*.txt",
        "d2/*.txt",
        "d/?.parquet",
        "d/.x",
        "d/.x/*",
        "d/day=2026-01-03",
        "d/{a,b}",
        "d/[",
        "d/day=*/deep/*",
        "*/*/x.parquet",
        "*.parquet",
    ];
    for path in paths {
        for format in [Format::Parquet, Format::Csv, Format::Json] {
            let _ = both.same(path, format, None);
        }
    }
    assert_eq!(both.same("d/day=*/*.parquet", Format::Parquet, None).unwrap().files.len(), 3);
    let found = both.look("s3://b/", Format::Parquet, None).unwrap();
    assert_eq!(found.files.len(), 8);
    // What was pushed to a file is beside it.
    assert_eq!(both.same("top.parquet", Format::Parquet, None).unwrap().files.len(), 2);
    let missing = both.look("s3://b/none/", Format::Parquet, None).unwrap_err();
    assert_eq!((missing.kind, missing.message.as_str()), (Kind::NotFound, "there is no file `s3://b/none/`"));
}

/// A folder of this machine takes its name when it is whole; one in a bucket says that it is not.
#[test]
fn folders_that_are_not_whole_are_refused() {
    let both = Both::with(&[("d/x.parquet", PARQUET), ("d/_INCOMPLETE", b""), ("e/x.parquet", PARQUET)]);
    for path in ["d", "d/", "d/*.parquet", "*/x.parquet", "**"] {
        let refused = both.look(&format!("s3://b/{path}"), Format::Parquet, None).unwrap_err();
        assert_eq!(refused.kind, Kind::Unavailable);
        let expected = "the folder s3://b/d is not whole: somebody is filling it, or began to and was stopped";
        assert_eq!(refused.message, expected, "{path}");
    }
    for path in ["d/x.parquet", "e", "e/*"] {
        assert_eq!(both.same(path, Format::Parquet, None).unwrap().files.len(), 1, "{path}");
    }
}

#[test]
fn days_that_nobody_asks_about_are_left_out() {
    let both = Both::with(&FILES);
    let day = |text: &str| crate::sources::start_of_day(text).unwrap();
    for (from, to) in [("2026-01-02", "2026-01-02"), ("2026-01-01", "2026-01-02"), ("2020-01-01", "2020-01-01")] {
        let days = Days::between("day", (day(from), day(to)));
        let _ = both.same("d", Format::Parquet, Some(&days));
    }
    let days = Days::between("day", (day("2026-01-02"), day("2026-01-02")));
    let found = both.same("d/day=*", Format::Parquet, Some(&days)).unwrap();
    assert_eq!((found.files.len(), found.other_days), (2, 2));
}

#[test]
fn marks_of_folders_are_no_files() {
    let both = Both::with(&[("d/x.parquet", PARQUET), ("d/y/z.parquet", PARQUET)]);
    for mark in ["d", "d/y"] {
        runtime::wait(both.bucket.put(mark, Bytes::new(), Expected::Nothing)).unwrap();
    }
    let found = both.look("s3://b/d/", Format::Parquet, None).unwrap();
    assert_eq!((found.files.len(), found.left_out), (2, vec![]));
    let found = both.look("s3://b/*", Format::Parquet, None).unwrap();
    assert_eq!((found.files.len(), found.left_out), (2, vec![]));
}

proptest! {
    #[test]
    fn patterns_match_keys_as_they_match_files(pattern in "(d|d2|\\*|\\*\\*|day=\\*|x\\*|\\?|_\\*)(/(d|\\*|\\*\\*|day=\\*|x\\*|\\*\\.parquet|_\\*|deep)){0,3}/?") {
        let both = Both::with(&FILES);
        let _ = both.same(&pattern, Format::Parquet, None);
    }
}
