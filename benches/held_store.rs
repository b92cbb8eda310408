//! A store that is held: 10 000 calls of `app::get_online` about one entity (5 views, 50 features) by 64 tasks, beside
//! the bare `HMGET`s through the same kind of connection.
//!
//! `cargo bench --profile dev --bench held_store` starts a Redis of its own. Both sides run in turn; printed are medians.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::{
    future::Future,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use feastr::{
    app::{
        self, Caller, FeatureStore, Opening,
        get_online::{Request, get_online},
    },
    apply::Approval,
    config,
    diagnostics::{Diagnostics, SourceText},
    feast::values::{
        entity_key::{EntityKeyEncoder, KeyPart},
        feature_hash::feature_field,
        value::{Kind, Value},
    },
    model::{Object, Timestamp},
    online::{EncodedRow, Replace, ViewLayout},
    retrieval::{Entities, FeatureReference, FeatureRequest, Selection},
    serving::Status,
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

/// A feature repo over a Redis, applied; what is registered is kept.
fn held(folder: &Path, port: u16) -> FeatureStore {
    let settings = format!(
        "project: {PROJECT}\nregistry: registry.db\nonline_store: {{type: redis, connection_string: 127.0.0.1:{port}}}\n"
    );
    let mut definitions = "entities: [{name: driver, join_keys: [driver_id], value_type: INT64}]\ndata_sources: \
                           [{name: trips, type: file, path: trips.parquet, timestamp_field: t}]\nfeature_views:\n"
        .to_owned();
    for view in 0..VIEWS {
        let features: Vec<String> =
            (0..FEATURES_OF_A_VIEW).map(|feature| format!("{{name: f{feature}, dtype: Float32}}")).collect();
        let schema = features.join(", ");
        definitions += &format!("  - {{name: view_{view}, entities: [driver], source: trips, schema: [{schema}]}}\n");
    }
    std::fs::write(folder.join("definitions.yaml"), definitions).unwrap();
    let mut diagnostics = Diagnostics::default();
    let path = folder.join(config::FILE_NAME);
    std::fs::write(&path, &settings).unwrap();
    let file = Arc::new(SourceText::settings(&path, settings));
    let config = config::load(&file, [folder, &path], &|_| None, &mut diagnostics).unwrap();
    let opening = Opening {
        caller: caller(),
        lock_timeout: Duration::from_secs(1),
        clock: Timestamp::now,
        observer: Arc::new(|_| {}),
    };
    let store = FeatureStore::open(config, opening);
    let request =
        app::definitions::Request { validate_sources: false, skip_view_names: false, display_path: &Path::to_owned };
    let repo = app::definitions::load(&store, &caller(), request).unwrap().repo;
    let request = app::apply::Request { repo: &repo, approval: Approval::Everything };
    app::apply::apply(&store, &caller(), request).unwrap();
    store.held().unwrap()
}

fn caller() -> Caller {
    Caller::Operator("a benchmark".to_owned())
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

async fn ours(store: Arc<FeatureStore>, features: Arc<FeatureRequest>, number: usize) {
    let entities = Entities::of_texts(&[vec![("driver_id".to_owned(), (number % STORED).to_string())]]).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let request = Request { features: &features, entities: &entities, deadline };
    let answer = get_online(&store, &caller(), request).await.unwrap();
    assert!(answer.columns[1..].iter().all(|column| column.values[0].status == Status::Present));
}

/// Writes all features of all views, and gives their names.
fn fill(store: &FeatureStore) -> Vec<FeatureReference> {
    let (value, now) = (Value::from(Kind::Float(0.25)).encode_to_vec(), Timestamp::now());
    let keys: Vec<Vec<u8>> = (0..STORED).map(key).collect();
    let state = store.registered().unwrap();
    let mut features = Vec::new();
    for view in state.objects.values().filter_map(Object::view) {
        let layout = ViewLayout::of(PROJECT, view);
        let reference = |feature: &String| FeatureReference { view: view.name.to_owned(), feature: feature.clone() };
        features.extend(layout.features.iter().map(reference));
        let mut writer = store.required_online().unwrap().writer(layout, Replace::Outdated).unwrap();
        let row = |key| EncodedRow { key, event: now, created: None, values: vec![&value; FEATURES_OF_A_VIEW] };
        writer.write(&keys.iter().map(|key| row(key.as_slice())).collect::<Vec<_>>()).unwrap();
        writer.finish().unwrap();
    }
    features
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
    let store = Arc::new(held(folder.path(), port));
    let references = fill(&store);
    let fields = references.chunks(FEATURES_OF_A_VIEW).flat_map(|features| {
        let time = format!("_ts:{}", features[0].view).into_bytes();
        let features = features.iter().map(|feature| feature_field(&feature.view, &feature.feature).to_vec());
        std::iter::once(time).chain(features)
    });
    let fields = Arc::new(fields.collect::<Vec<_>>());
    let request = FeatureRequest { selection: Selection::References(references), full_feature_names: true };
    let request = Arc::new(request);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = redis::Client::open(("127.0.0.1", port)).unwrap();
    let bare = runtime.block_on(client.get_multiplexed_async_connection()).unwrap();
    let (mut theirs, mut own) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (connection, fields) = (bare.clone(), Arc::clone(&fields));
        theirs.push(runtime.block_on(rate(move |number| raw(connection.clone(), Arc::clone(&fields), number))));
        let (store, request) = (Arc::clone(&store), Arc::clone(&request));
        own.push(runtime.block_on(rate(move |number| ours(Arc::clone(&store), Arc::clone(&request), number))));
    }
    let clients: String = runtime.block_on(redis::cmd("CLIENT").arg("LIST").query_async(&mut bare.clone())).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    let (theirs, own) = (median(theirs), median(own));
    let ratio = own / theirs * 100.0;
    println!("HMGET: {theirs:.0}/s; app::get_online of a held store: {own:.0}/s, {ratio:.0} %");
    println!("connections: {}, one of them bare", clients.lines().count());
}
