//! Stores that stop, fall silent and come back while clients ask: what these are told, and that nothing is left behind.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::{
    load::{Load, SOON, open_files, soon},
    server::FeatureServer,
};
use crate::{
    servers::{Kind, PASSWORD, Paused, Server, USER, redis::RedisServer},
    support::{Project, settings},
};

const SQLITE_ONLINE: &str = "online_store:\n  type: sqlite\n  path: data/online_store.db\n";
const SQLITE_REGISTRY: &str = "path: sqlite:///data/registry.db";

const CLIENTS: usize = 8;

fn body() -> Json {
    json!({ "features": ["driver_hourly_stats:conv_rate", "driver_hourly_stats:avg_daily_trips"],
            "entities": { "driver_id": [1001, 1002, 1003] } })
}

/// The example with other settings, applied, with its values online.
pub fn example_with(settings: &str) -> Project {
    let project = Project::example();
    project.write("feature_store.yaml", settings);
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2000-01-01", "now"]).ok();
    project
}

/// The example with an online store.
pub fn example_over(online_store: &str) -> Project {
    example_with(&settings("load").replace(SQLITE_ONLINE, online_store))
}

/// An online store on a server of its own, which keeps what was written.
enum Store {
    Redis(RedisServer),
    Postgres(Server, String),
}

impl Store {
    fn redis() -> Self {
        Self::Redis(RedisServer::start("appendonly yes\nappendfsync always"))
    }

    fn postgres() -> Self {
        let server = Server::start(Kind::Postgres);
        let database = server.create_database();
        Self::Postgres(server, database)
    }

    fn settings(&self) -> String {
        match self {
            Self::Redis(server) => server.settings(0),
            Self::Postgres(server, database) => postgres_settings(server, database),
        }
    }

    fn pause(&self) -> Paused {
        match self {
            Self::Redis(server) => server.pause(),
            Self::Postgres(server, _) => server.pause(),
        }
    }

    fn kill(&mut self) {
        match self {
            Self::Redis(server) => server.kill(),
            Self::Postgres(server, _) => server.kill(),
        }
    }

    fn restart(&mut self) {
        match self {
            Self::Redis(server) => server.restart(),
            Self::Postgres(server, _) => server.restart(),
        }
    }

    /// How many connections others have.
    fn connections(&self) -> usize {
        match self {
            Self::Redis(server) => {
                let list: String = redis::cmd("CLIENT").arg("LIST").query(&mut server.connect()).unwrap();
                list.lines().count() - 1
            }
            Self::Postgres(server, database) => connections(server, database),
        }
    }
}

/// An online store in a database, as one writes it.
pub fn postgres_settings(server: &Server, database: &str) -> String {
    format!(
        "online_store: {{type: postgres, host: 127.0.0.1, port: {}, database: {database}, user: {USER}, password: {PASSWORD}}}\n",
        server.port
    )
}

fn connections(server: &Server, database: &str) -> usize {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()";
    let count: i64 = server.postgres("postgres").query_one(count, &[&database]).unwrap().get(0);
    usize::try_from(count).unwrap()
}

/// Asks until each client had an answer, so that there are as many connections as there will be.
fn warm_up(server: &FeatureServer<'_>) {
    let load = Load::start(server, CLIENTS, &body());
    (0..5).for_each(|_| load.until_status(200));
    load.end();
}

