//! Join keys of which several values in the source are one online.

use std::{fs::File, sync::Arc};

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray, TimestampNanosecondArray},
    datatypes::{Field, Schema},
};
use parquet::arrow::ArrowWriter;

use super::{cleanup::keep_values_in, values};
use crate::{
    online_sql::{Backend, TestStore},
    support::{Project, settings},
};

/// More than DuckDB has in a batch.
const ROWS: i64 = 5000;

/// 2026-01-01 in microseconds.
const EVENT: i64 = 1_767_225_600_000_000;

/// A repo whose view has a moment as its join key. The source has rows of two seconds, the one before
/// 1970 and the one after; of both the newest event is that of the first value.
fn repo(moment: impl Fn(Vec<i64>) -> ArrayRef) -> Project {
    let key = |row: i64| (if row % 2 == 0 { 1 } else { -999_999 }) + row;
    let columns = [
        ("moment", moment((0..ROWS).map(key).collect())),
        (
            "at",
            Arc::new(TimestampMicrosecondArray::from_iter_values((0..ROWS).map(|row| EVENT - row * 1_000_000)))
                as ArrayRef,
        ),
        ("value", Arc::new((0..ROWS).collect::<Int64Array>())),
    ];
    let project = Project::new(&[
        ("feature_store.yaml", &settings("p")),
        (
            "moments.yaml",
            "entities:\n  - {name: moment, join_keys: [moment], value_type: UNIX_TIMESTAMP}\nfeature_views:\n  \
             - name: moments\n    entities: [moment]\n    source: {name: s, type: file, path: data/moments.parquet, \
             timestamp_field: at}\n    schema: [{name: value, dtype: Int64}]\n",
        ),
    ]);
    let fields = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    std::fs::create_dir_all(project.path("data")).unwrap();
    let file = File::create(project.path("data/moments.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), None).unwrap();
    writer.write(&RecordBatch::try_new(schema, columns.map(|(_, array)| array).to_vec()).unwrap()).unwrap();
    writer.close().unwrap();
    project
}

fn assert_newest_of_each_second(project: &Project, stored: impl Fn() -> Vec<(Vec<u8>, i64)>) {
    project.feastr(&["apply"]).ok();
    for options in [&[][..], &["--overwrite"]] {
        let output = project.feastr(&[&["materialize", "2025-12-01", "2026-02-01", "--json"], options].concat()).ok();
        let events: Vec<i64> = stored().into_iter().map(|(_, event)| event).collect();
        assert_eq!(events, [EVENT / 1_000_000, EVENT / 1_000_000 - 1], "{options:?} {}", output.stdout);
        let values: Vec<Vec<u8>> = stored().into_iter().map(|(value, _)| value).collect();
        // The field of 64 bits, and the number.
        assert_eq!(values, [[0x20, 0], [0x20, 1]], "{options:?}");
    }
}

#[test]
fn moments_of_one_second_are_one_key() {
    let micros = |moments: Vec<i64>| Arc::new(TimestampMicrosecondArray::from(moments)) as ArrayRef;
    let zoned =
        |moments: Vec<i64>| Arc::new(TimestampMicrosecondArray::from(moments).with_timezone("Asia/Tokyo")) as ArrayRef;
    let nanos = |moments: Vec<i64>| {
        // Nanoseconds before a second are not of that second.
        let nanos = moments.into_iter().map(|moment| if moment < 0 { -1_000_000 - moment } else { moment * 1000 });
        Arc::new(TimestampNanosecondArray::from_iter_values(nanos)) as ArrayRef
    };
    for project in [repo(micros), repo(zoned), repo(nanos)] {
        assert_newest_of_each_second(&project, || {
            values(&project, "p_moments").into_iter().map(|row| (row.2, row.3)).collect()
        });
    }
    let (project, test) = (repo(micros), TestStore::new(Backend::Postgres));
    keep_values_in(&project, &test);
    assert_newest_of_each_second(&project, || test.rows("p_moments").into_iter().map(|row| (row.2, row.4)).collect());
}
