//! Runs whose newest rows a cluster writes to files, and several programs from there to the online store.

use std::{collections::BTreeSet, fs, path::Path, process::Stdio, thread, time::Duration};

use feastr::registry::{read_objects, sharded_runs};
use serde_json::Value;

use super::same::{OWN, by, repo, settings_of};
use crate::{
    servers::redis::{RedisCluster, RedisServer},
    support::{Output, Project, sqlite_registry},
};

const RANGE: [&str; 3] = ["materialize", "2024-03-01", "2024-03-02T06:00:00Z"];

/// The same whose values of Sail's run are in Redis, with these settings.
fn house_on_redis(store: &str) -> Project {
    let project = house();
    let settings = project.read(&settings_of("sail"));
    let path = settings.lines().find(|line| line.contains("data/sail.db")).unwrap();
    let own = format!("online_store:\n  type: sqlite\n{path}\n");
    assert!(settings.contains(&own), "{settings}");
    project.write(&settings_of("sail"), settings.replace(&own, store));
    by(&project, "sail", &["apply", "--yes"]).ok();
    project
}

/// A repo that is applied, whose servers put files into a folder that both see; each has a registry of its own.
fn house() -> Project {
    let project = repo();
    fs::create_dir(project.path("staging")).unwrap();
    let staging = format!("  type: spark\n  staging_location: '{}'\n", project.path("staging").display());
    for server in ["spark", "sail"] {
        project.edit(&settings_of(server), "  type: spark\n", &staging);
    }
    for settings in [OWN, "spark", "sail"] {
        project.edit(&settings_of(settings), "registry.db", &format!("registry-of-{settings}.db"));
        by(&project, settings, &["apply", "--yes"]).ok();
    }
    project
}

/// Begins a run in three shards, and gives its name.
fn open(project: &Project, server: &str) -> String {
    let report =
        by(project, server, &[&RANGE[..], &["--views", "trips", "--shards", "3", "--json"]].concat()).ok().json();
    let view = &report["views"][0];
    assert_eq!(
        (&view["outcome"], &view["shards"], &view["written"]),
        (&"open".into(), &3.into(), &0.into()),
        "{report}"
    );
    view["run"].as_str().unwrap().to_owned()
}

fn write(project: &Project, server: &str, run: &str, shard: &str) -> Output {
    by(project, server, &["materialize", "write", run, "--shard", shard, "--json"])
}

fn values(project: &Project, settings: &str) -> String {
    let entities: Vec<String> = (0..8).map(|driver| format!("driver_id={driver}")).collect();
    let asked: Vec<&str> = entities.iter().flat_map(|entity| ["--entity", entity]).collect();
    let features = "trips:trips,trips:score,trips:word,trips:flag,trips:places";
    by(project, settings, &[&["get-online", "--features", features, "--json"][..], &asked].concat()).ok().stdout
}

/// What the history says of a run.
fn history(project: &Project, server: &str, run: &str) -> Value {
    let runs = by(project, server, &["materialize", "history", "trips", "--json"]).ok().json();
    runs.as_array().unwrap().iter().find(|noted| noted["run"] == run).unwrap().clone()
}

