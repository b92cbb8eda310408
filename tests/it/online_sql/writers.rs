//! Several writers at once.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use feastr::online::{Replace, StoredValue};

use super::{Backend, Row, TestStore, counts, encoded, found, read, row, stats, write};

const KEYS: u32 = 300;
const WRITERS: u64 = 4;

/// Numbers in no order, the same on each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// The batches of a writer: entities in no order, each with another moment, which is its value.
fn batches(writer: u64) -> Vec<Vec<Row>> {
    let mut dice = Dice(writer + 1);
    let mut batch = || {
        let mut keys: Vec<u32> = (0..KEYS).collect();
        (1..keys.len()).rev().for_each(|last| keys.swap(last, usize::try_from(dice.below(last as u64 + 1)).unwrap()));
        keys.truncate(200);
        let row = |key| {
            let seconds = i64::try_from(dice.below(1_000_000)).unwrap();
            row(key, seconds, seconds)
        };
        keys.into_iter().map(row).collect()
    };
    (0..15).map(|_| batch()).collect()
}

#[test]
fn what_is_stored_already_is_not_written_again() {
    let test = TestStore::new(Backend::Postgres);
    let store = test.open();
    let versions = || {
        let rows = test.postgres().query("SELECT xmin::text, ctid::text FROM p_stats ORDER BY 2", &[]).unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect::<Vec<(String, String)>>()
    };
    let rows: Vec<Row> = (0..100).map(|number| row(number, 100, 1).created(7)).collect();
    assert_eq!(write(store.as_ref(), stats(), Replace::Outdated, &rows), counts(100, 0));
    let before = versions();
    for replace in [Replace::Outdated, Replace::Everything] {
        assert_eq!(write(store.as_ref(), stats(), replace, &rows), counts(100, 0));
        assert_eq!(versions(), before);
    }
    // Together with new, changed and outdated rows.
    let others = [row(0, 101, 2), row(1, 100, 3).created(7), row(2, 99, 4), row(200, 1, 5)];
    let mixed = [&others[..], &rows[3..]].concat();
    assert_eq!(write(store.as_ref(), stats(), Replace::Outdated, &mixed), counts(100, 1));
    let values: Vec<_> = read(store.as_ref(), &[0, 1, 2, 3, 200]).into_iter().map(|mut row| row.remove(0)).collect();
    assert_eq!(values, [found(2, 101), found(3, 100), found(1, 100), found(1, 100), found(5, 1)]);
    // A text that another program left out is added.
    test.execute("UPDATE p_stats SET value_text = NULL");
    assert_eq!(write(store.as_ref(), stats(), Replace::Outdated, &rows[3..]), counts(97, 0));
    let texts = "SELECT count(*) FROM p_stats WHERE value_text IS NULL";
    assert_eq!(test.postgres().query_one(texts, &[]).unwrap().get::<_, i64>(0), 8);
}

#[test]
fn the_newest_value_of_each_entity_wins_and_nothing_goes_backwards() {
    let test = TestStore::new(Backend::Postgres);
    let all: Vec<Vec<Vec<Row>>> = (0..WRITERS).map(batches).collect();
    let mut newest = vec![None; KEYS as usize];
    for row in all.iter().flatten().flatten() {
        let text = std::str::from_utf8(&row.key[row.key.len() - 10..]).unwrap();
        let number: usize = text.parse().unwrap();
        newest[number] = newest[number].max(Some(row.event));
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let observer = scope.spawn(|| {
            let (store, numbers) = (test.open(), (0..KEYS).collect::<Vec<_>>());
            let mut seen = vec![None; KEYS as usize];
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) {
                for (seen, values) in seen.iter_mut().zip(read(store.as_ref(), &numbers)) {
                    // An entity's values are of one row.
                    assert_eq!(values[0], values[1]);
                    if let StoredValue::Found { event, .. } = values[0] {
                        assert!(*seen <= Some(event), "{seen:?} {event}");
                        *seen = Some(event);
                    }
                }
                looks += 1;
            }
            looks
        });
        let writers: Vec<_> = all
            .iter()
            .map(|batches| {
                let test = &test;
                scope.spawn(move || {
                    let store = test.open();
                    let mut writer = store.writer(stats(), Replace::Outdated).unwrap();
                    for batch in batches {
                        writer.write(&encoded(batch)).unwrap();
                    }
                    writer.finish().unwrap();
                })
            })
            .collect();
        let outcomes: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        assert!(observer.join().unwrap() > 0);
        outcomes.into_iter().for_each(Result::unwrap);
    });
    let stored = read(test.open().as_ref(), &(0..KEYS).collect::<Vec<_>>());
    for (values, newest) in stored.iter().zip(newest) {
        let StoredValue::Found { event, .. } = &values[0] else { panic!() };
        assert_eq!(Some(*event), newest);
    }
    // PostgreSQL counts circles of writers that waited for each other.
    let name = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(test.postgres().query_one(name, &[]).unwrap().get::<_, i64>(0), 0);
}
