//! Stores that are held: they come back when their servers do, end reads at their deadline, and keep nothing of reads
//! that nobody waits for.

use std::{
    fs::read_dir,
    net::TcpListener,
    thread::spawn,
    time::{Duration, Instant},
};

use feastr::{
    clients::runtime::wait,
    config::{OnlineStoreConfig, RedisNode},
    online::{EncodedRow, OnlineStore, Replace, ViewFeatures},
    problem::{Kind, Problem},
};

use super::{Row, View, at, found, int, postgres_at, read, redis, stores, write};
use crate::{
    servers::{
        Kind as ServerKind, Server,
        redis::{RedisServer, await_true},
    },
    support::online_store,
};

/// Reads one entity with little time.
fn read_within(store: &dyn OnlineStore, view: &View, limit: Duration) -> Result<(), Problem> {
    let features = ViewFeatures { view: view.0.view.clone(), features: view.0.features.clone(), keys: 0 };
    let prepared = store.prepare(&view.0.project, vec![features]);
    let keys = [vec![view.number(1)]];
    wait(prepared.read(&keys, Instant::now() + limit)).map(drop)
}

/// A port that takes connections and says nothing.
fn silent_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    spawn(move || {
        let mut taken = Vec::new();
        taken.extend(listener.incoming().map_while(Result::ok));
    });
    port
}

#[test]
fn a_few_rows_are_put_as_many_are_written() {
    let folder = tempfile::tempdir().unwrap();
    for (name, store) in stores(&folder) {
        let view = View::simple("put");
        let put = |number, seconds, value| {
            let row = Row::new(view.number(number), seconds, &[int(value), int(0)]);
            let rows: [EncodedRow<'_>; 1] = [row.encoded()];
            store.put(&view.0, Replace::Outdated, &rows).unwrap().written
        };
        assert_eq!((put(1, 10, 1), put(1, 9, 2), put(2, 10, 3), put(1, 11, 4)), (1, 0, 1, 1), "{name}");
        let stored = read(store.as_ref(), &view, &[view.number(1), view.number(2)]);
        assert_eq!([&stored[0][0], &stored[1][0]], [&found(&int(4), 11), &found(&int(3), 10)], "{name}");
    }
}

#[test]
fn servers_that_take_connections_and_say_nothing_end_at_the_deadline() {
    let mut config = RedisServer::shared().config();
    config.connection.nodes = vec![RedisNode { host: "127.0.0.1".to_owned(), port: silent_port() }];
    let mut server = postgres_at(crate::servers::shared(ServerKind::Postgres), "feast");
    server.connection.server.port = Some(silent_port());
    for (store, text) in
        [(redis(config), "Redis at 127.0.0.1"), (online_store(&OnlineStoreConfig::Postgres(server)), "server")]
    {
        let began = Instant::now();
        let problem = read_within(store.as_ref(), &View::simple("silent"), Duration::from_millis(700)).unwrap_err();
        assert_eq!(problem.kind, Kind::Deadline, "{problem:?}");
        assert!(problem.message.contains(text) && problem.message.contains("does not answer in time"), "{problem:?}");
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn a_server_that_was_started_again_between_two_reads_is_read() {
    let (mut server, view) = (RedisServer::start("appendonly yes\nappendfsync always"), View::simple("held"));
    let store = redis(server.config());
    write(store.as_ref(), &view, Replace::Outdated, &[Row::new(view.number(1), 9, &[int(1), int(2)])]).unwrap();
    for _ in 0..2 {
        assert_eq!(read(store.as_ref(), &view, &[view.number(1)])[0][0], found(&int(1), 9));
        server.kill();
        server.restart();
    }

    let mut server = Server::start(ServerKind::Postgres);
    let database = server.create_database();
    let store = online_store(&OnlineStoreConfig::Postgres(postgres_at(&server, &database)));
    write(store.as_ref(), &view, Replace::Outdated, &[Row::new(view.number(1), 9, &[int(1), int(2)])]).unwrap();
    for _ in 0..2 {
        assert_eq!(read(store.as_ref(), &view, &[view.number(1)])[0][0], found(&int(1), 9));
        server.kill();
        server.restart();
    }
}

#[test]
fn reads_that_nobody_waits_for_leave_nothing_behind() {
    let server = RedisServer::start("");
    let folder = tempfile::tempdir().unwrap();
    let postgres = Server::start(ServerKind::Postgres);
    let database = postgres.create_database();
    let sqlite = OnlineStoreConfig::Sqlite { path: folder.path().join("online.db"), numbers: false };
    let stores = [
        redis(server.config()),
        online_store(&OnlineStoreConfig::Postgres(postgres_at(&postgres, &database))),
        online_store(&sqlite),
    ];
    let view = View::simple("cancelled");
    let clients = || {
        let list: String = ::redis::cmd("CLIENT").arg("LIST").query(&mut server.connect()).unwrap();
        // Without the one that asks.
        list.lines().count() - 1
    };
    let mut admin = postgres.postgres("postgres");
    let mut sessions = || -> i64 {
        admin.query_one("SELECT count(*) FROM pg_stat_activity WHERE datname = $1", &[&database]).unwrap().get(0)
    };
    for store in &stores {
        let row = Row { event: at(9), ..Row::new(view.number(1), 9, &[int(1), int(2)]) };
        write(store.as_ref(), &view, Replace::Outdated, &[row]).unwrap();
    }
    let count = |folder: &str| read_dir(folder).unwrap().count();
    let (threads, files) = (count("/proc/self/task"), count("/proc/self/fd"));
    for store in &stores {
        let features = ViewFeatures { view: view.0.view.clone(), features: view.0.features.clone(), keys: 0 };
        let prepared = store.prepare(&view.0.project, vec![features]);
        let keys = [vec![view.number(1)]];
        for round in 0..1000 {
            let reading = prepared.read(&keys, Instant::now() + Duration::from_secs(60));
            // Dropped before it begins, while it waits, or when it is done.
            let limited = async {
                let limit = Duration::from_micros(round % 500);
                Ok::<_, Problem>(tokio::time::timeout(limit, reading).await.is_ok())
            };
            wait(limited).unwrap();
        }
        // It goes on being read.
        assert_eq!(read(store.as_ref(), &view, &[view.number(1)])[0][0], found(&int(1), 9));
    }
    await_true("connections are closed", || clients() <= 1 && sessions() <= 10);
    // Other tests have some meanwhile.
    await_true("threads and files are gone", || {
        count("/proc/self/task") < threads + 200 && count("/proc/self/fd") < files + 200
    });
}
