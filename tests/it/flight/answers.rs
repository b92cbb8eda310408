//! What the server answers with rows.

use serde_json::json;
use tonic::Code;

use super::{
    client::{Client, columns, drivers, historical, json_rows, marker, pull},
    repo,
};
use crate::servers::grpc::GrpcServer;

const CONV_RATE: &str = "driver_hourly_stats:conv_rate";
const DAY: [&str; 2] = ["2021-04-11T00:00:00+00:00", "2021-04-12T00:00:00+00:00"];

#[test]
fn features_are_those_at_the_times_of_entity_rows() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let rows = drivers(&[(1001, "2021-04-12T00:00:00Z"), (5, "2021-04-12T00:00:00Z"), (1001, "2021-04-11T22:30:00Z")]);
    let answer = client.exchange(&historical(&[CONV_RATE], json!({})), Some(&rows)).unwrap();
    let found = json_rows(&answer);
    assert_eq!(found.iter().map(|row| row["driver_id"].clone()).collect::<Vec<_>>(), [1001, 5, 1001], "in their order");
    assert_eq!(found[0]["conv_rate"], json!(0.504_208_6));
    assert_eq!(found[1]["conv_rate"], json!(null));
    let full = client.exchange(&historical(&[CONV_RATE], json!({ "full_feature_names": true })), Some(&rows)).unwrap();
    assert_eq!(full.schema().field(2).name(), "driver_hourly_stats__conv_rate");
}

#[test]
fn features_are_computed_of_what_comes_along() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let rows = drivers(&[(1001, "2021-04-12T00:00:00Z")]);
    let refs = ["driver_hourly_stats:conv_rate", "transformed_conv_rate:conv_rate_plus_val2"];
    let refused = client.exchange(&historical(&refs, json!({})), Some(&rows)).unwrap_err();
    assert!(refused.message().contains("RequestDataNotFoundInEntityDfException"), "{refused:?}");
    let more = [("val_to_add", 1), ("val_to_add_2", 10)].map(|(name, value)| {
        let column: arrow::array::ArrayRef = std::sync::Arc::new(arrow::array::Int64Array::from(vec![value]));
        (name, column)
    });
    let own = ["driver_id", "event_timestamp"].map(|name| (name, rows.column_by_name(name).unwrap().clone()));
    let rows = arrow::array::RecordBatch::try_from_iter(own.into_iter().chain(more)).unwrap();
    let answer = client.exchange(&historical(&refs, json!({})), Some(&rows)).unwrap();
    assert_eq!(json_rows(&answer)[0]["conv_rate_plus_val2"], json!(0.504_208_624_362_945_6 + 10.0));
}

#[test]
fn a_service_gives_a_view_another_name_and_other_keys() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let own = drivers(&[(1001, "2021-04-12T00:00:00Z")]);
    let own = ["driver_id", "event_timestamp"].map(|name| own.column_by_name(name).unwrap().clone());
    let rows =
        arrow::array::RecordBatch::try_from_iter([("origin_id", own[0].clone()), ("event_timestamp", own[1].clone())])
            .unwrap();
    let aliased = json!({ "name_aliases": ["origin"], "full_feature_names": true });
    let answer = client.exchange(&historical(&["origin:conv_rate"], aliased), Some(&rows)).unwrap();
    assert_eq!(json_rows(&answer)[0]["origin__conv_rate"], json!(0.504_208_6));
    let unknown = json!({ "name_aliases": ["nobody"] });
    let refused = client.exchange(&historical(&["nobody:conv_rate"], unknown), Some(&rows)).unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert!(refused.message().contains("no feature service calls feature view"), "{refused:?}");
}

#[test]
fn entity_rows_may_be_those_of_a_query_or_of_a_range() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let sql = "SELECT 1001 AS driver_id, TIMESTAMPTZ '2021-04-12 00:00:00Z' AS event_timestamp";
    let command = historical(&[CONV_RATE], json!({ "entity_df_sql": sql }));
    let answer = client.exchange(&command, Some(&marker())).unwrap();
    assert_eq!(json_rows(&answer)[0]["conv_rate"], json!(0.504_208_6));
    // Feast's DuckDB store cannot do this.
    let command = historical(&[CONV_RATE], json!({ "start_date": DAY[0], "end_date": DAY[1] }));
    let range = client.exchange(&command, Some(&marker())).unwrap();
    assert!(range.num_rows() > 100, "{}", range.num_rows());
    let both = historical(&[CONV_RATE], json!({ "entity_df_sql": sql, "end_date": DAY[1] }));
    assert_eq!(client.exchange(&both, Some(&marker())).unwrap_err().code(), Code::InvalidArgument);
}

#[test]
fn newest_rows_and_all_rows_are_those_of_the_source() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let newest = client.exchange(&pull("pull_latest_from_table_or_query", json!({})), Some(&marker())).unwrap();
    let all = client.exchange(&pull("pull_all_from_table_or_query", json!({})), Some(&marker())).unwrap();
    let expected = [
        ("driver_id", "int64"),
        ("conv_rate", "float"),
        ("avg_daily_trips", "int64"),
        ("event_timestamp", "timestamp[us, tz=UTC]"),
        ("created", "timestamp[us, tz=UTC]"),
    ];
    let expected = expected.map(|(name, kind)| (name.to_owned(), kind.to_owned()));
    assert_eq!([columns(&newest), columns(&all)], [expected.to_vec(), expected.to_vec()]);
    assert_eq!(newest.num_rows(), 5, "one of each driver");
    assert!(all.num_rows() > 10 && all.num_rows() < 30, "{}", all.num_rows());
    // Feast's server takes no null.
    let all = json!({ "start_date": null, "end_date": null, "created_timestamp_column": null });
    let rows = client.exchange(&pull("pull_all_from_table_or_query", all), Some(&marker())).unwrap();
    assert!(rows.num_rows() > 1_800 && rows.schema().field_with_name("created").is_err(), "{}", rows.num_rows());
    let one = json!({ "join_key_columns": [], "feature_name_columns": ["conv_rate"] });
    let one = client.exchange(&pull("pull_latest_from_table_or_query", one), Some(&marker())).unwrap();
    assert_eq!(one.num_rows(), 1, "without keys there is one entity");
}

#[test]
fn columns_of_a_source_have_the_types_of_pyarrow() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let source = r#"{"type": "BATCH_FILE", "timestampField": "event_timestamp", "name": "driver_hourly_stats_source",
        "fileOptions": {"uri": "data/driver_stats.parquet"}}"#;
    let command = |api: &str| json!({ "command_id": "c", "api": api, "data_source_proto": source });
    let columns = command("get_table_column_names_and_types_from_data_source");
    let answer = json_rows(&client.exchange(&columns, Some(&marker())).unwrap());
    let found: Vec<_> =
        answer.iter().map(|row| (row["name"].as_str().unwrap(), row["type"].as_str().unwrap())).collect();
    assert!(
        found.contains(&("conv_rate", "float")) && found.contains(&("created", "timestamp[us, tz=UTC]")),
        "{found:?}"
    );
    client.put(&command("validate_data_source"), Some(&marker())).unwrap();
    let wrong = source.replace("driver_stats.parquet", "gone.parquet");
    let wrong = json!({ "command_id": "c", "api": "validate_data_source", "data_source_proto": wrong });
    assert!(client.put(&wrong, Some(&marker())).is_err());
}

#[test]
fn actions_are_those_that_are_done_with_do_put() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let actions = Client::of(&server).actions();
    assert_eq!(actions, ["offline_write_batch", "write_logged_features", "persist"]);
}
