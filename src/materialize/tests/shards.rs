//! Runs that are open are in the way of others, as long as something is heard of them.

use std::collections::BTreeMap;

use super::*;
use crate::{
    model::{DAY, ShardedRun},
    registry::put_sharded_run,
};

/// A run of `v` of which something was heard last so many microseconds ago, and which the registry knows.
fn open(house: &House, ago: i64) -> ShardedRun {
    let run = ShardedRun {
        id: "r".to_owned(),
        view: "v".to_owned(),
        interval: interval(0, 10),
        folder: "/nowhere/at/all".to_owned(),
        shards: 2,
        overwrites: false,
        started: at(0),
        heard: at(NOW).minus(ago),
        by: "tests".to_owned(),
        counts: RunCounts::default(),
        done: BTreeMap::new(),
        servers: BTreeMap::new(),
    };
    let note = put_sharded_run(&run, run.heard);
    house.registry.memory.update("p", &mut |_| Some(vec![note.clone()])).unwrap();
    run
}

fn written(house: &House, run: &ShardedRun, shard: Shard) -> Problem {
    write_shard(&house.stores(&house.registry), run, shard, &|_| {}).unwrap_err()
}

#[test]
fn an_open_run_is_in_the_way_of_others() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(5), 1.0)]);
    open(&house, DAY - 1);
    let report = house.run_one(fixed(0, 10), &OPTIONS);
    assert!(message(&report).starts_with("run r of it is open since"), "{report:?}");
    assert_eq!((house.recorded("v"), house.stored("v", 1)), (Vec::new(), None));
}

#[test]
fn a_run_that_nobody_hears_of_is_not_gone_on_with() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(5), 1.0)]);
    let run = open(&house, DAY);
    assert!(written(&house, &run, Shard { index: 0, of: None }).message.starts_with("nobody was heard of run r since"));
    assert_eq!(house.run_one(fixed(0, 10), &OPTIONS).outcome, Outcome::Done);
}

#[test]
fn shards_that_a_run_does_not_have_are_none() {
    let house = House::of(&[plain()]);
    let run = open(&house, 0);
    for shard in [Shard { index: 2, of: None }, Shard { index: 0, of: Some(3) }] {
        assert_eq!(written(&house, &run, shard).message, "run r has 2 shards, from 0 to 1");
    }
    // Its files are not there.
    assert_eq!(written(&house, &run, Shard { index: 1, of: Some(2) }).kind, Kind::NotFound);
}
