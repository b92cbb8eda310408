//! What Feast materialized into SQLite: the same sources give the same keys, values and texts.

use std::{collections::HashMap, fs::File};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    compute::concat_batches,
    datatypes::TimestampMicrosecondType,
};
use feastr::{
    feast::{
        encode::{ColumnEncoder, KeyColumn},
        entity_key::EntityKeyEncoder,
        value::Value,
    },
    model::DataType,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use prost::Message;
use serde_json::Value as Json;

use super::{
    registry_rows::golden_root,
    vectors::{array, from_hex, golden, served, text},
};

/// A materialized view: its table, source file, join keys, and columns with their declared types.
struct View {
    table: &'static str,
    source: &'static str,
    join_keys: &'static [(&'static str, &'static str)],
    /// Feature, column of the source, type.
    features: &'static [(&'static str, &'static str, &'static str)],
    created: Option<&'static str>,
    /// End of the materialized window, in microseconds.
    end: i64,
}

const ITEM: &[(&str, &str)] = &[("item_id", "Int64")];
const EXTRA_END: i64 = 1_618_189_200_000_000;
const LOCAL_END: i64 = 1_618_077_600_000_000;

const fn item(table: &'static str, source: &'static str, features: &'static [(&str, &str, &str)]) -> View {
    View { table, source, join_keys: ITEM, features, created: None, end: EXTRA_END }
}

const EXTRA: &[View] = &[
    View {
        table: "feastextra_customer_merchant_stats",
        source: "extra/input/data/composite.parquet",
        join_keys: &[("customer_id", "String"), ("merchant_id", "Int64")],
        features: &[("visits", "visits", "Int64"), ("spend", "spend_raw", "Float64")],
        created: Some("created"),
        end: EXTRA_END,
    },
    View {
        table: "feastextra_customer_merchant_stats_nottl",
        source: "extra/input/data/composite2.parquet",
        join_keys: &[("merchant_id", "Int64"), ("customer_id", "String")],
        features: &[("visits", "visits", "Int64")],
        created: None,
        end: EXTRA_END,
    },
    item(
        "feastextra_item_types_scalar",
        "extra/input/data/types.parquet",
        &[
            ("f_int32", "f_int32", "Int32"),
            ("f_int64", "f_int64", "Int64"),
            ("f_int64_full", "f_int64_full", "Int64"),
            ("f_float32", "f_float32", "Float32"),
            ("f_float64", "f_float64", "Float64"),
            ("f_string", "f_string", "String"),
            ("f_bytes", "f_bytes", "Bytes"),
            ("f_bool", "f_bool", "Bool"),
            ("f_ts", "f_ts", "UnixTimestamp"),
        ],
    ),
    item(
        "feastextra_item_types_list",
        "extra/input/data/types.parquet",
        &[
            ("l_int32", "l_int32", "Array(Int32)"),
            ("l_int64", "l_int64", "Array(Int64)"),
            ("l_float32", "l_float32", "Array(Float32)"),
            ("l_float64", "l_float64", "Array(Float64)"),
            ("l_string", "l_string", "Array(String)"),
            ("l_bytes", "l_bytes", "Array(Bytes)"),
            ("l_bool", "l_bool", "Array(Bool)"),
            ("l_ts", "l_ts", "Array(UnixTimestamp)"),
        ],
    ),
    item(
        "feastextra_item_types_decimal",
        "extra/input/data/other_decimal.parquet",
        &[("x_decimal", "x_decimal", "Decimal")],
    ),
    item(
        "feastextra_item_types_decimal_list",
        "extra/input/data/other_decimal_list.parquet",
        &[("x_decimal_list", "x_decimal_list", "Array(Decimal)")],
    ),
    item(
        "feastextra_item_types_image",
        "extra/input/data/other_image.parquet",
        &[("x_image", "x_image", "ImageBytes")],
    ),
    item("feastextra_item_types_pdf", "extra/input/data/other_pdf.parquet", &[("x_pdf", "x_pdf", "PdfBytes")]),
    item("feastextra_item_types_json", "extra/input/data/other_json.parquet", &[("x_json", "x_json", "Json")]),
    item(
        "feastextra_item_types_json_list",
        "extra/input/data/other_json_list.parquet",
        &[("x_json_list", "x_json_list", "Array(Json)")],
    ),
    item(
        "feastextra_item_types_list_list",
        "extra/input/data/other_list_list.parquet",
        &[("x_list_list", "x_list_list", "Array(Array(Int64))")],
    ),
    item(
        "feastextra_item_types_set_int64",
        "extra/input/data/other_set_int64.parquet",
        &[("x_set_int64", "x_set_int64", "Set(Int64)")],
    ),
    item(
        "feastextra_item_types_set_string",
        "extra/input/data/other_set_string.parquet",
        &[("x_set_string", "x_set_string", "Set(String)")],
    ),
    item(
        "feastextra_item_types_struct",
        "extra/input/data/other_struct.parquet",
        &[("x_struct", "x_struct", "Struct(a: Int64, b: String)")],
    ),
    item(
        "feastextra_item_types_struct_list",
        "extra/input/data/other_struct_list.parquet",
        &[("x_struct_list", "x_struct_list", "Array(Struct(a: Int64, b: String))")],
    ),
    item("feastextra_item_types_uuid", "extra/input/data/other_uuid.parquet", &[("x_uuid", "x_uuid", "Uuid")]),
    item(
        "feastextra_item_types_time_uuid",
        "extra/input/data/other_time_uuid.parquet",
        &[("x_time_uuid", "x_time_uuid", "TimeUuid")],
    ),
    item(
        "feastextra_item_types_uuid_list",
        "extra/input/data/other_uuid_list.parquet",
        &[("x_uuid_list", "x_uuid_list", "Array(Uuid)")],
    ),
];

