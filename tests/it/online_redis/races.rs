//! Several writers at once on Redis.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use feastr::online::{OnlineStore, Replace, StoredValue};

use crate::{
    online::{Row, View, at, int, read, redis},
    servers::redis::{RedisCluster, RedisSentinels, RedisServer},
};

const KEYS: i64 = 300;
const WRITERS: u64 = 4;
const BATCHES: usize = 20;

/// Numbers in no order, the same on each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// The batches of a writer: each row at another moment, which is the value of all its features.
fn batches(view: &View, writer: u64) -> Vec<Vec<Row>> {
    let mut dice = Dice(writer + 1);
    let mut row = |number: i64| {
        let seconds = i64::try_from(dice.below(1_000_000)).unwrap() - 300_000;
        Row::new(view.number(number), seconds, &[int(seconds), int(seconds)])
    };
    (0..BATCHES).map(|_| (0..KEYS).map(&mut row).collect()).collect()
}

fn newest_wins(store: &dyn OnlineStore) {
    let view = View::simple("race");
    let keys: Vec<Vec<u8>> = (0..KEYS).map(|number| view.number(number)).collect();
    let all: Vec<Vec<Vec<Row>>> = (0..WRITERS).map(|writer| batches(&view, writer)).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let observer = scope.spawn(|| {
            let mut seen = vec![None; keys.len()];
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) || looks == 0 {
                for (seen, values) in seen.iter_mut().zip(read(store, &view, &keys)) {
                    assert_eq!(values[0], values[1], "an entity's values are of one row");
                    if let StoredValue::Found { event, .. } = values[0] {
                        assert!(*seen <= Some(event), "{seen:?} {event}");
                        *seen = Some(event);
                    }
                }
                looks += 1;
            }
        });
        let write = |batches: &Vec<Vec<Row>>| {
            // A writer for each batch, so that all of them are sent.
            for batch in batches {
                crate::online::write(store, &view, Replace::Outdated, batch).unwrap();
            }
        };
        let writers: Vec<_> = all.iter().map(|batches| scope.spawn(move || write(batches))).collect();
        let outcomes: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        observer.join().unwrap();
        outcomes.into_iter().for_each(Result::unwrap);
    });
    for (number, values) in read(store, &view, &keys).into_iter().enumerate() {
        let newest = all.iter().flatten().map(|batch| batch[number].event).max().unwrap();
        let expected =
            StoredValue::Found { value: prost::Message::encode_to_vec(&int(newest.seconds())), event: newest };
        assert_eq!(values, [expected.clone(), expected]);
        assert_ne!(newest, at(0), "the epoch counts as nothing stored");
    }
}

#[test]
fn the_newest_row_wins_on_one_server() {
    newest_wins(redis(RedisServer::shared().config()).as_ref());
}

#[test]
fn the_newest_row_wins_in_a_cluster() {
    newest_wins(redis(RedisCluster::shared().config()).as_ref());
}

#[test]
fn the_newest_row_wins_behind_sentinels() {
    newest_wins(redis(RedisSentinels::shared().config()).as_ref());
}
