//! A feature store that is opened once and asked again and again, as servers do.

use std::{
    collections::BTreeSet,
    fs::read_dir,
    sync::Arc,
    time::{Duration, Instant},
};

use feastr::{
    app::{
        Caller, Failure, FeatureStore, Opening,
        get_online::{Request, get_online},
    },
    config,
    diagnostics::{Diagnostics, SourceText},
    model::Timestamp,
    problem::Kind,
    retrieval::{Entities, FeatureReference, FeatureRequest, Selection},
    serving::Answer,
};
use tokio::runtime::{Builder, Runtime};

use crate::support::Project;

const SETTINGS: &str = "project: feastlocal\nregistry: {registry_type: sql, path: \"sqlite:///data/registry.db\", \
                        cache_ttl_seconds: CACHE}\nonline_store: {type: sqlite, path: data/online.db}\n";

/// A repo with values online, and the store of it, which looks at the registry after this many seconds.
fn held(cache: &str) -> (Project, Arc<FeatureStore>) {
    let project = Project::example();
    project.write("feature_store.yaml", SETTINGS.replace("CACHE", cache));
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2020-01-01", "2026-11-01"]).ok();
    let folder = project.folder.path().canonicalize().unwrap();
    let path = folder.join("feature_store.yaml");
    let file = Arc::new(SourceText::new(path.clone(), std::fs::read_to_string(&path).unwrap()));
    let config = config::load(&file, [&folder, &path], &|_| None, &mut Diagnostics::default()).unwrap();
    let opening = Opening {
        caller: caller(),
        lock_timeout: Duration::from_secs(1),
        clock: Timestamp::now,
        environment: |_| None,
        observer: Arc::new(|_| {}),
    };
    (project, Arc::new(FeatureStore::open(config, opening).held().unwrap()))
}

fn caller() -> Caller {
    Caller::Operator("tests".to_owned())
}

fn features(names: &[&str]) -> FeatureRequest {
    let references = names.iter().map(|name| name.parse::<FeatureReference>().unwrap()).collect();
    FeatureRequest { selection: Selection::of_features(references), full_feature_names: false }
}

async fn ask(store: &Arc<FeatureStore>, features: &FeatureRequest, driver: &str) -> Result<Answer, Failure> {
    let entities = Entities::of_texts(&[vec![("driver_id".to_owned(), driver.to_owned())]]).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    get_online(store, &caller(), Request { features, entities: (&entities).into(), deadline }).await
}

fn json(answer: &Answer) -> serde_json::Value {
    let mut text = Vec::new();
    answer.write_json(false, &mut text).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn threads() -> usize {
    read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn many_who_ask_at_a_time_get_what_the_command_gives_and_no_thread_each() {
    let (project, store) = held("600");
    let given = project.feastr(&[
        "get-online",
        "--json",
        "--features",
        "driver_hourly_stats:conv_rate",
        "--entity",
        "driver_id=1001",
    ]);
    let expected = given.ok().json();
    let (runtime, request) = (runtime(), Arc::new(features(&["driver_hourly_stats:conv_rate"])));
    let before = threads();
    let most = runtime.block_on(async {
        let tasks: Vec<_> = (0..500)
            .map(|_| {
                let (store, request) = (Arc::clone(&store), Arc::clone(&request));
                tokio::spawn(async move { json(&ask(&store, &request, "1001").await.unwrap()) })
            })
            .collect();
        let mut most = 0;
        for task in tasks {
            assert_eq!(task.await.unwrap(), expected);
            most = most.max(threads());
        }
        most
    });
    // Other tests run in this process, too.
    assert!(most < before + 200, "{before} threads became {most}");
}

#[test]
fn what_is_applied_elsewhere_is_seen_and_what_is_known_is_given_without_the_registry() {
    let (project, store) = held("0");
    let (runtime, request) = (runtime(), features(&["driver_hourly_stats:renamed"]));
    let known = features(&["driver_hourly_stats:conv_rate"]);
    let ask = |request: &FeatureRequest| runtime.block_on(ask(&store, request, "1001"));
    assert_eq!(ask(&request).unwrap_err().kind(), Kind::NotFound);
    let first = ask(&known).unwrap();
    let definitions = project.read("drivers.yaml");
    let field = "{name: conv_rate, ";
    assert!(definitions.contains(field));
    project.write(
        "drivers.yaml",
        definitions.replacen(field, &format!("{{name: renamed, dtype: Float32}}\n      - {field}"), 1),
    );
    project.feastr(&["apply", "--skip-source-validation", "--yes"]).ok();
    assert_eq!(&*ask(&request).unwrap().columns.last().unwrap().name, "renamed");
    for left in ["data/registry.db-wal", "data/registry.db-shm"] {
        let _ = std::fs::remove_file(project.path(left));
    }
    project.write("data/registry.db", "this is not a database");
    assert_eq!(ask(&known).unwrap().columns, first.columns);
    assert!(store.registry_status().unwrap().problem.is_some());
}

#[test]
fn mistakes_and_troubles_have_kinds() {
    let (project, store) = held("600");
    let runtime = runtime();
    let kind = |request: &FeatureRequest, driver: &str| {
        runtime.block_on(ask(&store, request, driver)).map(|answer| answer.keys).map_err(|failure| failure.kind())
    };
    let known = features(&["driver_hourly_stats:conv_rate"]);
    assert_eq!(kind(&known, "1001"), Ok(1));
    assert_eq!(kind(&known, "abc"), Err(Kind::Invalid));
    assert_eq!(kind(&features(&["nowhere:x"]), "1001"), Err(Kind::NotFound));
    assert_eq!(kind(&features(&[]), "1001"), Err(Kind::Invalid));
    std::fs::write(project.path("data/online.db"), "this is not a database").unwrap();
    let kinds = BTreeSet::from([format!("{:?}", kind(&known, "1001"))]);
    assert!(
        !kinds.contains("Ok(1)") && !kinds.contains("Err(Invalid)") && !kinds.contains("Err(NotFound)"),
        "{kinds:?}"
    );
}
