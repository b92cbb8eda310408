//! Saved datasets over stores in memory, with files in a temporary folder.

use std::path::Path;

use super::*;
use crate::{
    app::{
        get_historical::About,
        saved_datasets::{Created, Creation, Overwrite, create, export},
    },
    model::Tags,
    offline::Cancel,
    registry::watched::{Call, Watched},
    retrieval::{Entities, FeatureRequest, Selection},
    sink::{Format, ParquetOptions, RowSink, Target},
};

/// A house whose repo is in a folder, and its entity rows: drivers and seconds.
fn house(folder: &Path) -> House {
    let house = House::with(StoreConfig { repo: folder.to_owned(), ..config() }, None);
    house.apply(&with_views(&["v"])).unwrap();
    house.put(&[(1, 10, 0.5), (2, 20, 1.5)]);
    house
}

fn about(rows: &[(i64, i64)]) -> About {
    let times = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|(_, time)| time * SECOND));
    let columns: [(&str, ArrayRef); 2] = [
        ("driver_id", Arc::new(Int64Array::from_iter_values(rows.iter().map(|(driver, _)| *driver)))),
        ("event_timestamp", Arc::new(times.with_timezone("UTC"))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    About::Rows(Entities::of_batches(batch.schema(), vec![batch]))
}

fn save(store: &FeatureStore, name: &str, path: &str, rows: &[(i64, i64)], over: bool) -> Result<Created, Failure> {
    let selection = Selection::of_features(vec!["v:x".parse().unwrap()]);
    let creation = Creation {
        name,
        features: &FeatureRequest { selection, full_feature_names: false },
        about: &about(rows),
        filter_by_created_timestamp: false,
        path,
        parquet: ParquetOptions::default(),
        description: "",
        tags: &Tags::new(),
        overwrite: Overwrite { dataset: over, files: over },
        author: &caller().author("saved-datasets create"),
    };
    create(store, &caller(), &creation, &Cancel::default())
}

fn exported(store: &FeatureStore, name: &str) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut sink = RowSink::file(Format::Csv, Target::file(file.path()).unwrap());
    export(store, &caller(), name, &Cancel::default(), &mut sink).unwrap();
    sink.finish().unwrap();
    std::fs::read_to_string(file.path()).unwrap()
}

#[test]
fn a_name_belongs_to_one_dataset_unless_it_may_be_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let house = house(folder.path());
    assert_eq!(save(&house.store, "d", "d.parquet", &[(1, 11), (2, 21)], false).unwrap().rows, 2);
    let taken = problem(save(&house.store, "d", "other.parquet", &[(1, 11)], false).unwrap_err());
    assert_eq!((taken.kind, taken.advice), (Kind::Conflict, Some(Advice::Overwrite)));
    assert!(!folder.path().join("other.parquet").exists());
    let taken = problem(save(&house.store, "e", "d.parquet", &[(1, 11)], false).unwrap_err());
    assert_eq!((taken.kind, taken.advice), (Kind::Conflict, Some(Advice::Overwrite)));
    assert_eq!(save(&house.store, "d", "d.parquet", &[(1, 11)], true).unwrap().rows, 1);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Rows that are in the files and not of the times that are registered came there from elsewhere.
#[test]
fn rows_are_those_of_the_registered_times() {
    let folder = tempfile::tempdir().unwrap();
    let house = house(folder.path());
    save(&house.store, "some", "some.parquet", &[(1, 11)], false).unwrap();
    save(&house.store, "more", "more.parquet", &[(1, 9), (1, 11), (2, 12), (2, 30)], false).unwrap();
    house.offline.put("some", read(&folder.path().join("more.parquet")));
    house.offline.put("more", read(&folder.path().join("more.parquet")));
    assert_eq!(exported(&house.store, "more").lines().count(), 5);
    // A second more than the last of them, as in Feast.
    let head = "driver_id,event_timestamp,x\n";
    assert_eq!(exported(&house.store, "some"), format!("{head}1,1970-01-01T00:00:11Z,0.5\n2,1970-01-01T00:00:12Z,\n"));
}

fn read(path: &Path) -> RecordBatch {
    let file = std::fs::File::open(path).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    reader.build().unwrap().next().unwrap().unwrap()
}

#[test]
fn what_is_not_registered_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let house = house(folder.path());
    let away = |call| match call {
        Call::Update => Err(Problem::new(Kind::Unavailable, "it is away", None)),
        _ => Ok(()),
    };
    let mut registry = Watched::new(move |_, call| away(call));
    registry.memory = house.registry.with(Locking::default());
    let stores = Stores {
        registry: Box::new(registry),
        replica: Arc::new(house.registry.with(Locking::default())),
        online: None,
        offline: Box::new(house.offline.clone()),
        batch_engine: None,
        locked_by: Box::new(|locking| Box::new(Memory::default().with(locking))),
    };
    let store = FeatureStore::over(stores, house.store.config().clone(), clock, Arc::new(|_: &Event<'_>| {}));
    let refused = problem(save(&store, "d", "d.parquet", &[(1, 11)], false).unwrap_err());
    assert_eq!(refused.message, "it is away; the rows are in d.parquet and not registered");
    assert!(folder.path().join("d.parquet").exists());
    // They have no name, so nothing stands in the way of a second try.
    assert_eq!(save(&house.store, "d", "d.parquet", &[(1, 11)], true).unwrap().rows, 1);
}
