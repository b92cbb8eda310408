//! What Feast's own server was asked, asked of this one.

use std::{io::Cursor, path::Path, sync::Arc};

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, Field, Schema, TimeUnit},
    json::ReaderBuilder,
};
use feastr::{feast::FeastError, model::Timestamp};
use serde_json::{Value as Json, json};
use tonic::Status;

use super::{
    client::{Client, columns, json_rows},
    repo,
};
use crate::servers::grpc::GrpcServer;

/// Calls that Feast fails and this server answers: ranges with DuckDB, and all rows without dates.
const ANSWERED: [i64; 2] = [6, 10];

/// Rows of one moment, of which Feast takes any; feastr always takes the same.
const TIED: i64 = 8;

/// Calls that Feast takes and keeps in its memory for ever, though nothing can come of them.
const REFUSED: [i64; 2] = [28, 29];

#[test]
fn what_feast_answered_is_answered_alike() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let mut seen = 0;
    for file in ["stock_client.json", "raw_client.json"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/flight").join(file);
        // Python writes what JSON does not have.
        let text = std::fs::read_to_string(path).unwrap().replace(": NaN", ": null");
        let recorded: Json = serde_json::from_str(&text).unwrap();
        for call in recorded["server_log"].as_array().unwrap() {
            let Some(command) = call["command_text"].as_str() else { continue };
            match call["rpc"].as_str().unwrap() {
                "do_exchange" => exchanged(call, client.exchange_bytes(command.as_bytes(), uploaded(call).as_ref())),
                "do_put" => put(call, client.put(&serde_json::from_str(command).unwrap(), uploaded(call).as_ref())),
                _ => continue,
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

fn exchanged(call: &Json, answer: Result<RecordBatch, Status>) {
    let number = call["n"].as_i64().unwrap();
    if ANSWERED.contains(&number) {
        assert!(answer.unwrap().num_rows() > 0, "{call}");
        return;
    }
    if !call["error"].is_null() {
        failed(call, &answer.unwrap_err());
        return;
    }
    let answer = answer.unwrap_or_else(|status| panic!("{status:?}: {call}"));
    let described: Vec<(String, String)> = call["download_schema"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| (column[0].as_str().unwrap().to_owned(), column[1].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(columns(&answer), described, "{call}");
    let rows: Vec<Vec<String>> = json_rows(&answer).into_iter().map(|row| plain(&json!(row), &described)).collect();
    if let Some(count) = call["download_rows"].as_u64() {
        assert_eq!(rows.len() as u64, count, "{call}");
    }
    for row in call["download_first_rows"].as_array().unwrap() {
        let mut row = plain(row, &described);
        if number == TIED {
            row = rows.iter().find(|known| known[0] == row[0]).unwrap().clone();
        }
        assert!(rows.contains(&row), "{row:?} is not in {rows:?}: {call}");
    }
}

fn put(call: &Json, answer: Result<(), Status>) {
    let number = call["n"].as_i64().unwrap();
    if REFUSED.contains(&number) {
        answer.unwrap_err();
    } else if call["error"].is_null() {
        // A read of an earlier client is kept.
        answer.unwrap_or_else(|status| panic!("{status:?}: {call}"));
    } else {
        failed(call, &answer.unwrap_err());
    }
}

/// The same exception where it is one of Feast.
fn failed(call: &Json, status: &Status) {
    let error = call["error"].as_str().unwrap();
    let Some((_, json)) = error.split_once("FlightError: ") else { return };
    let expected: Json = serde_json::from_str(json).unwrap();
    let found = FeastError::find(status.message()).unwrap_or_else(|| panic!("{status:?}: {call}"));
    assert_eq!((json!(found.module), json!(found.class)), (expected["module"].clone(), expected["class"].clone()));
}

/// The values of a row in words in which floats have the digits that they have.
fn plain(row: &Json, columns: &[(String, String)]) -> Vec<String> {
    let value = |(name, kind): &(String, String)| match (&row[name], kind.as_str()) {
        (Json::Null, _) => "null".to_owned(),
        (value, "float") => (value.as_f64().unwrap() as f32).to_string(),
        (Json::String(text), kind) if kind.starts_with("timestamp") => Timestamp::absolute(text).unwrap().to_string(),
        (value, _) => value.to_string(),
    };
    columns.iter().map(value).collect()
}

/// The rows that came along, as far as they were recorded.
fn uploaded(call: &Json) -> Option<RecordBatch> {
    let fields: Vec<Field> = call["upload_schema"]
        .as_array()?
        .iter()
        .map(|column| Field::new(column[0].as_str().unwrap(), kind(column[1].as_str().unwrap()), true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let lines: String = call["upload_first_rows"].as_array()?.iter().map(|row| format!("{row}\n")).collect();
    let mut rows = ReaderBuilder::new(Arc::clone(&schema)).build(Cursor::new(lines)).unwrap();
    Some(rows.next().map_or_else(|| RecordBatch::new_empty(schema), Result::unwrap))
}

fn kind(text: &str) -> DataType {
    match text {
        "int64" => DataType::Int64,
        "int32" => DataType::Int32,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "string" => DataType::Utf8,
        "date32[day]" => DataType::Date32,
        "timestamp[us, tz=UTC]" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "timestamp[ns, tz=UTC]" => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        other => panic!("{other} is new"),
    }
}
