//! The engine, and the store in memory that stands for it in other tests, keep what offline stores promise.

mod contract;

use std::{fs::File, sync::Arc};

use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use self::contract::{Row, batch};
use super::{OfflineStore, duckdb::DuckDbStore, memory::MemoryOfflineStore};
use crate as feastr;
use crate::{clients::buckets::Buckets, config::MemoryLimit, sources::Whereabouts};

/// How many random cases there are.
const CASES: u32 = 24;

/// Both stores over a source with these rows, and the folder of its file.
fn stores(rows: &[Row]) -> (Vec<Box<dyn OfflineStore>>, TempDir) {
    let (folder, batch) = (tempfile::tempdir().unwrap(), batch(rows));
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let file = File::create(folder.path().join("data/stats.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let memory = MemoryOfflineStore::default();
    memory.put("stats", batch);
    let whereabouts = Whereabouts {
        repo: folder.path().to_owned(),
        postgres: None,
        buckets: Buckets::default(),
        environment: |_| None,
    };
    let engine = DuckDbStore::new(Arc::new(whereabouts), MemoryLimit::default());
    (vec![Box::new(memory), Box::new(engine)], folder)
}
