//! Delta tables in buckets: what is read of the same table on this machine.

use std::path::Path;

use super::sources::{JOIN, feastr, feastr_at, put, upload};
use crate::{
    servers::{
        buckets::{ObjectStore, Store, shared},
        meddler::{Act, Meddler},
    },
    support::Project,
};

fn table() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables/delta/table")
}

/// A repo over the table at a path, with more settings of the source.
fn over(path: &str, more: &str) -> Project {
    let project = Project::new(&[]);
    super::sources::define(&project, path, &format!("    file_format: delta\n{more}"));
    project.write(
        "entities.csv",
        "id,event_timestamp\n1,2026-02-01\n2,2026-02-01\n3,2026-02-01\n4,2026-02-01\n5,2026-02-01\n",
    );
    project.edit("definitions.yaml", "{name: p, dtype: Float64}", "{name: p, dtype: Int64}");
    project
}

fn joined(project: &Project, server: &ObjectStore) -> String {
    feastr(project, server, &["apply", "--yes"]).ok();
    feastr(project, server, &JOIN).ok().stdout
}

#[test]
fn rows_are_those_of_the_same_table_here() {
    for store in [Store::SeaweedFs, Store::VersityGw, Store::Gcs, Store::Azure] {
        let server = shared(store);
        let bucket = server.create_bucket();
        upload(&table(), &server.open(&format!("{bucket}/")));
        for more in ["", "    delta_version: 1\n", "    delta_version: 0\n"] {
            let here = joined(&over(&table().display().to_string(), more), server);
            assert_eq!(joined(&over(&bucket, more), server), here, "{store:?} {more}");
        }
    }
}

#[test]
fn a_table_may_be_in_a_folder_at_an_address_of_its_own() {
    let server = shared(Store::SeaweedFs);
    let bucket = server.create_bucket();
    let opened = server.open(&bucket);
    let around = tempfile::tempdir().unwrap();
    let linked = around.path().join("a b/t%20é");
    std::fs::create_dir_all(linked.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(table(), &linked).unwrap();
    upload(around.path(), &opened);
    let address = format!("    s3_endpoint_override: {}\n", server.endpoint());
    let project = over(&format!("{bucket}/a b/t%20é/"), &address);
    let nowhere = "http://127.0.0.1:1";
    feastr_at(&project, server, nowhere, &["apply", "--yes"]).ok();
    let joined = feastr_at(&project, server, nowhere, &JOIN).ok().stdout;
    assert!(joined.contains("5,2026-02-01T00:00:00Z,50"), "{joined}");
    feastr_at(&project, server, nowhere, &["drift"]).ok();
    feastr_at(&project, server, nowhere, &["materialize", "2026-01-01", "2026-02-01"]).ok();
}

#[test]
fn what_is_wrong_is_told() {
    let server = shared(Store::SeaweedFs);
    let bucket = server.create_bucket();
    let refused = |path: &str, more: &str| feastr(&over(path, more), server, &["plan"]).failed().stderr;
    put(&server.open(&bucket), "t/x.parquet", b"PAR1".to_vec());
    let said = refused(&format!("{bucket}/t"), "");
    assert!(said.contains(&format!("`{bucket}/t` is not a Delta table: it has no folder `_delta_log`")), "{said}");
    upload(&table(), &server.open(&bucket));
    let said = refused(&bucket, "    delta_version: 17\n");
    assert!(said.contains(&format!("the Delta table `{bucket}` has no version 17")), "{said}");

    // What the store says comes through, whatever asks it.
    let meddler = Meddler::before(server.port());
    for part in ["_delta_log/", "bytes="] {
        meddler.meddle(move |line| match line.contains(part) && line.starts_with("GET ") {
            true => Act::Answer("403 Forbidden", super::writing::EXPIRED),
            false => Act::Pass,
        });
        let said = feastr_at(&over(&bucket, ""), server, &meddler.endpoint(), &["plan"]).failed().stderr;
        assert!(said.contains("The provided token has expired (ExpiredToken)"), "{part} {said}");
    }
    let place = server.open(&bucket);
    put(&place, "_delta_log/00000000000000000000.json", b"{\"add\": {".to_vec());
    let said = refused(&bucket, "    delta_version: 0\n");
    assert!(said.contains("00000000000000000000.json"), "{said}");
}