fn store_goes_and_comes_back(mut store: Store) {
    // Connecting has to fit into it, eight times at once, and a login costs PostgreSQL's clients much computing.
    const DEADLINE: Duration = Duration::from_secs(3);
    let project = example_over(&store.settings());
    let server = FeatureServer::start(&project, &["--deadline", "3s"]);
    let right = server.features(&body()).ok();
    warm_up(&server);
    let (files, connections) = (open_files(&server), store.connections());
    let load = Load::start(&server, CLIENTS, &body());
    load.until_status(200);
    let paused = store.pause();
    load.until_status(504);
    server.ask("GET", "/health", "").ok();
    drop(paused);
    load.until_status(200);
    store.kill();
    load.until_status(503);
    store.restart();
    load.until_status(200);
    // From now on everybody is answered again.
    let back = Instant::now();
    (0..5).for_each(|_| load.until_status(200));
    let seen = load.end().concat();
    assert!(seen.iter().filter(|seen| seen.asked > back).all(|seen| seen.answer.status == 200));
    seen.iter().for_each(|seen| seen.is_right_or_away(&right, DEADLINE));
    soon("connections are closed", || open_files(&server) <= files && store.connections() <= connections);
}

#[test]
fn redis_goes_and_comes_back() {
    store_goes_and_comes_back(Store::redis());
}

#[test]
fn postgres_goes_and_comes_back() {
    store_goes_and_comes_back(Store::postgres());
}

/// The example with its registry in a database.
fn registered_in(server: &Server, database: &str) -> Project {
    let registry = format!("path: {}", server.url(database));
    example_with(&settings("away").replace(SQLITE_REGISTRY, &registry))
}

fn registry_problem(server: &FeatureServer<'_>) -> Json {
    server.ask("GET", "/ready", "").json()["registry"]["problem"].clone()
}

#[test]
fn features_are_served_while_the_registry_is_away() {
    let mut registry = Server::start(Kind::Postgres);
    let database = registry.create_database();
    let project = registered_in(&registry, &database);
    let server = FeatureServer::start(&project, &[]);
    let right = server.features(&body()).ok();
    warm_up(&server);
    soon("a look at the registry", || connections(&registry, &database) > 0);
    let connected = connections(&registry, &database);
    let load = Load::start(&server, CLIENTS, &body());
    load.until_status(200);
    // Silent, and then away.
    let paused = registry.pause();
    soon("its silence is told", || registry_problem(&server).is_string());
    server.ask("GET", "/ready", "").ok();
    drop(paused);
    soon("it answers", || registry_problem(&server).is_null());
    registry.kill();
    soon("it is told", || registry_problem(&server).is_string());
    server.ask("GET", "/ready", "").ok();
    // What nobody has asked for yet can be asked for, too.
    let other = json!({ "feature_service": "driver_activity_v2", "entities": { "driver_id": [1004] } });
    server.features(&other).ok();
    registry.restart();
    soon("it is back", || registry_problem(&server).is_null());
    project.edit("services.yaml", "driver_activity_v2", "driver_activity_v3");
    project.feastr(&["apply", "--yes"]).ok();
    let renamed = json!({ "feature_service": "driver_activity_v3", "entities": { "driver_id": [1004] } });
    soon("what was applied is served", || server.features(&renamed).status == 200);
    for seen in load.end().concat() {
        assert_eq!(seen.answer.ok().body, right.body);
    }
    soon("connections are closed", || connections(&registry, &database) <= connected);
}

#[test]
fn a_registry_that_is_silent_holds_neither_the_start_nor_the_end() {
    let registry = Server::start(Kind::Postgres);
    let database = registry.create_database();
    let project = registered_in(&registry, &database);
    let paused = registry.pause();
    let mut server = FeatureServer::start(&project, &["--deadline", "1s"]);
    server.ask("GET", "/health", "").ok();
    assert_eq!(server.features(&body()).status, 504);
    let unready = server.ask("GET", "/ready", "");
    assert_eq!((unready.status, unready.json()["registry"]["problem"].is_string()), (503, true), "{unready:?}");
    drop(paused);
    soon("it is read", || server.features(&body()).status == 200);
    soon("it is ready", || server.ask("GET", "/ready", "").status == 200);
    let paused = registry.pause();
    soon("its silence is told", || registry_problem(&server).is_string());
    let began = Instant::now();
    server.signal("-TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.said());
    assert!(began.elapsed() < SOON, "it waited for the registry");
    drop(paused);
}
