//! Servers that are killed, databases that go away, and files that cannot be read.

use std::time::{Duration, Instant};

use super::{Lake, Place, counts, created, own_postgres, tell};
use crate::{
    serve::server::PATIENCE,
    servers::{self, Kind},
};

#[test]
fn what_a_killed_server_had_begun_is_begun_again() {
    let database = servers::shared(Kind::Postgres).create_database();
    let lake = Lake::new(Place::Postgres(database.clone()));
    let server = lake.serve(&[]);
    lake.write_stats("first.csv", &[("1", 1)]);
    tell(&server, &[created("stats/first.csv", "A")]).ok();
    lake.settled();
    // Nobody can add rows until this is given back.
    let mut holder = servers::shared(Kind::Postgres).postgres(&database);
    let mut held = holder.transaction().unwrap();
    held.batch_execute("LOCK TABLE entity_lookup.entity_driver IN SHARE MODE").unwrap();
    lake.write_stats("second.csv", &[("2", 2)]);
    lake.write_stats("third.csv", &[("3", 3)]);
    lake.write_stats("fourth.csv", &[("4", 4)]);
    // Two of them are begun, one is only noted.
    let events = ["second", "third", "fourth"].map(|name| created(&format!("stats/{name}.csv"), name));
    assert_eq!(counts(tell(&server, &events)), [3, 0, 0]);
    let began = Instant::now();
    while lake.jobs().iter().filter(|(status, _)| status == "running").count() < 2 {
        assert!(began.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(20));
    }
    // As long as it lives it gives signs of life.
    let leases = || lake.query("SELECT max(lease) FROM entity_lookup.job");
    let first = leases();
    while leases() == first {
        assert!(began.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(100));
    }
    server.signal("-KILL");
    drop(server);
    held.rollback().unwrap();
    assert_eq!(lake.drivers(), ["1 01"]);
    let _server = lake.serve(&[]);
    assert!(lake.settled().iter().all(|(status, _)| status == "done"));
    assert_eq!(lake.drivers().len(), 4);
    lake.project.feastr(&["entity-index", "verify"]).ok();
}

#[test]
fn a_server_that_ends_gives_its_jobs_back() {
    let database = servers::shared(Kind::Postgres).create_database();
    let lake = Lake::new(Place::Postgres(database.clone()));
    let mut server = lake.serve(&["--shutdown-timeout", "30s"]);
    lake.write_stats("x.csv", &[("1", 1)]);
    tell(&server, &[created("stats/x.csv", "A")]).ok();
    server.signal("-TERM");
    assert!(server.wait().success());
    let statuses: Vec<String> = lake.jobs().into_iter().map(|(status, _)| status).collect();
    assert!(statuses == ["done"] || statuses == ["waiting"], "{statuses:?}");
}

#[test]
fn a_database_that_goes_and_comes_back_loses_nothing() {
    let (mut postgres, database) = own_postgres();
    let lake = Lake::at(Place::Postgres(database.clone()), &postgres.url(&database));
    let server = lake.serve(&["--deadline", "5s"]);
    lake.write_stats("x.csv", &[("1", 1)]);
    lake.write_stats("y.csv", &[("2", 2)]);
    assert_eq!(counts(tell(&server, &[created("stats/x.csv", "A")])), [1, 0, 0]);
    lake.settled();
    postgres.kill();
    let refused = tell(&server, &[created("stats/y.csv", "B")]);
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")));
    assert_eq!(server.ask("GET", "/ready", "").status, 503);
    assert_eq!(server.ask("GET", "/health", "").status, 200);
    postgres.restart();
    assert_eq!(counts(tell(&server, &[created("stats/y.csv", "B")])), [1, 0, 0]);
    assert!(lake.settled().iter().all(|(status, _)| status == "done"));
    let count =
        postgres.postgres(&database).query_one("SELECT count(*) FROM entity_lookup.entity_driver", &[]).unwrap();
    assert_eq!(count.get::<_, i64>(0), 2);
}

#[test]
fn a_damaged_file_is_dead_until_somebody_says_otherwise() {
    for place in Place::all() {
        let lake = Lake::new(place);
        let server = lake.serve(&["--attempts", "2"]);
        lake.project.write("lake/stats/x.csv", "driver_id,at,made,score\n1,yesterday,,1\n");
        tell(&server, &[created("stats/x.csv", "A")]).ok();
        let jobs = lake.settled();
        assert_eq!(jobs[0].0, "dead");
        assert!(jobs[0].1.contains("x.csv") && jobs[0].1.contains("yesterday"), "{jobs:?}");
        let shown = lake.project.feastr(&["entity-index", "jobs", "--status", "dead"]).ok().stdout;
        assert!(shown.contains("lake/stats/x.csv") && shown.contains("dead"), "{shown}");
        assert!(
            lake.project.feastr(&["entity-index", "retry", "99"]).failed().stderr.contains("not dead, or not there")
        );
        lake.write_stats("x.csv", &[("1", 1)]);
        lake.project.feastr(&["entity-index", "retry", "--all-dead"]).ok();
        assert_eq!(lake.settled()[0], ("done".to_owned(), "1 row".to_owned()));
        assert_eq!(lake.drivers(), ["1 01"]);
    }
}

#[test]
fn two_servers_share_the_work() {
    let lake = Lake::new(Place::Postgres(servers::shared(Kind::Postgres).create_database()));
    let servers = [lake.serve(&[]), lake.serve(&[])];
    let mut events = Vec::new();
    for number in 0..40 {
        lake.write_stats(&format!("{number}.csv"), &[("1", number % 24), ("2", number % 24)]);
        events.push(created(&format!("stats/{number}.csv"), &number.to_string()));
    }
    for server in &servers {
        tell(server, &events).ok();
    }
    assert_eq!(lake.settled().len(), 40);
    assert_eq!(lake.drivers().len(), 80);
    assert_eq!(
        lake.query("SELECT count(*) FROM entity_lookup.job WHERE attempts = 1 OR status_msg LIKE 'done by%'"),
        [["40"]]
    );
}
