//! Clients that go away or take nothing, servers that end, and too many commands at a time.

use std::{fs::File, sync::Arc, thread, time::Duration};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray};
use parquet::arrow::ArrowWriter;
use serde_json::{Value as Json, json};
use tonic::{Code, transport::Endpoint};

use super::{
    client::{Client, marker, pull},
    own_client, repo,
};
use crate::{servers::grpc::GrpcServer, support::Project};

/// The repo with a source of many rows, each of 64 bytes.
fn big(rows: i64) -> Project {
    let project = repo();
    let mut writer: Option<ArrowWriter<File>> = None;
    for start in (0..rows).step_by(100_000) {
        let numbers = start..rows.min(start + 100_000);
        let times: ArrayRef =
            Arc::new(TimestampMicrosecondArray::from_iter_values(numbers.clone()).with_timezone("UTC"));
        let values = (0..7).map(|column| {
            // Nothing of it repeats, so that files are not small.
            let values = numbers.clone().map(|row| row.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed() + column));
            (format!("v{column}"), Arc::new(Int64Array::from_iter_values(values)) as ArrayRef)
        });
        let columns: Vec<_> = [("at".to_owned(), times)].into_iter().chain(values).collect();
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let writer = writer.get_or_insert_with(|| {
            let file = File::create(project.path("data/big.parquet")).unwrap();
            ArrowWriter::try_new(file, batch.schema(), None).unwrap()
        });
        writer.write(&batch).unwrap();
    }
    writer.unwrap().close().unwrap();
    project.write(
        "big.yaml",
        "data_sources:\n  - name: big\n    type: file\n    path: data/big.parquet\n    timestamp_field: at\n",
    );
    project.feastr(&["apply", "-q", "--skip-source-validation"]).ok();
    project
}

fn all_of_it() -> Json {
    let columns: Vec<String> = (0..7).map(|column| format!("v{column}")).collect();
    pull(
        "pull_all_from_table_or_query",
        json!({
            "data_source_name": "big", "join_key_columns": [], "feature_name_columns": columns, "timestamp_field": "at",
            "created_timestamp_column": null, "start_date": null, "end_date": null,
        }),
    )
}

#[test]
fn a_server_that_knows_what_is_registered_is_healthy() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let endpoint = || Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    while client.health(endpoint()).unwrap() != 1 {}
}

#[test]
fn who_goes_away_is_not_waited_for() {
    let project = big(1_000_000);
    let server = GrpcServer::offline(&project, &["--max-concurrent-queries", "1", "--max-waiting-queries", "0"]);
    let client = Client::of(&server);
    let mut answer = client.begin(&all_of_it(), Some(&marker()));
    client.next(&mut answer).unwrap().unwrap();
    // It takes nothing more, so the query waits for it, and nobody else has a place.
    let other = Client::of(&server);
    let busy = other.exchange(&pull("pull_latest_from_table_or_query", json!({})), Some(&marker())).unwrap_err();
    assert_eq!(busy.code(), Code::ResourceExhausted, "{busy:?}");
    assert!(busy.message().contains("busy"), "{busy:?}");
    drop(answer);
    drop(client);
    let ask = || other.exchange(&pull("pull_latest_from_table_or_query", json!({})), Some(&marker()));
    while ask().is_err() {
        thread::sleep(Duration::from_millis(20));
    }
    while !server.said().contains("broken off") {}
}

#[test]
fn our_own_client_asks_a_busy_server_again() {
    let project = big(1_000_000);
    let server = GrpcServer::offline(&project, &["--max-concurrent-queries", "1", "--max-waiting-queries", "0"]);
    let first = Client::of(&server);
    let mut answer = first.begin(&all_of_it(), Some(&marker()));
    first.next(&mut answer).unwrap().unwrap();
    let ours = own_client::client(&project, &server);
    thread::scope(|scope| {
        let asking = scope.spawn(|| own_client::asked(&ours, &["--features", "driver_hourly_stats:conv_rate"]));
        while !server.said().contains("get_historical_features") {
            thread::sleep(Duration::from_millis(20));
        }
        drop((answer, first));
        assert_eq!(asking.join().unwrap().len(), 2);
    });
    assert!(server.said().matches("DoExchange get_historical_features").count() >= 2, "{}", server.said());
}

#[test]
fn what_is_not_taken_is_not_waited_for() {
    let project = big(1_000_000);
    let server = GrpcServer::offline(&project, &["--idle-timeout", "1s", "--max-concurrent-queries", "1"]);
    let client = Client::of(&server);
    let mut answer = client.begin(&all_of_it(), Some(&marker()));
    client.next(&mut answer).unwrap().unwrap();
    // Somebody else has its turn meanwhile.
    let other = Client::of(&server);
    other.exchange(&pull("pull_latest_from_table_or_query", json!({})), Some(&marker())).unwrap();
    // What was on its way comes, and then the reason why there is no more.
    let reason = loop {
        match client.next(&mut answer) {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it looks as if that was all"),
            Err(status) => break status,
        }
    };
    assert_eq!(reason.code(), Code::DeadlineExceeded, "{reason:?}");
}

#[test]
fn a_command_that_takes_too_long_is_called_off() {
    let project = big(1_000_000);
    let server = GrpcServer::offline(&project, &["--deadline", "0"]);
    let refused = Client::of(&server).exchange(&all_of_it(), Some(&marker())).unwrap_err();
    assert_eq!(refused.code(), Code::DeadlineExceeded, "{refused:?}");
}

#[cfg(unix)]
#[test]
fn what_is_being_answered_is_answered_before_the_end() {
    let project = big(1_000_000);
    let mut server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let mut answer = client.begin(&all_of_it(), Some(&marker()));
    client.next(&mut answer).unwrap().unwrap();
    server.signal("-TERM");
    while std::net::TcpStream::connect(server.address).is_ok() {}
    let mut bytes = 0;
    while let Some(data) = client.next(&mut answer).unwrap() {
        bytes += data.data_body.len();
    }
    assert!(bytes >= 64_000_000, "{bytes}");
    assert_eq!(server.wait().code(), Some(0), "{}", server.said());
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_answer() {
    let project = big(4_000_000);
    let server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let mut answer = client.begin(&all_of_it(), Some(&marker()));
    let mut bytes = 0;
    while let Some(data) = client.next(&mut answer).unwrap() {
        bytes += data.data_body.len();
    }
    assert!(bytes >= 256_000_000, "{bytes}");
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: usize = peak.trim().trim_end_matches("kB").trim().parse().unwrap();
    assert!(peak < 200_000, "{peak} kB for {bytes} bytes");
}
