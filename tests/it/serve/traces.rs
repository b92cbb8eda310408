//! Traces and metrics that are sent to a collector of OpenTelemetry.

use std::net::{SocketAddr, TcpListener};

use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::{Metric, metric::Data},
    trace::v1::Span,
};
use serde_json::json;

use super::{answers::example, server::FeatureServer};
use crate::servers::{collector::Collector, free_port};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn body() -> String {
    json!({ "features": ["driver_hourly_stats:conv_rate"], "entities": { "driver_id": [1001] } }).to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(attributes: &[KeyValue], name: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == name).and_then(|found| found.value.clone()?.value);
    match found {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{name}: {other:?}"),
    }
}

fn spans(messages: &[ExportTraceServiceRequest]) -> Vec<Span> {
    let scopes = messages.iter().flat_map(|message| &message.resource_spans).flat_map(|spans| &spans.scope_spans);
    scopes.flat_map(|scope| scope.spans.clone()).collect()
}

fn metrics(messages: &[ExportMetricsServiceRequest]) -> Vec<Metric> {
    let Some(last) = messages.last() else { return Vec::new() };
    let scopes = last.resource_metrics.iter().flat_map(|metrics| &metrics.scope_metrics);
    scopes.flat_map(|scope| scope.metrics.clone()).collect()
}

#[test]
fn a_collector_gets_traces_and_metrics() {
    let (project, collector) = (example(), Collector::start());
    let endpoint = collector.endpoint();
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20token"),
        ("OTEL_SERVICE_NAME", "features-of-shop"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test"),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "50"),
    ];
    let server = FeatureServer::start_in(&project, &[], &environment);
    let headers = format!("x-request-id: mine\r\ntraceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n");
    server.connect().try_ask_with(&headers, "POST", "/get-online-features", &body()).unwrap().ok();
    server.ask("GET", "/nowhere", "");
    let messages = collector.messages("/v1/traces", |messages| spans(messages).len() >= 2);
    let [asked, lost] = spans(&messages).try_into().unwrap();
    assert_eq!((hex(&asked.trace_id).as_str(), hex(&asked.parent_span_id).as_str()), (TRACE, "00f067aa0ba902b7"));
    assert_eq!((asked.name.as_str(), asked.kind), ("POST /get-online-features", 2), "a server's");
    let of = |name: &str| text(&asked.attributes, name);
    assert_eq!(
        [of("http.route"), of("http.response.status_code"), of("request_id")],
        ["/get-online-features", "200", "mine"]
    );
    assert!(asked.end_time_unix_nano >= asked.start_time_unix_nano);
    // A trace of its own, whose name has nothing that clients make up.
    assert!(lost.parent_span_id.is_empty() && lost.trace_id != asked.trace_id && lost.name == "GET", "{lost:?}");
    let resource = messages[0].resource_spans[0].resource.clone().unwrap().attributes;
    assert_eq!(text(&resource, "service.name"), "features-of-shop");
    assert_eq!(text(&resource, "deployment.environment"), "test");
    assert!(collector.headers().contains(&("authorization".to_owned(), "Bearer token".to_owned())));
    let total = |metric: &Metric| metric.name == "feast_feature_server_request_total";
    let sent = collector.messages("/v1/metrics", |messages| metrics(messages).iter().any(total));
    let Some(Data::Sum(sum)) = metrics(&sent).into_iter().find(total).unwrap().data else { panic!("{sent:?}") };
    let point = sum.data_points.iter().find(|point| text(&point.attributes, "endpoint") == "/get-online-features");
    assert_eq!(text(&point.unwrap().attributes, "status"), "success");
    let resource = sent[0].resource_metrics[0].resource.clone().unwrap().attributes;
    assert_eq!(text(&resource, "service.name"), "features-of-shop");
}

#[test]
fn traces_that_are_not_sampled_are_not_sent_and_the_last_ones_are() {
    let (project, collector) = (example(), Collector::start());
    let endpoint = collector.endpoint();
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_off"),
        // Nothing is sent before the end.
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
    ];
    let mut server = FeatureServer::start_in(&project, &[], &environment);
    server.ask("POST", "/get-online-features", &body()).ok();
    let headers = format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n");
    server.connect().try_ask_with(&headers, "POST", "/get-online-features", &body()).unwrap().ok();
    server.signal("-TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.said());
    let sent = spans(&collector.messages("/v1/traces", |messages| !messages.is_empty()));
    assert!(sent.len() == 1 && hex(&sent[0].trace_id) == TRACE, "{sent:?}");
    let sent = collector.messages("/v1/metrics", |messages: &[ExportMetricsServiceRequest]| !messages.is_empty());
    assert!(metrics(&sent).iter().any(|metric| metric.name == "feast_online_features_request_total"), "{sent:?}");
}

#[test]
fn a_collector_that_is_away_is_told_once_and_holds_nobody() {
    let project = example();
    // Somebody listens there and never answers, and nobody listens there.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let [traces, metrics] = [silent.local_addr().unwrap(), gone].map(|address| format!("http://{address}/x"));
    let environment = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", traces.as_str()),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", metrics.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=s3cret"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "100"),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "8"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "10"),
    ];
    let mut server = FeatureServer::start_in(&project, &["--shutdown-timeout", "5s"], &environment);
    let mut connection = server.connect();
    let told = |what: &str| server.said().matches(&format!("{what} are lost")).count();
    let mut asked = 0;
    while asked < 300 || told("traces") == 0 || told("metrics") == 0 {
        connection.ask("POST", "/get-online-features", &body()).ok();
        asked += 1;
    }
    drop(connection);
    assert_eq!([told("traces"), told("metrics")], [1, 1], "{}", server.said());
    assert!(!server.said().contains("s3cret"));
    server.signal("-TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.said());
}

#[test]
fn a_protocol_that_is_not_spoken_is_no_start() {
    let project = example();
    let mut command = project.command(&["serve", "--port", "0"]);
    command.envs([("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
    let failed = crate::support::run(&mut command).failed();
    assert!(
        failed.stderr.contains("`grpc`, which is not supported") && failed.stderr.contains("4318"),
        "{}",
        failed.stderr
    );
}
