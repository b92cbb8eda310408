//! Redis servers that go away, are replaced or hand over keys while they are written.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use feastr::online::{OnlineStore, Replace, Writer};

use crate::{
    online::{Row, View, found, int, read, read_all, redis},
    servers::redis::{RedisCluster, RedisSentinels, RedisServer, await_true},
};

const ROWS: i64 = 60_000;

/// More than fits into one batch.
fn rows(view: &View) -> Vec<Row> {
    (0..ROWS).map(|number| Row::new(view.number(number), 9, &[int(number), int(-number)])).collect()
}

fn write(writer: &mut dyn Writer, rows: &[Row]) {
    for rows in rows.chunks(2_000) {
        writer.write(&rows.iter().map(Row::encoded).collect::<Vec<_>>()).unwrap();
    }
}

#[track_caller]
fn assert_complete(store: &dyn OnlineStore, view: &View) {
    let keys: Vec<Vec<u8>> = (0..ROWS).map(|number| view.number(number)).collect();
    for (number, values) in (0..).zip(read(store, view, &keys)) {
        assert_eq!(values, [found(&int(number), 9), found(&int(-number), 9)], "{number}");
    }
}

#[test]
fn connections_that_break_and_scripts_that_are_forgotten_cost_nothing() {
    let (server, view) = (RedisServer::start(""), View::simple("cut"));
    let store = redis(server.config());
    let mut writer = store.writer(view.0.clone(), Replace::Outdated).unwrap();
    thread::scope(|scope| {
        let breaker = scope.spawn(|| {
            let mut connection = server.connect();
            let mut broken: u64 = 0;
            for _ in 0..5 {
                let kill = redis::cmd("CLIENT")
                    .arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"])
                    .query::<u64>(&mut connection);
                broken += kill.unwrap();
                redis::cmd("SCRIPT").arg("FLUSH").exec(&mut connection).unwrap();
                thread::sleep(Duration::from_millis(150));
            }
            broken
        });
        write(writer.as_mut(), &rows(&view));
        writer.finish().unwrap();
        assert!(breaker.join().unwrap() > 0);
    });
    assert_complete(store.as_ref(), &view);
}

#[test]
fn a_server_that_was_started_again_is_not_trusted() {
    for settings in ["appendonly yes\nappendfsync always", ""] {
        let (mut server, view) = (RedisServer::start(settings), View::simple("restart"));
        let store = redis(server.config());
        let rows = rows(&view);
        let mut writer = store.writer(view.0.clone(), Replace::Outdated).unwrap();
        write(writer.as_mut(), &rows[..40_000]);
        // Something was confirmed.
        await_true("a batch is stored", || redis::cmd("DBSIZE").query::<i64>(&mut server.connect()).unwrap() > 15_000);
        write(writer.as_mut(), &rows[40_000..41_000]);
        server.kill();
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(500));
                server.restart();
            });
            write(writer.as_mut(), &rows[41_000..]);
            let error = writer.finish().unwrap_err();
            assert!(error.message.contains("was started again or replaced"), "{error:?}");
            assert!(error.help().as_deref().unwrap().contains("run the same again"), "{error:?}");
        });
        let again = crate::online::write(store.as_ref(), &view, Replace::Outdated, &rows).unwrap();
        assert_eq!(again.written + again.skipped, rows.len() as u64);
        assert!(again.skipped > 0);
        assert_complete(store.as_ref(), &view);
    }
}

#[test]
fn a_server_that_stays_away_is_reported() {
    let (mut server, view) = (RedisServer::start(""), View::simple("gone"));
    let store = redis(server.config());
    let mut writer = store.writer(view.0.clone(), Replace::Outdated).unwrap();
    server.kill();
    write(writer.as_mut(), &rows(&view)[..10]);
    // Who gives up need not wait to the end.
    drop(writer);
    let error = store.writer(view.0.clone(), Replace::Outdated).map(drop).unwrap_err();
    assert!(error.message.contains("refuses connections"), "{error:?}");
    let error = read_all(store.as_ref(), "gone", &[view.of(vec![view.number(1)])]).unwrap_err();
    assert!(error.message.contains("refuses connections"), "{error:?}");
}

#[test]
fn the_new_master_of_the_sentinels_is_written() {
    let (mut sentinels, view) = (RedisSentinels::start(), View::simple("failover"));
    let store = redis(sentinels.config());
    let rows = rows(&view);
    let mut writer = store.writer(view.0.clone(), Replace::Outdated).unwrap();
    write(writer.as_mut(), &rows[..40_000]);
    await_true("a batch is stored", || {
        redis::cmd("DBSIZE").query::<i64>(&mut sentinels.master.connect()).unwrap() > 15_000
    });
    sentinels.master.kill();
    // What the old master had confirmed and not passed on is lost, and nobody knows what that is.
    write(writer.as_mut(), &rows[40_000..]);
    let error = writer.finish().unwrap_err();
    assert!(error.message.contains("was started again or replaced"), "{error:?}");
    let again = crate::online::write(store.as_ref(), &view, Replace::Outdated, &rows).unwrap();
    assert!(again.skipped > 0, "{again:?}");
    assert_complete(store.as_ref(), &view);
}

#[test]
fn a_master_that_was_replaced_and_does_not_know_it_is_not_trusted() {
    let (sentinels, view) = (RedisSentinels::start(), View::simple("zombie"));
    let store = redis(sentinels.config());
    let mut writer = store.writer(view.0.clone(), Replace::Outdated).unwrap();
    write(writer.as_mut(), &rows(&view));
    await_true("a batch is stored", || {
        redis::cmd("DBSIZE").query::<i64>(&mut sentinels.master.connect()).unwrap() > 15_000
    });
    // It takes writes as before, while everybody else is sent to the replica.
    sentinels.watch(&sentinels.replica);
    let error = writer.finish().unwrap_err();
    assert!(error.message.contains("was started again or replaced"), "{error:?}");
}

#[test]
fn slots_move_while_they_are_written() {
    let (cluster, view) = (RedisCluster::start(), View::simple("moving"));
    let store = redis(cluster.config());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let mover = scope.spawn(|| {
            let mut moved = 0;
            for slot in 0..5_000 {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                cluster.move_slot(slot, 0, 1);
                moved += 1;
            }
            moved
        });
        let write_all = || {
            for _ in 0..3 {
                crate::online::write(store.as_ref(), &view, Replace::Outdated, &rows(&view)).unwrap();
                crate::online::write(store.as_ref(), &view, Replace::Everything, &rows(&view)).unwrap();
                assert_complete(store.as_ref(), &view);
            }
        };
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(write_all));
        done.store(true, Ordering::Relaxed);
        assert!(mover.join().unwrap() > 5);
        outcome.unwrap();
    });
    assert_eq!(store.remove_views(std::slice::from_ref(&view.0), &mut |_| {}).unwrap(), ROWS as u64);
}
