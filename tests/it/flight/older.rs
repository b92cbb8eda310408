//! Clients of earlier versions of Feast, which send rows, ask for a ticket and then for the answer.

use serde_json::json;
use tonic::Code;

use super::{
    client::{Client, drivers, historical, json_rows},
    repo,
};
use crate::servers::grpc::GrpcServer;

#[test]
fn rows_are_sent_and_then_asked_for_once() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let command = historical(&["driver_hourly_stats:conv_rate"], json!({ "command_id": "secret" }));
    assert_eq!(client.info(&command).unwrap_err().code(), Code::NotFound);
    client.put(&command, Some(&drivers(&[(1001, "2021-04-12T00:00:00Z")]))).unwrap();
    let info = client.info(&command).unwrap();
    assert_eq!([info.total_records, info.total_bytes], [-1, -1]);
    let [endpoint] = info.endpoint.as_slice() else { panic!("{info:?}") };
    let port = server.address.port();
    assert_eq!(endpoint.location[0].uri, format!("grpc+tcp://127.0.0.1:{port}"));
    let ticket = endpoint.ticket.clone().unwrap().ticket;
    assert!(!String::from_utf8_lossy(&ticket).contains("secret"), "nobody guesses a ticket");
    assert_eq!(client.flights().len(), 1);
    let answer = client.get(&ticket).unwrap();
    assert_eq!(json_rows(&answer)[0]["conv_rate"], json!(0.504_208_6));
    assert_eq!(client.get(&ticket).unwrap_err().code(), Code::NotFound);
    assert!(client.flights().is_empty());
    assert_eq!(client.info(&command).unwrap_err().code(), Code::NotFound);
}

#[test]
fn failures_come_with_the_answer_and_nothing_is_kept() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let client = Client::of(&server);
    let command = historical(&["driver_hourly_stats:nope"], json!({}));
    client.put(&command, Some(&drivers(&[(1001, "2021-04-12T00:00:00Z")]))).unwrap();
    let ticket = client.info(&command).unwrap().endpoint[0].ticket.clone().unwrap().ticket;
    assert_eq!(client.get(&ticket).unwrap_err().code(), Code::NotFound);
    assert!(client.flights().is_empty());
}

#[test]
fn what_nobody_asks_for_is_let_go() {
    let project = repo();
    let server = GrpcServer::offline(&project, &["--ticket-timeout", "0"]);
    let client = Client::of(&server);
    let command = historical(&["driver_hourly_stats:conv_rate"], json!({}));
    client.put(&command, Some(&drivers(&[(1001, "2021-04-12T00:00:00Z")]))).unwrap();
    assert_eq!(client.info(&command).unwrap_err().code(), Code::NotFound);
    assert!(client.flights().is_empty());
}
