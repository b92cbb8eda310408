//! A store that is held: 10 000 calls of `app::get_online` about one entity (5 views, 50 features) by 64 tasks, beside
//! the bare commands over as many connections, for each kind of online store.
//!
//! `cargo bench --bench held_store [redis] [postgres] [sqlite]` starts servers of its own. Both sides run
//! in turn; printed are medians.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a benchmark"
)]

mod bare;
#[path = "../../tests/it/servers/mod.rs"]
#[allow(dead_code, reason = "the tests need more of them")]
mod servers;
#[path = "../../tests/it/support.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod support;

use std::{
    future::Future,
    path::Path,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use feastr::{
    app::{
        self, Caller, FeatureStore, Opening,
        get_online::{Request, get_online},
    },
    apply::Approval,
    clients::runtime::runtime,
    config,
    diagnostics::{Diagnostics, SourceText},
    feast::values::{
        entity_key::{EntityKeyEncoder, KeyPart},
        value::{Kind, Value},
    },
    model::{Object, Timestamp},
    online::{EncodedRow, Replace, ViewLayout},
    retrieval::{Entities, FeatureReference, FeatureRequest, Selection},
    serving::Status,
};
use prost::Message as _;
use servers::{PASSWORD, Server, USER, redis::RedisServer};
use tokio::runtime::Runtime;

const PROJECT: &str = "bench";
const STORED: usize = 10_000;
const VIEWS: usize = 5;
const FEATURES_OF_A_VIEW: usize = 10;
const CALLS: usize = 10_000;
const TASKS: usize = 64;
const ROUNDS: usize = 7;

/// A call about the entity of a number.
type Call = Arc<dyn Fn(usize) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A feature repo over an online store, applied; what is registered is kept.
fn held(folder: &Path, online_store: &str) -> FeatureStore {
    let settings = format!("project: {PROJECT}\nregistry: registry.db\n{online_store}");
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
        environment: |_| None,
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

/// Calls per second of this many tasks that share the calls.
async fn rate(call: &Call) -> f64 {
    let began = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let call = Arc::clone(call);
            tokio::spawn(async move {
                for number in (task..CALLS).step_by(TASKS) {
                    call(number % STORED).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    CALLS as f64 / began.elapsed().as_secs_f64()
}

async fn ours(store: Arc<FeatureStore>, features: Arc<FeatureRequest>, number: usize) {
    let entities = Entities::of_texts(&[vec![("driver_id".to_owned(), number.to_string())]]).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let request = Request { features: &features, entities: (&entities).into(), deadline };
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

/// Measures both sides in turn, and says how many connections there are after feastr's calls.
fn compare(
    name: &str,
    runtime: &Runtime,
    folder: &Path,
    online_store: &str,
    bare: impl FnOnce(&[FeatureReference]) -> Call,
    connections: impl FnOnce() -> usize,
) {
    let store = Arc::new(held(folder, online_store));
    let references = fill(&store);
    let bare = bare(&references);
    let request = FeatureRequest { selection: Selection::of_features(references), full_feature_names: true };
    let request = Arc::new(request);
    let own: Call = Arc::new(move |number| Box::pin(ours(Arc::clone(&store), Arc::clone(&request), number)));
    let rounds = (0..ROUNDS).map(|_| (runtime.block_on(rate(&bare)), runtime.block_on(rate(&own))));
    let (theirs, ours): (Vec<f64>, Vec<f64>) = rounds.unzip();
    let (theirs, ours) = (median(theirs), median(ours));
    println!(
        "{name}: bare {theirs:.0}/s, app::get_online {ours:.0}/s, {:.0} %; connections in all: {}",
        ours / theirs * 100.0,
        connections()
    );
}

fn main() {
    // A face lives on the runtime of the process, too.
    let runtime = runtime().unwrap();
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    if is_wanted("redis") {
        redis(runtime);
    }
    if is_wanted("postgres") {
        postgres(runtime);
    }
    if is_wanted("sqlite") {
        sqlite(runtime);
    }
}

fn redis(runtime: &'static Runtime) {
    let server = RedisServer::start("");
    let folder = tempfile::tempdir().unwrap();
    let bare = |features: &[FeatureReference]| bare::redis(runtime, &server, features);
    compare("Redis", runtime, folder.path(), &server.settings(0), bare, || {
        let clients: String = ::redis::cmd("CLIENT").arg("LIST").query(&mut server.connect()).unwrap();
        clients.lines().count() - 1
    });
}

fn postgres(runtime: &'static Runtime) {
    let server = Server::start(servers::Kind::Postgres);
    let folder = tempfile::tempdir().unwrap();
    let settings = format!(
        "online_store:\n  type: postgres\n  host: 127.0.0.1\n  port: {}\n  database: postgres\n  user: {USER}\n  \
         password: {PASSWORD}\n  sslmode: disable\n",
        server.port
    );
    let bare = |features: &[FeatureReference]| bare::postgres(runtime, &server, features);
    compare("PostgreSQL", runtime, folder.path(), &settings, bare, || {
        let others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' \
                      AND pid <> pg_backend_pid()";
        let count: i64 = server.postgres("postgres").query_one(others, &[]).unwrap().get(0);
        usize::try_from(count).unwrap()
    });
}

fn sqlite(runtime: &'static Runtime) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("online.db");
    let bare = |features: &[FeatureReference]| bare::sqlite(&file, features);
    compare("SQLite", runtime, folder.path(), "online_store: {type: sqlite, path: online.db}\n", bare, || {
        let files = std::fs::read_dir("/proc/self/fd").unwrap();
        files.filter_map(|open| open.unwrap().path().read_link().ok()).filter(|path| *path == file).count()
    });
}
