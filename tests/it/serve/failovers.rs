//! Redis servers that take over from each other, and keys that move between them, while clients ask.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde_json::{Value as Json, json};

use super::{
    load::{Load, open_files, soon},
    outages::example_over,
    server::FeatureServer,
};
use crate::servers::redis::{RedisCluster, RedisSentinels, RedisServer, await_true};

const DRIVERS: std::ops::RangeInclusive<u32> = 1001..=1005;

const CLIENTS: usize = 6;

const DEADLINE: Duration = Duration::from_secs(1);

fn body(drivers: &[u32]) -> Json {
    json!({ "features": ["driver_hourly_stats:conv_rate", "driver_hourly_stats:avg_daily_trips"],
            "entities": { "driver_id": drivers } })
}

fn all() -> Json {
    body(&DRIVERS.collect::<Vec<u32>>())
}

fn master_is_replaced(remove: impl FnOnce(&mut RedisSentinels) -> Option<crate::servers::Paused>) {
    let mut sentinels = RedisSentinels::start();
    let project = example_over(&sentinels.settings());
    let keys = |server: &RedisServer| redis::cmd("DBSIZE").query::<usize>(&mut server.connect()).unwrap();
    await_true("the replica has all", || keys(&sentinels.replica) == keys(&sentinels.master));
    let server = FeatureServer::start(&project, &["--deadline", "1s"]);
    let right = server.features(&all()).ok();
    let files = open_files(&server);
    let load = Load::start(&server, CLIENTS, &all());
    load.until_status(200);
    let gone = remove(&mut sentinels);
    // The sentinel breaks connections to a server that it makes a master.
    await_true("the replica is master", || {
        let told =
            sentinels.replica.try_connect().map(|mut replica| redis::cmd("ROLE").query::<redis::Value>(&mut replica));
        told.is_some_and(|told| told.is_ok_and(|role| format!("{role:?}").contains("master")))
    });
    load.until_status(200);
    (0..3).for_each(|_| load.until_status(200));
    load.end().concat().iter().for_each(|seen| seen.is_right_or_away(&right, DEADLINE));
    drop(gone);
    soon("connections are closed", || open_files(&server) <= files);
}

#[test]
fn a_new_master_is_read_when_the_old_one_has_stopped() {
    master_is_replaced(|sentinels| {
        sentinels.master.kill();
        None
    });
}

#[test]
fn a_new_master_is_read_when_the_old_one_is_silent() {
    master_is_replaced(|sentinels| Some(sentinels.master.pause()));
}

/// The slots that hold something, and on which server.
fn slots(cluster: &RedisCluster) -> BTreeSet<(u16, usize)> {
    let mut slots = BTreeSet::new();
    for (place, node) in cluster.nodes.iter().enumerate() {
        let mut connection = node.connect();
        let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query(&mut connection).unwrap();
        slots.extend(keys.iter().map(|key| {
            let slot: u16 = redis::cmd("CLUSTER").arg("KEYSLOT").arg(key).query(&mut connection).unwrap();
            (slot, place)
        }));
    }
    slots
}

#[test]
fn slots_that_move_are_found() {
    let cluster = RedisCluster::start();
    let project = example_over(&cluster.settings());
    let server = FeatureServer::start(&project, &[]);
    let right = server.features(&all()).ok();
    let load = Load::start(&server, CLIENTS, &all());
    load.until_status(200);
    for _ in 0..4 {
        for (slot, from) in slots(&cluster) {
            cluster.move_slot(slot, from, (from + 1) % 3);
            load.until_status(200);
        }
    }
    for seen in load.end().concat() {
        assert_eq!(seen.answer.ok().body, right.body);
    }
}

