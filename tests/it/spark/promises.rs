//! Clusters keep what offline stores promise, as DuckDB does, and say what they do not do.

#[path = "../../../src/offline/tests/contract.rs"]
mod contract;

use std::{fs::File, sync::Arc, time::Duration};

use ::feastr;
use feastr::{
    config::{OfflineStoreConfig, StoreConfig},
    offline::{self, OfflineStore},
    problem::Kind,
};
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use self::contract::{Row, batch};
use crate::{
    point_in_time::config,
    servers::spark::{TOKEN, sail, spark},
};

/// How many random cases there are: `questions.rs` has more.
const CASES: u32 = 4;

/// DuckDB, Sail and Spark over a source with these rows, and the folder of its file.
fn stores(rows: &[Row]) -> (Vec<Box<dyn OfflineStore>>, TempDir) {
    let (folder, batch) = (tempfile::tempdir().unwrap(), batch(rows));
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let file = File::create(folder.path().join("data/stats.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let servers = [
        sail().config("", Duration::from_secs(5)),
        spark().config(&format!("token={TOKEN};use_ssl=false"), Duration::from_secs(60)),
    ];
    let clusters = servers.into_iter().map(|server| OfflineStoreConfig::Spark(Box::new(server)));
    let opened = [OfflineStoreConfig::DuckDb].into_iter().chain(clusters).map(|offline_store| {
        let config = StoreConfig { offline_store, ..config(folder.path()) };
        offline::open(&config, |_| None, &Arc::default())
    });
    (opened.collect(), folder)
}

/// A cluster writes its own tables.
#[test]
fn rows_are_not_added_to_sources_of_a_cluster() {
    let (stores, _folder) = stores(&[]);
    let rows = batch(&[(Some(1), Some(10), None, 1.0)]);
    assert!(stores[0].writer().is_none(), "files are written from here");
    for store in &stores[1..] {
        let problem = store.writer().unwrap().add("drivers", &rows.schema(), std::slice::from_ref(&rows)).unwrap_err();
        assert!(problem.kind == Kind::Unsupported && problem.help().is_some(), "{problem:?}");
    }
}

/// Questions in DuckDB's SQL are answered here, over files of the repo.
#[test]
fn questions_about_entities_are_answered_here() {
    let (stores, _folder) = stores(&[(Some(1), Some(10), None, 1.0)]);
    for store in &stores {
        let rows = store.entities_of_sql("SELECT 1 AS driver_id, TIMESTAMP '2024-03-01' AS event_timestamp", None);
        assert_eq!(rows.unwrap().open().unwrap().columns().columns.len(), 2);
    }
}
