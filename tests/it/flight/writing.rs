//! Rows that clients bring.

use std::fs::File;

use arrow::array::{Int32Array, RecordBatch, StringArray};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::json;
use tonic::Code;

use super::{
    client::{Client, drivers, historical, json_rows, marker, pull},
    repo,
};
use crate::{servers::grpc::GrpcServer, support::Project};

fn source_rows(client: &Client) -> RecordBatch {
    let columns = json!({ "feature_name_columns": ["conv_rate", "acc_rate", "avg_daily_trips"], "start_date": null, "end_date": null });
    client.exchange(&pull("pull_all_from_table_or_query", columns), Some(&marker())).unwrap()
}

#[test]
fn rows_are_added_to_the_source_of_a_view() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let before = source_rows(&client);
    let command = json!({
        "command_id": "c", "api": "offline_write_batch", "feature_view_names": ["driver_hourly_stats"],
        "progress": null, "name_aliases": [null],
    });
    client.put(&command, Some(&before.slice(0, 3))).unwrap();
    assert_eq!(source_rows(&client).num_rows(), before.num_rows() + 3);
    let refused = client.put(&command, Some(&before.slice(0, 1).project(&[0, 1, 2, 3]).unwrap())).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    assert!(refused.message().contains("created"), "{refused:?}");
    assert_eq!(client.put(&command, Some(&marker())).unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(source_rows(&client).num_rows(), before.num_rows() + 3, "nothing more was written");
}

#[test]
fn rows_are_added_to_the_log_of_a_service() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let command =
        |service: &str| json!({ "command_id": "c", "api": "write_logged_features", "feature_service_name": service });
    let rows = drivers(&[(1001, "2021-04-12T00:00:00Z")]);
    let column = |name: &str| rows.column_by_name(name).unwrap().clone();
    let text: arrow::array::ArrayRef = std::sync::Arc::new(StringArray::from(vec!["request"]));
    let status: arrow::array::ArrayRef = std::sync::Arc::new(Int32Array::from(vec![1]));
    // In another order than the log has, as Feast's client sends them.
    let logged = RecordBatch::try_from_iter([
        ("driver_id", column("driver_id")),
        ("driver_hourly_stats__conv_rate__timestamp", column("event_timestamp")),
        ("driver_hourly_stats__conv_rate__status", status),
        ("__request_id", text),
        ("__log_timestamp", column("event_timestamp")),
    ])
    .unwrap();
    client.put(&command("driver_activity_logged"), Some(&logged)).unwrap();
    let file = files(&project).pop().unwrap();
    let written = ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()).unwrap().build().unwrap();
    let written: Vec<RecordBatch> = written.map(Result::unwrap).collect();
    let row = &json_rows(&written[0])[0];
    assert_eq!((&row["driver_id"], &row["__request_id"]), (&json!(1001), &json!("request")));
    assert_eq!(client.put(&command("driver_activity_v2"), Some(&logged)).unwrap_err().code(), Code::FailedPrecondition);
    let refused = client.put(&command("driver_activity_logged"), Some(&rows)).unwrap_err();
    assert!(refused.message().contains("event_timestamp"), "{refused:?}");
    assert_eq!(files(&project).len(), 1);
}

fn files(project: &Project) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(project.path("data/log")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn results_are_kept_where_a_source_has_them() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let rows = drivers(&[(1001, "2021-04-12T00:00:00Z"), (1002, "2021-04-12T00:00:00Z")]);
    let command = |more| {
        let mut command = historical(
            &["driver_hourly_stats:conv_rate"],
            json!({
                "api": "persist", "data_source_name": "kept", "allow_overwrite": false, "timeout": null,
                "retrieve_func": "get_historical_features",
            }),
        );
        let more: serde_json::Value = more;
        command.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        command
    };
    client.put(&command(json!({})), Some(&rows)).unwrap();
    let kept = pull(
        "pull_all_from_table_or_query",
        json!({
            "data_source_name": "kept", "feature_name_columns": ["conv_rate"], "created_timestamp_column": null,
            "start_date": null, "end_date": null,
        }),
    );
    assert_eq!(client.exchange(&kept, Some(&marker())).unwrap().num_rows(), 2);
    assert_eq!(client.put(&command(json!({})), Some(&rows)).unwrap_err().code(), Code::FailedPrecondition);
    client.put(&command(json!({ "allow_overwrite": true })), Some(&rows.slice(0, 1))).unwrap();
    assert_eq!(client.exchange(&kept, Some(&marker())).unwrap().num_rows(), 1);
    let unregistered = command(json!({ "data_source_name": "data/saved.parquet" }));
    let refused = client.put(&unregistered, Some(&rows)).unwrap_err();
    assert!(refused.message().contains("DataSourceObjectNotFoundException"), "{refused:?}");
}
