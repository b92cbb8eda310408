//! What the server tells of its commands.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use serde_json::json;

use super::{
    client::{Client, drivers, historical},
    repo,
};
use crate::servers::grpc::GrpcServer;

fn metrics(server: &GrpcServer<'_>) -> String {
    let said = server.said();
    let address = said.split("Metrics on http://").nth(1).and_then(|rest| rest.split('/').next()).expect(&said);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn commands_are_counted_by_their_method() {
    let project = repo();
    let server = GrpcServer::offline(&project, &["--metrics", "--metrics-port", "0"]);
    let client = Client::of(&server);
    let rows = drivers(&[(1001, "2021-04-12T00:00:00Z"); 150]);
    client.exchange(&historical(&["driver_hourly_stats:conv_rate"], json!({})), Some(&rows)).unwrap();
    client.exchange(&historical(&["driver_hourly_stats:nope"], json!({})), Some(&rows)).unwrap_err();
    let text = metrics(&server);
    for line in [
        "feast_offline_store_request_total{method=\"get_historical_features\",status=\"success\"} 1",
        "feast_offline_store_request_total{method=\"get_historical_features\",status=\"error\"} 1",
        "feast_offline_store_row_count_sum{method=\"get_historical_features\"} 150.0",
        "feast_offline_store_row_count_bucket{le=\"100.0\",method=\"get_historical_features\"} 0",
    ] {
        assert!(text.contains(line), "{line} is not in:\n{text}");
    }
    let said = server.said();
    assert!(said.contains("DoExchange get_historical_features") && said.contains("rows=150"), "{said}");
}
