//! Pushes into Redis.

use serde_json::json;

use super::{DEFINITIONS, ROWS, applied_with, online, push};
use crate::{
    servers::redis::RedisServer,
    support::{Project, settings},
};

const SQLITE: &str = "online_store:\n  type: sqlite\n  path: data/online_store.db\n";

/// The repo with its values in a database of a server.
pub fn applied_in(server: &RedisServer, db: u8) -> Project {
    let project = applied_with(DEFINITIONS);
    project.write("feature_store.yaml", settings("demo").replace(SQLITE, &server.settings(db)));
    project.feastr(&["apply"]).ok();
    project
}

#[test]
fn the_newest_rows_are_stored_whatever_was_there() {
    let server = RedisServer::start("");
    let project = applied_in(&server, 0);
    let told = push(&project, ROWS, &[]).ok().stdout;
    assert!(told.contains("fresh  3     2        1") && told.contains("trips  3     2        1"), "{told}");
    assert_eq!(json!(online(&project, 1001)), json!({ "fresh": 11, "trips": 11 }));
    let before = server.dump(0);
    push(&project, &[(1001, "2026-11-20T09:59:59Z", 99)], &[]).ok();
    assert_eq!(server.dump(0), before, "an older row changes nothing");
    // Of the same moment the later push counts: mistakes can be corrected.
    let told = push(&project, &[(1001, "2026-11-20T10:00:00Z", 7)], &[]).ok().stdout;
    assert!(told.contains("fresh  1     1        0"), "{told}");
    assert_eq!(json!(online(&project, 1001)), json!({ "fresh": 7, "trips": 7 }));
}

/// So many that they go through the writer for many rows.
#[test]
fn many_rows_are_stored() {
    let server = RedisServer::start("");
    let project = applied_in(&server, 0);
    let many: Vec<(i64, &str, i64)> = (0..20_000).map(|driver| (driver, "2026-11-20T10:00:00Z", driver + 1)).collect();
    let told = push(&project, &many, &[]).ok().stdout;
    assert!(told.contains("fresh  20000  20000    0"), "{told}");
    assert_eq!(server.dump(0).len(), 20_000);
    for driver in [0, 9_999, 19_999] {
        assert_eq!(json!(online(&project, driver)), json!({ "fresh": driver + 1, "trips": driver + 1 }));
    }
    let told = push(&project, &many[..5_000], &["--json"]).ok().json();
    assert_eq!(told["views"][0]["written"], json!(5_000));
}

#[test]
fn a_store_that_is_away_keeps_rows_out_of_the_history() {
    let server = RedisServer::start("");
    let project = applied_in(&server, 0);
    drop(server);
    let failed = push(&project, ROWS, &["--to", "online_and_offline"]).failed().stderr;
    assert!(failed.contains("Redis"), "{failed}");
    assert_eq!(super::files(&project.path("data/driver_stats.parquet.d")), Vec::<String>::new());
}
