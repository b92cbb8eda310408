use std::fs;

use super::*;
use crate::{clients::buckets::Buckets, config::BucketUrl, model::Timestamp, problem::Kind};

fn manifest(files: Vec<StagedFile>) -> Manifest {
    let written = Timestamp::from_micros(7);
    let id = "run".to_owned();
    Manifest { format_version: Manifest::FORMAT_VERSION, id, written, rows: Some(3), files, view: None }
}

#[test]
fn a_folder_of_a_disk_appears_when_it_is_whole() {
    let disk = tempfile::tempdir().unwrap();
    let path = disk.path().join("run");
    let folder = StagedFolder::at(&format!("file://{}/", path.display()), &Buckets::default()).unwrap();
    assert_eq!(folder.manifest().unwrap_err().kind, Kind::NotFound);

    let filling = folder.clone().begin().unwrap();
    assert!(!filling.is_marked() && filling.files().unwrap().is_empty());
    // The engine makes it.
    fs::create_dir(filling.target()).unwrap();
    for name in ["part-1.parquet", "part-0.parquet", "_SUCCESS", ".part-0.parquet.crc"] {
        fs::write(format!("{}/{name}", filling.target()), "rows").unwrap();
    }
    let files = filling.files().unwrap();
    assert_eq!(files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["part-0.parquet", "part-1.parquet"]);
    assert!(!path.exists());
    let whole = filling.finish(&manifest(files.clone())).unwrap();
    assert_eq!(whole.manifest().unwrap(), manifest(files.clone()));
    assert_eq!(whole.path_of(&files[0]), path.join("part-0.parquet").display().to_string());

    assert_eq!(folder.clone().begin().unwrap_err().kind, Kind::Conflict);
    assert!(folder.remove().unwrap() && !folder.remove().unwrap());
    assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 0);
}

#[test]
fn what_is_not_finished_goes() {
    let disk = tempfile::tempdir().unwrap();
    let folder = StagedFolder::at(&disk.path().join("run").display().to_string(), &Buckets::default()).unwrap();
    let filling = folder.begin().unwrap();
    fs::create_dir(filling.target()).unwrap();
    drop(filling);
    assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_of_a_bucket_is_marked_until_it_is_whole() {
    let url = BucketUrl::parse("s3://bucket/staging/run").unwrap().unwrap();
    let buckets = Buckets::in_memory(&url);
    let folder = || StagedFolder::at("s3://bucket/staging/run/", &buckets).unwrap();
    let filling = folder().begin().unwrap();
    assert_eq!((filling.target(), filling.is_marked()), ("s3://bucket/staging/run", true));
    assert_eq!(folder().begin().unwrap_err().kind, Kind::Conflict);
    let whole = filling.finish(&manifest(Vec::new())).unwrap();
    assert_eq!(whole.manifest().unwrap().id, "run");
    assert!(whole.remove().unwrap());
    drop(folder().begin().unwrap());
    assert!(!whole.remove().unwrap());
}

#[test]
fn places_that_mean_something_else_elsewhere_are_refused() {
    for odd in ["out", "./out", "hdfs://name/out", "dbfs:/out"] {
        let problem = StagedFolder::at(odd, &Buckets::default()).unwrap_err();
        assert_eq!(problem.kind, Kind::Invalid, "{odd}");
    }
}

#[test]
fn manifests_of_other_versions_are_told() {
    let mut later = serde_json::to_value(manifest(Vec::new())).unwrap();
    later["more"] = 1.into();
    let read = |value: &serde_json::Value| Manifest::read(value.to_string().as_bytes(), "m");
    assert_eq!(read(&later).unwrap(), manifest(Vec::new()));
    later["format_version"] = 2.into();
    assert_eq!(read(&later).unwrap_err().kind, Kind::Unsupported);
    assert_eq!(Manifest::read(b"{", "m").unwrap_err().kind, Kind::Invalid);
}
