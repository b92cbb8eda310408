//! Hashes that are created as a whole, where Redis takes them, and everywhere else.

use feastr::{
    config::RedisConfig,
    online::{Replace, WriteCounts},
};
use redis::{Commands as _, Connection};

use crate::{
    online::{Row, View, at, redis, write},
    servers::{PASSWORD, redis::RedisServer},
};

const COUNT: i64 = 300;

/// Rows of a view with two features, of which the values are short or long.
fn rows(view: &View, seconds: i64, length: usize) -> Vec<Row> {
    let row = |number| Row {
        key: view.number(number),
        event: at(seconds),
        created: None,
        values: vec![vec![b'x'; length], number.to_string().into_bytes()],
    };
    (0..COUNT).map(row).collect()
}

fn put(config: RedisConfig, view: &View, rows: &[Row]) -> WriteCounts {
    write(redis(config).as_ref(), view, Replace::Outdated, rows).unwrap()
}

const fn counts(written: i64) -> WriteCounts {
    WriteCounts { written: written as u64, skipped: (COUNT - written) as u64 }
}

/// How often a server has carried out a command.
fn calls(connection: &mut Connection, command: &str) -> u64 {
    let text: String = redis::cmd("INFO").arg("commandstats").query(connection).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.map_or(0, |rest| rest.split(',').next().unwrap().parse().unwrap())
}

#[test]
fn a_new_hash_is_what_redis_would_have_made_of_its_fields() {
    let server = RedisServer::start("rdbcompression no\n");
    let mut connection = server.connect();
    let mut created = 0;
    for features in [1, 10, 60, 127, 128, 300] {
        for length in [0, 1, 40, 63, 64, 300] {
            let names: Vec<String> = (0..features).map(|number| format!("feature {number}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let view = View::new(&format!("shape_{features}_{length}"), "stats", &["k"], &names);
            let values = (0..features).map(|number| vec![b'a' + (number % 26) as u8; length]).collect();
            let row = Row { key: view.number(1), event: at(1_790_000_000), created: None, values };
            let before = calls(&mut connection, "restore");
            put(server.config(), &view, &[row]);
            created += calls(&mut connection, "restore") - before;
            let key = [view.number(1), view.0.project.clone().into_bytes()].concat();
            let dump = |connection: &mut Connection, key: &[u8]| -> (Vec<u8>, String) {
                let dump = redis::cmd("DUMP").arg(key).query(connection).unwrap();
                (dump, redis::cmd("OBJECT").arg("ENCODING").arg(key).query(connection).unwrap())
            };
            let ours = dump(&mut connection, &key);
            // The order that Redis keeps in this form; in the other one it keeps none.
            let fields: Vec<(Vec<u8>, Vec<u8>)> = connection.hgetall(&key).unwrap();
            assert_eq!(fields.len(), features + 1);
            let () = connection.hset_multiple("copy", &fields).unwrap();
            let theirs = dump(&mut connection, b"copy");
            assert_eq!(ours.1, theirs.1, "{features} features of {length} bytes");
            assert!(ours.0 == theirs.0 || ours.1 == "hashtable", "{features} features of {length} bytes");
            let () = connection.del("copy").unwrap();
        }
    }
    assert_eq!(created, 16, "what fits");
}

#[test]
fn what_is_there_is_compared_and_soon_no_longer_tried() {
    let server = RedisServer::start("");
    let mut connection = server.connect();
    let view = View::simple("known");
    assert_eq!(put(server.config(), &view, &rows(&view, 10, 5)), counts(COUNT));
    assert_eq!(calls(&mut connection, "hset"), 0);
    assert_eq!(put(server.config(), &view, &rows(&view, 10, 5)), counts(0));
    assert_eq!(put(server.config(), &view, &rows(&view, 9, 5)), counts(0));
    assert_eq!(put(server.config(), &view, &rows(&view, 11, 5)), counts(COUNT));
    // Another view of the same entities leaves the values of the first.
    let other = View::new("known", "other", &["k"], &["c", "d"]);
    assert_eq!(put(server.config(), &other, &rows(&other, 1, 5)), counts(COUNT));
    let lengths: Vec<usize> = server.dump(0).into_values().map(|(fields, _)| fields.len()).collect();
    assert_eq!(lengths, vec![6; COUNT as usize]);
    // Long rows, so that they make several batches.
    let (before, wide) = (calls(&mut connection, "restore"), View::new("wide", "stats", &["k"], &["a", "b"]));
    let many: Vec<Row> =
        (0..60_000).map(|number| Row { key: wide.number(number), ..rows(&wide, 7, 60)[0].clone() }).collect();
    put(server.config(), &wide, &many);
    let tried = calls(&mut connection, "restore") - before;
    assert_eq!(tried, 60_000);
    put(server.config(), &wide, &many);
    assert!(calls(&mut connection, "restore") - before < tried + 30_000);
}

#[test]
fn a_lifetime_counts_from_the_creation() {
    let server = RedisServer::start("");
    let config = RedisConfig { key_ttl_seconds: Some(500), ..server.config() };
    let view = View::simple("lifetime");
    put(config, &view, &rows(&view, 10, 5));
    let hashes = server.dump(0);
    assert_eq!(hashes.len(), COUNT as usize);
    assert!(hashes.values().all(|(_, left)| (440..=500).contains(left)), "{hashes:?}");
    assert!(calls(&mut server.connect(), "restore") > 0);
}

#[test]
fn servers_that_forbid_it_are_written_all_the_same() {
    let forbidden = RedisServer::start(&format!(
        "rename-command RESTORE \"\"\nuser careful on >{PASSWORD} ~* +@read +@write +@scripting +@transaction \
         +@connection +info -@dangerous\n"
    ));
    let allowed = RedisServer::start(&format!("user careful on >{PASSWORD} ~* +@all -@dangerous\n"));
    for server in [forbidden, allowed] {
        let mut config = server.config();
        for (project, user) in [("one", None), ("two", Some("careful"))] {
            if let Some(user) = user {
                config.connection.username = Some(user.to_owned());
            }
            let view = View::simple(project);
            assert_eq!(put(config.clone(), &view, &rows(&view, 10, 5)), counts(COUNT));
            assert_eq!(put(config.clone(), &view, &rows(&view, 10, 5)), counts(0));
        }
    }
}
