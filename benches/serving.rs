//! Puts load on a server of features or of a registry, or on Redis beside it, and tells how fast it answers; `scripts/bench serve` and
//! `scripts/bench registry_server` run it.
//!
//! `serving http ADDRESS REQUESTS CONNECTIONS SECONDS`: bodies for `/get-online-features`, a line each.
//! `serving redis ADDRESS REQUESTS CONNECTIONS SECONDS`: a line of fields, then a line of keys for each request, as JSON lists of
//! texts in hex; a request is a pipeline with an `HMGET` of all fields for each key.
//! `serving grpc ADDRESS/SERVICE/RPC REQUESTS CONNECTIONS SECONDS`: messages of requests, a list with one in hex on a line each.
//! `PACE` is how many of them each connection sends in a second, if it is set; otherwise as many as it can.
//!
//! `AUTHORIZATION` is sent as the header of that name, if it is set.
//!
//! Each connection asks, waits for the answer, and asks again. The result is a line of JSON: answers per second, latencies in
//! microseconds, and how many seconds of CPU time this program took itself.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, reason = "a benchmark")]

use std::{
    fs,
    time::{Duration, Instant},
};

use feastr::clients::grpc::BytesCodec;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use redis::{Client, Pipeline, Value};
use serde_json::json;
use tokio::{net::TcpStream, runtime, task::JoinSet, time::sleep_until};
use tonic::{client::Grpc, codegen::http::uri::PathAndQuery, transport::Endpoint};

/// What is asked: each connection begins at another place and goes round.
type Requests<T> = &'static [T];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let [what, address, requests, connections, seconds] = args.as_slice() else {
        // `cargo test --benches` and the like.
        return;
    };
    let (connections, limit) = (connections.parse().unwrap(), Duration::from_secs_f64(seconds.parse().unwrap()));
    let lines: Vec<String> = fs::read_to_string(requests).unwrap().lines().map(str::to_owned).collect();
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let began = Instant::now();
    let took = runtime.block_on(async {
        match what.as_str() {
            "http" => over_http(address, lines.into_iter().map(Bytes::from).collect(), connections, limit).await,
            "redis" => over_redis(address, &lines, connections, limit).await,
            "grpc" => over_grpc(address, &lines, connections, limit).await,
            other => panic!("{other}"),
        }
    });
    tell(took, began.elapsed());
}

async fn over_http(address: &str, bodies: Vec<Bytes>, connections: usize, limit: Duration) -> Vec<u64> {
    let bodies: Requests<Bytes> = bodies.leak();
    let authorization = std::env::var("AUTHORIZATION").unwrap_or_default();
    let mut each = JoinSet::new();
    for first in 0..connections {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let (host, authorization) = (address.to_owned(), authorization.clone());
        each.spawn(async move {
            let mut took = Vec::new();
            let end = Instant::now() + limit;
            for body in bodies.iter().cycle().skip(first * bodies.len() / connections) {
                let began = Instant::now();
                if began >= end {
                    break;
                }
                let request = Request::post("/get-online-features").header("host", &host);
                let mut request = request.header("content-type", "application/json");
                if !authorization.is_empty() {
                    request = request.header("authorization", &authorization);
                }
                let answer = sender.send_request(request.body(Full::new(body.clone())).unwrap()).await.unwrap();
                assert!(answer.status().is_success(), "{}", answer.status());
                answer.into_body().collect().await.unwrap();
                took.push(micros(began));
            }
            took
        });
    }
    each.join_all().await.concat()
}

async fn over_redis(address: &str, lines: &[String], connections: usize, limit: Duration) -> Vec<u64> {
    let (fields, keys) = lines.split_first().unwrap();
    let fields = from_hex(fields);
    let pipeline = |keys: &String| {
        let mut pipeline = Pipeline::new();
        for key in from_hex(keys) {
            pipeline.cmd("HMGET").arg(key).arg(&fields);
        }
        pipeline
    };
    let pipelines: Requests<Pipeline> = keys.iter().map(pipeline).collect::<Vec<_>>().leak();
    let client = Client::open(format!("redis://{address}")).unwrap();
    let mut each = JoinSet::new();
    for first in 0..connections {
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        each.spawn(async move {
            let mut took = Vec::new();
            let end = Instant::now() + limit;
            for pipeline in pipelines.iter().cycle().skip(first * pipelines.len() / connections) {
                let began = Instant::now();
                if began >= end {
                    break;
                }
                let answers: Vec<Value> = pipeline.query_async(&mut connection).await.unwrap();
                assert!(matches!(answers[0], Value::Array(_)));
                took.push(micros(began));
            }
            took
        });
    }
    each.join_all().await.concat()
}

async fn over_grpc(place: &str, lines: &[String], connections: usize, limit: Duration) -> Vec<u64> {
    let (address, path) = place.split_once('/').unwrap();
    let path = PathAndQuery::try_from(format!("/{path}")).unwrap();
    let messages = lines.iter().map(|line| Bytes::from(from_hex(line).remove(0)));
    let messages: Requests<Bytes> = messages.collect::<Vec<_>>().leak();
    let pause = std::env::var("PACE").ok().map(|pace| Duration::from_secs_f64(1.0 / pace.parse::<f64>().unwrap()));
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap().tcp_nodelay(true);
    let mut each = JoinSet::new();
    for first in 0..connections {
        let mut client = Grpc::new(endpoint.connect().await.unwrap()).max_decoding_message_size(usize::MAX);
        let path = path.clone();
        each.spawn(async move {
            let mut took = Vec::new();
            let end = Instant::now() + limit;
            for message in messages.iter().cycle().skip(first * messages.len() / connections) {
                let began = Instant::now();
                if began >= end {
                    break;
                }
                client.ready().await.unwrap();
                client.unary(tonic::Request::new(message.clone()), path.clone(), BytesCodec).await.unwrap();
                took.push(micros(began));
                if let Some(pause) = pause {
                    sleep_until((began + pause).into()).await;
                }
            }
            took
        });
    }
    each.join_all().await.concat()
}

fn micros(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap()
}

fn from_hex(line: &str) -> Vec<Vec<u8>> {
    let texts: Vec<String> = serde_json::from_str(line).unwrap();
    let byte = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
    texts.iter().map(|text| text.as_bytes().chunks(2).map(byte).collect()).collect()
}

fn tell(mut took: Vec<u64>, elapsed: Duration) {
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    println!(
        "{}",
        json!({
            "answers": took.len(),
            "per_second": took.len() as f64 / elapsed.as_secs_f64(),
            "p50": at(0.5),
            "p99": at(0.99),
            "cpu_seconds": cpu_seconds(),
            "seconds": elapsed.as_secs_f64(),
        })
    );
}

/// CPU time of this process, from the system's table of processes.
fn cpu_seconds() -> f64 {
    /// What the table counts in, on all Linux machines of today.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let ticks = after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap());
    ticks.sum::<f64>() / TICKS_PER_SECOND
}
