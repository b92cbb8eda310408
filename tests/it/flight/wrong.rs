//! Commands that are none, and those that cannot be carried out.

use feastr::feast::FeastError;
use serde_json::{Map, Value as Json, json};
use tonic::Code;

use super::{
    client::{Client, drivers, historical, marker, pull},
    repo,
};
use crate::servers::grpc::GrpcServer;

fn class(status: &tonic::Status) -> Option<String> {
    FeastError::find(status.message()).map(|error| error.class)
}

#[test]
fn what_does_not_exist_is_an_exception_of_feast() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let rows = drivers(&[(1001, "2021-04-12T00:00:00Z")]);
    let command = historical(&["driver_hourly_stats:conv_rate"], json!({ "feature_view_names": ["nope"] }));
    let refused = client.exchange(&command, Some(&rows)).unwrap_err();
    assert_eq!(class(&refused).as_deref(), Some("FeatureViewNotFoundException"), "{refused:?}");
    for api in ["pull_latest_from_table_or_query", "pull_all_from_table_or_query"] {
        let refused = client.exchange(&pull(api, json!({ "data_source_name": "nope" })), Some(&marker())).unwrap_err();
        assert_eq!(class(&refused).as_deref(), Some("DataSourceObjectNotFoundException"), "{refused:?}");
        let refused = client.exchange(&pull(api, json!({ "timestamp_field": "nope" })), Some(&marker())).unwrap_err();
        assert_eq!((refused.code(), class(&refused)), (Code::InvalidArgument, None), "{refused:?}");
    }
    let logged = json!({ "api": "write_logged_features", "feature_service_name": "nope" });
    let refused = client.put(&logged, Some(&rows)).unwrap_err();
    assert_eq!(class(&refused).as_deref(), Some("FeatureServiceNotFoundException"), "{refused:?}");
    let other = historical(&["driver_hourly_stats:conv_rate"], json!({ "project": "another" }));
    let refused = client.exchange(&other, Some(&rows)).unwrap_err();
    assert!(refused.message().starts_with("this server has project `feastlocal`, and not `another`"), "{refused:?}");
}

#[test]
fn what_is_no_command_is_refused_and_the_server_goes_on() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let rows = drivers(&[(1001, "2021-04-12T00:00:00Z")]);
    for wrong in [&b""[..], b"{", b"{x", b"[]", b"null", b"\xff\xfe", b"{\"api\": 7}", b"{}"] {
        for rows in [None, Some(&rows)] {
            let refused = client.exchange_bytes(wrong, rows).unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{wrong:?}: {refused:?}");
        }
    }
    let unknown = client.exchange(&json!({ "api": "nope" }), Some(&rows)).unwrap_err();
    assert_eq!((unknown.code(), unknown.message()), (Code::Unimplemented, "there is no api `nope`"));
    let put = client.exchange(&json!({ "api": "write_logged_features", "feature_service_name": "x" }), Some(&rows));
    assert_eq!(put.unwrap_err().code(), Code::Unimplemented);
    let whole = historical(&["driver_hourly_stats:conv_rate"], json!({}));
    for name in whole.as_object().unwrap().keys().filter(|name| *name != "command_id") {
        let mut less: Map<String, Json> = whole.as_object().unwrap().clone();
        less.remove(name);
        let refused = client.exchange(&Json::Object(less), Some(&rows)).unwrap_err();
        assert!(refused.message().contains(&format!("no `{name}`")), "{refused:?}");
    }
    assert_eq!(client.exchange(&whole, Some(&rows)).unwrap().num_rows(), 1);
}

#[test]
fn rows_that_are_wrong_are_said() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let command = historical(&["driver_hourly_stats:conv_rate"], json!({}));
    let rows = drivers(&[(1001, "2021-04-12T00:00:00Z")]);
    let refused = client.exchange(&command, Some(&rows.project(&[1]).unwrap())).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("driver_id"), "{refused:?}");
}

#[test]
fn more_rows_than_may_come_are_refused() {
    let project = repo();
    let server = GrpcServer::offline(&project, &["--upload-limit", "100000"]);
    let client = Client::of(&server);
    let command = historical(&["driver_hourly_stats:conv_rate"], json!({}));
    let many = drivers(&vec![(1001, "2021-04-12T00:00:00Z"); 20_000]);
    let refused = client.exchange(&command, Some(&many)).unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
    assert_eq!(client.exchange(&command, Some(&many.slice(0, 10))).unwrap().num_rows(), 10);
}