/// The recorded intervals of the view, and the runs that are open.
fn noted(project: &Project, server: &str) -> (usize, usize) {
    let registry = sqlite_registry(&project.path(&format!("data/registry-of-{server}.db")));
    let snapshot = feastr::registry::Objects::snapshot(registry.as_ref(), "same").unwrap();
    let materialized = read_objects(&snapshot).materialized;
    (materialized.get("trips").map_or(0, |view| view.intervals.len()), sharded_runs(&snapshot.metadata).len())
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn shards_in_any_order_come_to_the_same_values() {
    let project = house();
    by(&project, OWN, &RANGE).ok();
    let (staging, ours) = (project.path("staging"), values(&project, OWN));
    for server in ["sail", "spark"] {
        let run = open(&project, server);
        let folder = staging.join(format!("feastr-{run}"));
        let files: Vec<String> = names(&folder).into_iter().filter(|name| name.ends_with(".parquet")).collect();
        let manifest: Value = serde_json::from_slice(&fs::read(folder.join("_feastr.json")).unwrap()).unwrap();
        assert_eq!(manifest["files"].as_array().unwrap().len(), files.len(), "{manifest}");
        assert!(server == "sail" || files.len() == 3, "{files:?}");
        assert_eq!(noted(&project, server), (0, 1));

        // The run is in the way of others, whatever they are.
        for other in
            [&RANGE[..], &["materialize-incremental", "2024-03-03"], &[&RANGE[..], &["--shards", "2"]].concat()]
        {
            let told = by(&project, server, &[other, &["--views", "trips"]].concat()).failed();
            assert!(told.stderr.contains(&format!("run {run} of it is open since")), "{}", told.stderr);
            assert!(told.stderr.contains(&format!("materialize give-up {run}")), "{}", told.stderr);
        }
        by(&project, server, &[&RANGE[..], &["--views", "all_trips"]].concat()).ok();

        let second = write(&project, server, &run, "2/3").ok().json();
        assert_eq!((&second["shard"], &second["complete"]), (&2.into(), &false.into()), "{second}");
        write(&project, server, &run, "0").ok();
        let again = write(&project, server, &run, "2/3").ok().json();
        assert_eq!(again["shards"], serde_json::json!({ "done": 2, "of": 3 }));
        let told = history(&project, server, &run);
        assert!(told["state"] == "open" && told["shards"]["done"] == 2, "{told}");
        let table = by(&project, server, &["materialize", "history", "trips"]).ok().stdout;
        assert!(table.contains(&format!("open: 2 of 3 shards of {run}")), "{table}");
        assert_eq!(noted(&project, server), (0, 1));
        let last = write(&project, server, &run, "1/3").ok().json();
        assert_eq!((&last["complete"], noted(&project, server)), (&true.into(), (1, 0)), "{last}");
        assert_eq!((values(&project, server), names(&staging).len()), (ours.clone(), 0));

        let told = history(&project, server, &run);
        let rows: u64 = [&again, &last].iter().map(|shard| shard["written"].as_u64().unwrap()).sum();
        assert!(told["state"] == "done" && told["written"].as_u64().unwrap() >= rows && rows > 0, "{told}");
        // A worker that was stopped at its end is begun again.
        assert_eq!(write(&project, server, &run, "1/3").ok().json()["complete"], true);
        assert_eq!(noted(&project, server), (1, 0));
    }
}

#[test]
fn what_is_no_shard_is_said() {
    let project = house();
    let run = open(&project, "sail");
    for (shard, said) in
        [("3", "has 3 shards, from 0 to 2"), ("1/4", "has 3 shards"), ("2/2", "counted from 0"), ("x", "is no number")]
    {
        let told = by(&project, "sail", &["materialize", "write", &run, "--shard", shard]);
        assert!(told.code != 0 && told.stderr.contains(said), "{shard}: {}", told.stderr);
    }
    let told = by(&project, "sail", &["materialize", "write", "nothing", "--shard", "0"]).failed();
    assert!(told.stderr.contains("no run `nothing` is open") && told.stderr.contains("--shards N"), "{}", told.stderr);
    for (args, said) in [
        (&["--shards", "2"][..], "the run of one view is divided into shards"),
        (&["--shards", "2", "--views", "latest,trips"], "the run of one view"),
        (&["--shards", "0", "--views", "trips"], "1..=256"),
        (&["--shards", "2", "--views", "trips", "--chunk", "1d"], "cannot be used with"),
        (&["--shards", "2", "--views", "trips", "--entities-from", "trips"], "cannot be used with"),
    ] {
        let told = by(&project, "sail", &[&RANGE[..], args].concat());
        assert!(told.code != 0 && told.stderr.contains(said), "{args:?}: {}", told.stderr);
    }
    let told = by(&project, "sail", &[&RANGE[..], &["--shards", "2", "--views", "trips", "--dry-run"]].concat()).ok();
    assert!(told.stderr.contains("2 workers write those") && told.stderr.contains("below"), "{}", told.stderr);
    let told = by(&project, OWN, &[&RANGE[..], &["--shards", "2", "--views", "trips"]].concat()).failed();
    assert!(told.stderr.contains("only an engine divides") && told.stderr.contains("batch_engine"), "{}", told.stderr);
    project.edit(&settings_of("sail"), "staging_location", "region: x\n  # staging_location");
    by(&project, "sail", &["materialize", "give-up", &run]).ok();
    let told = by(&project, "sail", &[&RANGE[..], &["--shards", "2", "--views", "trips"]].concat()).failed();
    assert!(told.stderr.contains("where the cluster may put files"), "{}", told.stderr);
}

#[test]
fn a_run_that_is_given_up_records_nothing() {
    let project = house();
    let run = open(&project, "sail");
    write(&project, "sail", &run, "0/3").ok();
    let told = by(&project, "sail", &["materialize", "give-up", &run]).ok();
    assert!(told.stderr.contains("1 of 3 shards were done"), "{}", told.stderr);
    assert_eq!((noted(&project, "sail"), names(&project.path("staging")).len()), ((0, 0), 0));
    let told = history(&project, "sail", &run);
    assert!(told["state"] == "failed" && told["message"] == "it was given up", "{told}");
    let told = write(&project, "sail", &run, "1/3").failed();
    assert!(told.stderr.contains("has ended: it was given up"), "{}", told.stderr);
    by(&project, "sail", &["materialize", "give-up", &run]).failed();
    by(&project, "sail", &RANGE).ok();
}

#[test]
fn a_view_that_changes_meanwhile_is_not_recorded() {
    let project = house();
    let run = open(&project, "sail");
    write(&project, "sail", &run, "0/3").ok();
    // What does not matter to values may change.
    project.edit(
        "features.yaml",
        "name: trips, entities: [driver], ttl: 6h",
        "name: trips, entities: [driver], ttl: 7h",
    );
    by(&project, "sail", &["apply", "--yes"]).ok();
    write(&project, "sail", &run, "1/3").ok();
    project.edit(
        "features.yaml",
        "ttl: 7h, source: trips",
        "ttl: 7h, source: trips, schema: [{name: trips, dtype: Int64}]",
    );
    by(&project, "sail", &["apply", "--yes", "--allow", "*/*"]).ok();
    let told = write(&project, "sail", &run, "2/3").failed();
    assert!(told.stderr.contains("its definition changed"), "{}", told.stderr);
    assert_eq!(noted(&project, "sail"), (0, 1));
    // The note goes with the view.
    by(&project, "sail", &["teardown", "--yes"]).ok();
    assert_eq!(noted(&project, "sail"), (0, 0));
}

/// Without a journal a server that was started again has forgotten everything.
#[test]
fn shards_that_redis_forgot_are_written_again() {
    let mut redis = RedisServer::start("");
    let project = house_on_redis(&redis.settings(0));
    by(&project, OWN, &RANGE).ok();
    let run = open(&project, "sail");
    write(&project, "sail", &run, "0/3").ok();
    write(&project, "sail", &run, "1/3").ok();
    redis.kill();
    redis.restart();
    let told = write(&project, "sail", &run, "2/3").failed();
    assert!(told.stderr.contains("values of shards may be lost: 0, 1"), "{}", told.stderr);
    assert_eq!((&told.json()["complete"], noted(&project, "sail")), (&false.into(), (0, 1)));
    write(&project, "sail", &run, "0/3").ok();
    let last = write(&project, "sail", &run, "1/3").ok().json();
    assert_eq!((&last["complete"], noted(&project, "sail")), (&true.into(), (1, 0)));
    assert_eq!(values(&project, "sail"), values(&project, OWN));
}

#[test]
fn workers_fill_a_cluster_side_by_side() {
    let project = house_on_redis(&RedisCluster::shared().settings());
    by(&project, OWN, &RANGE).ok();
    let run = open(&project, "sail");
    let settings = settings_of("sail");
    let worker = |shard: &str| {
        let args = ["--feature-store-yaml", &settings, "materialize", "write", &run, "--shard", shard];
        project.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let workers: Vec<_> = ["0", "1", "2"].into_iter().map(worker).collect();
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    assert_eq!((noted(&project, "sail"), values(&project, "sail")), ((1, 0), values(&project, OWN)));
}

#[test]
fn workers_side_by_side_record_once() {
    let project = house();
    by(&project, OWN, &RANGE).ok();
    let run = open(&project, "spark");
    let worker = |shard: &str| {
        let args = ["--feature-store-yaml", &settings_of("spark"), "materialize", "write", &run, "--shard", shard];
        let mut command = project.command(&args);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    // The first one of each is killed somewhere on its way.
    for pause in [0, 8, 16] {
        let mut workers: Vec<_> = ["0", "1", "2"].into_iter().map(worker).collect();
        thread::sleep(Duration::from_millis(pause));
        for worker in &mut workers {
            worker.kill().unwrap();
            worker.wait().unwrap();
        }
    }
    let workers: Vec<_> = ["0", "1", "2", "1"].into_iter().map(worker).collect();
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    assert_eq!(noted(&project, "spark"), (1, 0));
    assert_eq!(values(&project, "spark"), values(&project, OWN));
    assert_eq!(names(&project.path("staging")).len(), 0);
}
