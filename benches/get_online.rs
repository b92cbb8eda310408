//! Reading online values beside the bare commands: 100 entities × 50 features of 5 views in Redis.
//!
//! `cargo bench --bench get_online` starts a server of its own. Both sides connect anew each time, in
//! turn; what is printed are medians.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::{
    net::TcpListener,
    process::{Command, Stdio},
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use feastr::{
    clients::runtime::wait,
    config::{OnlineStoreConfig, RedisConfig, RedisConnection, RedisDeployment, RedisNode},
    feast::values::{
        entity_key::{EntityKeyEncoder, KeyPart},
        feature_hash::feature_field,
        value::{Kind, Value},
    },
    model::{DataType, FeatureView, Field, Object, RegistryState, Timestamp},
    online::{self, EncodedRow, Online, Replace, ViewLayout},
    retrieval::{Entities, FeatureReference, Purpose, Selection, resolve},
    serving::{OnlineFeatures, Status},
};
use prost::Message as _;

const PROJECT: &str = "bench";
const STORED: usize = 10_000;
const ENTITIES: usize = 100;
const VIEWS: usize = 5;
const FEATURES_OF_A_VIEW: usize = 10;
const ROUNDS: usize = 500;

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

/// The bare commands: one pipeline, whose answers are taken as they come.
fn raw(port: u16, rounds: usize) -> usize {
    let client = redis::Client::open(("127.0.0.1", port)).unwrap();
    let mut connection = client.get_connection().unwrap();
    let mut pipeline = redis::pipe();
    for entity in 0..ENTITIES {
        let mut key = key(entity + rounds);
        key.extend_from_slice(PROJECT.as_bytes());
        let command = pipeline.cmd("HMGET").arg(key);
        for index in 0..VIEWS {
            let view = format!("view_{index}");
            command.arg(format!("_ts:{view}"));
            for feature in 0..FEATURES_OF_A_VIEW {
                command.arg(&feature_field(&view, &format!("f{feature}"))[..]);
            }
        }
    }
    let answers: Vec<Vec<Option<Vec<u8>>>> = pipeline.query(&mut connection).unwrap();
    answers.iter().flatten().flatten().count()
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
    let Online::Store(store) = online::open(&OnlineStoreConfig::Redis(config), &Arc::default()) else { unreachable!() };
    let now = Timestamp::now();
    let value = Value::from(Kind::Float(0.25)).encode_to_vec();
    let keys: Vec<Vec<u8>> = (0..STORED).map(key).collect();
    let views: Vec<FeatureView> = (0..VIEWS).map(view).collect();
    for view in &views {
        let mut writer = store.writer(ViewLayout::of(PROJECT, view), Replace::Outdated).unwrap();
        let row = |key| EncodedRow { key, event: now, created: None, values: vec![&value; FEATURES_OF_A_VIEW] };
        writer.write(&keys.iter().map(|key| row(key.as_slice())).collect::<Vec<_>>()).unwrap();
        writer.finish().unwrap();
    }
    let references = views.iter().flat_map(|view| {
        view.features.iter().map(|feature| FeatureReference { view: view.name.clone(), feature: feature.name.clone() })
    });
    let selection = Selection::of_features(references.collect());
    let objects = views.iter().cloned().map(Object::FeatureView).map(|object| (object.id(), object)).collect();
    let state = RegistryState { objects, ..RegistryState::default() };
    let retrieval = Arc::new(resolve(&state, &selection, true, Purpose::Serving).unwrap());
    let features = OnlineFeatures::new(PROJECT, retrieval, store.as_ref(), &Arc::default()).unwrap();

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let began = Instant::now();
        assert_eq!(raw(port, round), ENTITIES * VIEWS * (FEATURES_OF_A_VIEW + 1));
        theirs.push(began.elapsed());
        let key = |entity: usize| vec![("driver_id".to_owned(), (entity + round).to_string())];
        let entities = Entities::of_texts(&(0..ENTITIES).map(key).collect::<Vec<_>>()).unwrap();
        let began = Instant::now();
        let deadline = Instant::now() + Duration::from_secs(60);
        let answer = wait(features.of(&entities, now, deadline)).unwrap();
        ours.push(began.elapsed());
        let values = answer.columns[1..].iter().flat_map(|column| &column.values);
        assert!(values.clone().all(|value| value.status == Status::Present) && values.count() == ENTITIES * 50);
    }
    server.kill().unwrap();
    server.wait().unwrap();
    ours.sort();
    theirs.sort();
    let (ours, theirs) = (ours[ROUNDS / 2].as_secs_f64() * 1e3, theirs[ROUNDS / 2].as_secs_f64() * 1e3);
    println!("HMGET pipeline: {theirs:.2} ms; get_online: {ours:.2} ms; ratio {:.2}", ours / theirs);
}