const DRIVER_STATS: &[(&str, &str, &str)] = &[
    ("conv_rate", "conv_rate", "Float32"),
    ("acc_rate", "acc_rate", "Float32"),
    ("avg_daily_trips", "avg_daily_trips", "Int64"),
];

const fn driver(table: &'static str) -> View {
    View {
        table,
        source: "local_pandas/input/data/driver_stats.parquet",
        join_keys: &[("driver_id", "Int64")],
        features: DRIVER_STATS,
        created: Some("created"),
        end: LOCAL_END,
    }
}

const LOCAL: &[View] = &[driver("feastlocal_driver_hourly_stats"), driver("feastlocal_driver_hourly_stats_fresh")];

/// Values that Feast wrote differently, by feature: what it wrote and what belongs there.
pub const DIFFERENT: [(&str, &str, &str); 7] = [
    // Integers of a column with a null went through floating point.
    ("f_int64", "208480808080808010", "208380808080808010"),
    ("f_int64", "20fcffffffffffffefff01", "20fbffffffffffffefff01"),
    ("f_int64", "208080808080808010", "208180808080808010"),
    (
        "x_struct",
        "92021a0a0e0a0161120929000000000000f03f0a080a01621203120178",
        "9202130a070a0161120220010a080a01621203120178",
    ),
    (
        "x_struct",
        "9202170a0e0a016112092900000000000022c00a050a01621200",
        "9202190a100a0161120b20f7ffffffffffffffff010a050a01621200",
    ),
    // The order of a Python set; ours is that of the source.
    ("x_set_int64", "ca01050a03010203", "ca01050a03030102"),
    ("x_set_string", "ba01060a01610a0162", "ba01060a01620a0161"),
];

