//! A store that stays open: 10 000 retrievals of one entity (5 views, 50 features) by 64 tasks, beside the bare
//! `HMGET`s through the same kind of connection.
//!
//! `cargo bench --profile dev --bench held_store` starts a Redis of its own. Both sides run in turn; printed are medians.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::{
    future::Future,
    net::TcpListener,
    process::{Command, Stdio},
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use feastr::{
    config::{OnlineStoreConfig, RedisConfig, RedisConnection, RedisDeployment, RedisNode},
    feast::values::{
        entity_key::{EntityKeyEncoder, KeyPart},
        feature_hash::feature_field,
        value::{Kind, Value},
    },
    model::{DataType, FeatureView, Field, Object, RegistryState, Timestamp},
    online::{self, EncodedRow, OnlineStore, Replace, ViewLayout},
    retrieval::{Entities, FeatureReference, Selection, resolve},
    serving::{OnlineFeatures, Status},
};
use prost::Message as _;
use redis::aio::MultiplexedConnection;

const PROJECT: &str = "bench";
const STORED: usize = 10_000;
const VIEWS: usize = 5;
const FEATURES_OF_A_VIEW: usize = 10;
const CALLS: usize = 10_000;
const TASKS: usize = 64;
const ROUNDS: usize = 7;

fn view(index: usize) -> FeatureView {
    let field = |name: String, dtype| Field::new(name, dtype);
    FeatureView {
        entities: vec!["driver".to_owned()],
        entity_columns: vec![field("driver_id".to_owned(), DataType::Int64)],
        features: (0..FEATURES_OF_A_VIEW).map(|feature| field(format!("f{feature}"), DataType::Float32)).collect(),
        ..FeatureView::new(format!("view_{index}"))
    }
}

fn key(number: usize) -> Vec<u8> {
    let mut key = Vec::new();
    let encoder = EntityKeyEncoder::new(&["driver_id"]).unwrap();
    encoder.encode(&[KeyPart::Int64(number as i64)], &mut key).unwrap();
    key
}

/// Calls per second of so many tasks that share the calls.
async fn rate<F: Future<Output = ()> + Send>(call: impl Fn(usize) -> F + Clone + Send + 'static) -> f64 {
    let began = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let call = call.clone();
            tokio::spawn(async move {
                for number in (task..CALLS).step_by(TASKS) {
                    call(number).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    CALLS as f64 / began.elapsed().as_secs_f64()
}

/// The bare command.
async fn raw(mut connection: MultiplexedConnection, fields: Arc<Vec<Vec<u8>>>, number: usize) {
    let mut key = key(number % STORED);
    key.extend_from_slice(PROJECT.as_bytes());
    let mut command = redis::cmd("HMGET");
    command.arg(key);
    fields.iter().for_each(|field| {
        command.arg(field);
    });
    let values: Vec<Option<Vec<u8>>> = command.query_async(&mut connection).await.unwrap();
    assert!(values.iter().all(Option::is_some));
}

async fn ours(features: Arc<OnlineFeatures>, now: Timestamp, number: usize) {
    let entities = Entities::of_texts(&[vec![("driver_id".to_owned(), (number % STORED).to_string())]]).unwrap();
    let answer = features.of(&entities, now, Instant::now() + Duration::from_secs(60)).await.unwrap();
    assert!(answer.columns[1..].iter().all(|column| column.values[0].status == Status::Present));
}

fn fill(store: &dyn OnlineStore, views: &[FeatureView], now: Timestamp) {
    let value = Value::from(Kind::Float(0.25)).encode_to_vec();
    let keys: Vec<Vec<u8>> = (0..STORED).map(key).collect();
    for view in views {
        let mut writer = store.writer(ViewLayout::of(PROJECT, view), Replace::Outdated).unwrap();
        let row = |key| EncodedRow { key, event: now, created: None, values: vec![&value; FEATURES_OF_A_VIEW] };
        writer.write(&keys.iter().map(|key| row(key.as_slice())).collect::<Vec<_>>()).unwrap();
        writer.finish().unwrap();
    }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string()])
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        sleep(Duration::from_millis(20));
    }
    let connection = RedisConnection::to(vec![RedisNode { host: "127.0.0.1".to_owned(), port }]);
    let config = RedisConfig::new(RedisDeployment::Standalone, connection);
    let store = online::open(&OnlineStoreConfig::Redis(config));
    let now = Timestamp::now();
    let views: Vec<FeatureView> = (0..VIEWS).map(view).collect();
    fill(store.as_ref(), &views, now);
    let references = views.iter().flat_map(|view| {
        view.features.iter().map(|feature| FeatureReference { view: view.name.clone(), feature: feature.name.clone() })
    });
    let selection = Selection::References(references.collect());
    let objects = views.iter().cloned().map(Object::FeatureView).map(|object| (object.id(), object)).collect();
    let state = RegistryState { objects, ..RegistryState::default() };
    let retrieval = Arc::new(resolve(&state, &selection, true).unwrap());
    let features = Arc::new(OnlineFeatures::new(PROJECT, retrieval, store.as_ref()).unwrap());
    let fields = views.iter().flat_map(|view| {
        let features =
            (0..FEATURES_OF_A_VIEW).map(|feature| feature_field(&view.name, &format!("f{feature}")).to_vec());
        std::iter::once(format!("_ts:{}", view.name).into_bytes()).chain(features)
    });
    let fields = Arc::new(fields.collect::<Vec<_>>());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = redis::Client::open(("127.0.0.1", port)).unwrap();
    let bare = runtime.block_on(client.get_multiplexed_async_connection()).unwrap();
    let (mut theirs, mut own) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (connection, fields) = (bare.clone(), Arc::clone(&fields));
        theirs.push(runtime.block_on(rate(move |number| raw(connection.clone(), Arc::clone(&fields), number))));
        let features = Arc::clone(&features);
        own.push(runtime.block_on(rate(move |number| ours(Arc::clone(&features), now, number))));
    }
    let clients: String = runtime.block_on(redis::cmd("CLIENT").arg("LIST").query_async(&mut bare.clone())).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    let (theirs, own) = (median(theirs), median(own));
    let ratio = own / theirs * 100.0;
    println!("HMGET: {theirs:.0}/s; retrievals of a held store: {own:.0}/s, {ratio:.0} %");
    println!("connections: {}, one of them bare", clients.lines().count());
}
