//! Databases that fall silent, die and come back under a server: what is known is answered, what is to be changed fails in words
//! and in time, and afterwards all is as before.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use feastr::feast::registry_server as asked;
use tonic::{Code, Status};

use super::{
    client::{Client, all},
    crowds::names,
    entity,
};
use crate::{
    servers::{Kind, Server, grpc::GrpcServer},
    support::Project,
};

/// No call takes longer, and a bit for the way.
const DEADLINE: Duration = Duration::from_secs(3);
const SOON: Duration = Duration::from_millis(4_500);

#[test]
fn postgres_may_fall_silent_die_and_come_back() {
    a_database_may_fall_silent_die_and_come_back(Kind::Postgres);
}

#[test]
fn mariadb_may_fall_silent_die_and_come_back() {
    a_database_may_fall_silent_die_and_come_back(Kind::MariaDb);
}

fn a_database_may_fall_silent_die_and_come_back(kind: Kind) {
    let mut database = Server::start(kind);
    let url = database.url(&database.create_database());
    let project = Project::new(&[(
        "feature_store.yaml",
        &format!("project: shop\nregistry: {{registry_type: sql, path: \"{url}\"}}\nonline_store: null\n"),
    )]);
    let server = GrpcServer::registry(&project, &["--deadline", "3s"]);
    let client = Client::of(&server);
    put(&client, "user").unwrap();
    assert_known(&client);

    let paused = database.pause();
    assert_known(&client);
    assert_no_change(&client);
    assert_known(&client);
    drop(paused);
    assert_comes_back(&client, "after_silence");

    database.kill();
    assert_known(&client);
    assert_no_change(&client);
    database.restart();
    assert_comes_back(&client, "after_death");
    let there = names(&client, "shop");
    for name in ["user", "after_silence", "after_death"] {
        assert!(there.contains(name), "{there:?}");
    }
    assert!(!server.said().contains(crate::servers::PASSWORD), "{}", server.said());
}

fn put(client: &Client, name: &str) -> Result<(), Status> {
    client.apply("ApplyEntity", "shop", &entity(name)).map(drop)
}

/// What is known is told: at once to those who allow it, and in time to those who want the registry to be looked at.
#[track_caller]
fn assert_known(client: &Client) {
    let cached = asked::Get { name: "user".into(), project: "shop".into(), allow_cache: true };
    for _ in 0..20 {
        let began = Instant::now();
        client.ask("GetEntity", &cached).unwrap();
        client.ask("ListEntities", &asked::ListObjects { allow_cache: true, ..all("shop") }).unwrap();
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
    let began = Instant::now();
    match client.get("GetEntity", "shop", "user") {
        Ok(_) => {}
        Err(late) => assert_eq!(late.code(), Code::DeadlineExceeded, "{late:?}"),
    }
    let projects = asked::ListProjects { allow_cache: true, ..asked::ListProjects::default() };
    match client.list("ListProjects", &projects) {
        Ok((projects, _)) => assert_eq!(projects.len(), 1),
        Err(late) => assert_eq!(late.code(), Code::DeadlineExceeded, "{late:?}"),
    }
    assert!(began.elapsed() < 2 * SOON, "{:?}", began.elapsed());
}

#[track_caller]
fn assert_no_change(client: &Client) {
    let began = Instant::now();
    let failed = put(client, "lost").unwrap_err();
    assert!(began.elapsed() < SOON, "{:?}: {failed:?}", began.elapsed());
    assert!(matches!(failed.code(), Code::Unavailable | Code::DeadlineExceeded), "{failed:?}");
    assert!(failed.message().len() > 20, "{failed:?}");
}

#[track_caller]
fn assert_comes_back(client: &Client, name: &str) {
    let began = Instant::now();
    let again = || put(client, name).and_then(|()| client.get("GetEntity", "shop", name).map(drop));
    while let Err(failed) = again() {
        assert!(began.elapsed() < 5 * DEADLINE, "{failed:?}");
        sleep(Duration::from_millis(100));
    }
}