/// Tables without rows, because Feast failed to materialize the view.
const FAILED: [&str; 5] = [
    "feastextra_global_stats",
    "feastextra_item_types_bigint",
    "feastextra_item_types_map",
    "feastextra_item_types_map_list",
    "feastextra_item_types_zoned",
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn dtype(text: &str) -> DataType {
    text.parse().unwrap()
}

fn read_parquet(path: &str) -> RecordBatch {
    let file = File::open(golden_root().join("registry").join(path)).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    concat_batches(&batches[0].schema(), &batches).unwrap()
}

/// The row of each entity that is the newest of the window.
fn newest_rows(view: &View, batch: &RecordBatch) -> HashMap<Vec<u8>, usize> {
    let micros =
        |column: &str| batch.column_by_name(column).unwrap().as_primitive::<TimestampMicrosecondType>().clone();
    let (event, created) = (micros("event_timestamp"), view.created.map(micros));
    let bind = |(name, declared): &(&str, &str)| KeyColumn::bind(&dtype(declared), batch.column_by_name(name).unwrap());
    let keys: Vec<KeyColumn> = view.join_keys.iter().map(|key| bind(key).unwrap()).collect();
    let names: Vec<&str> = view.join_keys.iter().map(|(name, _)| *name).collect();
    let encoder = EntityKeyEncoder::new(&names).unwrap();
    let age = |row: usize| {
        (event.value(row), created.as_ref().filter(|column| column.is_valid(row)).map(|column| column.value(row)))
    };
    let mut newest = HashMap::new();
    for row in (0..batch.num_rows()).filter(|row| event.value(*row) <= view.end) {
        let parts: Option<Vec<_>> = keys.iter().map(|key| key.part(row).unwrap()).collect();
        let Some(parts) = parts else { continue };
        let mut key = Vec::new();
        encoder.encode(&parts, &mut key).unwrap();
        let kept = newest.entry(key).or_insert(row);
        if age(row) > age(*kept) {
            *kept = row;
        }
    }
    newest
}

fn check(recorded: &Json, views: &[View]) -> Vec<(String, String)> {
    let mut different = Vec::new();
    for (table, rows) in recorded["tables"].as_object().unwrap() {
        let Some(view) = views.iter().find(|view| view.table == table) else {
            assert!(FAILED.contains(&table.as_str()) && array(rows).is_empty(), "{table}");
            continue;
        };
        let batch = read_parquet(view.source);
        let newest = newest_rows(view, &batch);
        assert_eq!(array(rows).len(), newest.len() * view.features.len(), "{table}");
        for row in array(rows) {
            let feature = text(&row["feature_name"]);
            let (_, column, declared) = view.features.iter().find(|(name, ..)| *name == feature).unwrap();
            let array: &ArrayRef = batch.column_by_name(column).unwrap();
            let encoder = ColumnEncoder::new(&dtype(declared), array.data_type()).unwrap();
            let mut bytes = Vec::new();
            encoder.bind(array).unwrap().encode(newest[&from_hex(&row["entity_key"]["hex"])], &mut bytes).unwrap();

            let stored = text(&row["value"]["hex"]);
            match DIFFERENT.iter().find(|(name, theirs, _)| (*name, *theirs) == (feature, stored)) {
                Some((_, theirs, ours)) if hex(&bytes) == *ours => {
                    different.push((feature.to_owned(), theirs.to_string()));
                }
                _ => assert_eq!(hex(&bytes), stored, "{row}"),
            }
            let value = Value::decode(&from_hex(&row["value"]["hex"])[..]).unwrap();
            assert_eq!(value.to_text().as_deref(), row["value_text"].as_str(), "{row}");
            assert_eq!(value.to_json(), served(&row["value"]["json"]), "{row}");
        }
    }
    different
}

#[test]
fn every_type_of_value() {
    let mut different = check(&golden("online/extra_sqlite.json"), EXTRA);
    let mut expected: Vec<_> =
        DIFFERENT.iter().map(|(feature, theirs, _)| (feature.to_string(), theirs.to_string())).collect();
    different.sort();
    expected.sort();
    assert_eq!(different, expected);
}

#[test]
fn driver_statistics() {
    assert_eq!(check(&golden("online/local_sqlite_1_materialize.json"), LOCAL), []);
}