#[test]
fn a_server_of_a_cluster_that_is_away_takes_only_its_keys_with_it() {
    for is_silent in [false, true] {
        let mut cluster = RedisCluster::start_with("cluster-require-full-coverage no\ncluster-node-timeout 60000");
        let project = example_over(&cluster.settings());
        let args = ["--deadline", "1s", "--feast-statuses"];
        // One that has asked all servers, and one that has asked none.
        let (known, fresh) = (FeatureServer::start(&project, &args), FeatureServer::start(&project, &args));
        let right = |driver: u32| known.features(&body(&[driver])).ok();
        let answers: Vec<_> = DRIVERS.map(right).collect();
        let homes: Vec<usize> = DRIVERS.map(|driver| home(&cluster, driver)).collect();
        // The settings name the one in the middle.
        let places: &[usize] = if is_silent { &[0, 1, 2] } else { &[2] };
        assert!(places.iter().any(|place| homes.contains(place)), "{homes:?}");
        for &place in places {
            let away = match is_silent {
                true => Some(cluster.nodes[place].pause()),
                false => {
                    cluster.nodes[place].kill();
                    None
                }
            };
            for server in [&known, &fresh] {
                for ((driver, home), right) in DRIVERS.zip(&homes).zip(&answers) {
                    let answer = server.features(&body(&[driver]));
                    match *home == place {
                        true => assert!(matches!(answer.status, 503 | 504), "{driver}: {answer:?}"),
                        false => assert_eq!(answer.body, right.body, "{driver} while {place} of {homes:?} is away"),
                    }
                }
            }
            drop(away);
        }
    }
}

/// How often the servers were asked for the slots, those that answer.
fn slots_asked(nodes: &[RedisServer]) -> u32 {
    let asked = |node: &RedisServer| {
        let stats: String = redis::cmd("INFO").arg("commandstats").query(&mut node.connect()).unwrap();
        let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_cluster|slots:calls="));
        line.map_or(0, |rest| rest.split(',').next().unwrap().parse::<u32>().unwrap())
    };
    nodes.iter().map(asked).sum()
}

#[test]
fn reads_that_fail_hold_no_others_and_do_not_ask_all_the_time() {
    let mut cluster = RedisCluster::start_with("cluster-require-full-coverage no\ncluster-node-timeout 60000");
    let project = example_over(&cluster.settings());
    let server = FeatureServer::start(&project, &["--deadline", "1s", "--feast-statuses"]);
    let homes: Vec<usize> = DRIVERS.map(|driver| home(&cluster, driver)).collect();
    assert!(homes.contains(&2) && homes.iter().any(|home| *home != 2), "{homes:?}");
    let of = |wanted: &dyn Fn(usize) -> bool| {
        let drivers = DRIVERS.zip(&homes).filter(|(_, home)| wanted(**home)).map(|(driver, _)| driver);
        body(&drivers.collect::<Vec<u32>>())
    };
    let (gone, stays) = (of(&|home| home == 2), of(&|home| home != 2));
    let right = server.features(&stays).ok();
    cluster.nodes[2].kill();
    let before = slots_asked(&cluster.nodes[..2]);
    let began = Instant::now();
    let failing = Load::start(&server, 12, &gone);
    let others = Load::start(&server, 4, &stays);
    (0..2).for_each(|_| failing.until("failures", |answer| matches!(answer.status, 503 | 504)));
    let asked = slots_asked(&cluster.nodes[..2]) - before;
    assert!(f64::from(asked) < 20.0 * (1.0 + began.elapsed().as_secs_f64()), "{asked} in {:?}", began.elapsed());
    assert!(asked > 0);
    failing.end();
    for seen in others.end().concat() {
        assert_eq!(seen.answer.ok().body, right.body);
    }
}

/// The server that has the values of a driver, whose number is in the key.
fn home(cluster: &RedisCluster, driver: u32) -> usize {
    let has = |node: &RedisServer| {
        let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query(&mut node.connect()).unwrap();
        keys.iter().any(|key| key.windows(4).any(|bytes| bytes == driver.to_le_bytes()))
    };
    cluster.nodes.iter().position(has).unwrap()
}
