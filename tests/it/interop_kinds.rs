//! Python Feast reads every kind of object that feastr wrote.

use std::{fs::File, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::{DataType as ArrowType, Field as ArrowField, Schema, TimeUnit},
};
use parquet::arrow::ArrowWriter;
use serde_json::{Value as Json, json};

use crate::{
    interop::{feast, repo},
    registries::{Backend, on_every_backend},
    support::Project,
};

/// The folder of the repo with its data; nothing is applied yet.
pub fn folder(registry: Backend) -> Project {
    let project = repo("kinds", registry);
    let stats = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/feature_repo/data/driver_stats.parquet");
    project.copy(&stats, "data/driver_stats.parquet");
    project
}

on_every_backend!(@ sqlite Sqlite python_feast_reads_and_computes_every_kind);
on_every_backend!(@ postgres Postgres python_feast_reads_and_computes_every_kind);

fn python_feast_reads_and_computes_every_kind(registry: Backend) {
    let project = folder(registry);
    project.feastr(&["apply"]).ok();
    project.feastr(&["plan", "--detailed-exitcode"]).ok();
    let [plan, objects] = feast(&project, &[json!({"plan": {}}), json!({"objects": {}})]).try_into().unwrap();
    let is_change = |line: &&str| ["Created", "Updated", "Deleted"].iter().any(|verb| line.starts_with(verb));
    let changes: Vec<&str> = plan.as_str().unwrap().lines().filter(is_change).collect();
    // Feast counts join keys among the features of a stream view that it has read, and so finds
    // every one of them changed, those it wrote itself as well.
    assert_eq!(changes, ["Updated stream feature view driver_stream"]);
    assert_registered(&objects);

    project.feastr(&["materialize", "2020-01-01", "2030-01-01", "--allow-future", "--views", "driver_stats"]).ok();
    write_training_rows(&project.path("data/training_rows.parquet"));
    let sums = json!([
        "driver_stats:conv_rate",
        "driver_stats:avg_daily_trips",
        "driver_sums:sum_f",
        "driver_sums:trips2",
        "driver_sums:label",
        "driver_sums:flag",
        "driver_sums:constant"
    ]);
    let entities = json!([
        {"driver_id": 1001, "val_to_add": 10, "note": "a"},
        {"driver_id": 1002, "val_to_add": 20, "note": "b"},
        {"driver_id": 1, "val_to_add": 30, "note": "c"},
    ]);
    let steps = [
        json!({"online": {"features": sums, "entities": entities}}),
        json!({"online": {"features": sums, "entities": entities, "full_feature_names": true}}),
        json!({"historical": {"features": sums, "entities": "data/training_rows.parquet"}}),
    ];
    let [online, full_names, historical] = feast(&project, &steps).try_into().unwrap();
    let rates = online["conv_rate"]["values"].as_array().unwrap();
    let trips = online["avg_daily_trips"]["values"].as_array().unwrap();
    for (row, (to_add, note)) in [(10.0, "a"), (20.0, "b"), (30.0, "c")].into_iter().enumerate() {
        let value = |name: &str| online[name]["values"][row].clone();
        let (rate, trips) = (rates[row].as_f64(), trips[row].as_i64());
        assert_eq!(rate.is_some(), row < 2, "the third driver is unknown");
        assert_eq!(value("sum_f").as_f64(), rate.map(|rate| f64::from(rate as f32 + to_add as f32)));
        assert_eq!(value("trips2").as_f64().map(|value| value as i64), trips.map(|trips| trips * 2));
        assert_eq!(value("label"), trips.map_or(Json::Null, |trips| json!(format!("ü \"{trips}\n{note}"))));
        assert_eq!(value("flag").as_bool(), rate.map(|rate| rate > 0.5));
        assert_eq!(value("constant"), 7);
        assert_eq!(full_names["driver_sums__label"]["values"][row], value("label"));
    }

    let names: Vec<&str> = historical["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let rows = historical["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        let value = |wanted: &str| &row[names.iter().position(|name| *name == wanted).unwrap()];
        let trips = value("avg_daily_trips").as_i64().unwrap();
        assert_eq!(value("trips2").as_i64(), Some(trips * 2));
        assert_eq!(*value("label"), json!(format!("ü \"{trips}\n{}", value("note").as_str().unwrap())));
        assert_eq!(value("flag").as_bool(), value("conv_rate").as_f64().map(|rate| rate > 0.5));
        assert_eq!(*value("constant"), 7);
    }
}

#[track_caller]
pub fn assert_registered(objects: &Json) {
    for (kind, count) in [
        ("data_sources", 4),
        ("feature_views", 2),
        ("on_demand_feature_views", 1),
        ("stream_feature_views", 1),
        ("label_views", 1),
        ("feature_services", 1),
        ("permissions", 1),
    ] {
        let objects = &objects[kind];
        assert_eq!(objects["registered"].as_object().unwrap().len(), count, "{kind}");
        assert_eq!(in_order(&objects["registered"]), in_order(&objects["declared"]), "{kind}");
    }
    let training = &objects["saved_datasets"]["registered"]["training"]["spec"];
    assert_eq!(training["storage"], json!({"fileStorage": {"uri": "data/training.parquet"}}));
}

/// Rows to join with, as a parquet file.
fn write_training_rows(path: &Path) {
    let schema = Arc::new(Schema::new(vec![
        ArrowField::new("row", ArrowType::Int64, false),
        ArrowField::new("driver_id", ArrowType::Int64, false),
        ArrowField::new("event_timestamp", ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
        ArrowField::new("val_to_add", ArrowType::Int64, false),
        ArrowField::new("note", ArrowType::Utf8, false),
    ]));
    let late = "2030-01-01T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![1, 2])),
        Arc::new(Int64Array::from(vec![1001, 1002])),
        Arc::new(TimestampMicrosecondArray::from(vec![late; 2]).with_timezone("UTC")),
        Arc::new(Int64Array::from(vec![5, 6])),
        Arc::new(StringArray::from(vec!["x", "y"])),
    ];
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// The messages with the schemas of stream views, which have no order in Feast, sorted.
fn in_order(objects: &Json) -> Json {
    let mut objects = objects.clone();
    for object in objects.as_object_mut().unwrap().values_mut() {
        if let Some(features) = object.pointer_mut("/spec/features").and_then(Json::as_array_mut) {
            features.sort_by_key(|feature| feature["name"].to_string());
        }
    }
    objects
}
