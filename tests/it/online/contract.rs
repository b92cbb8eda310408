//! What every online store promises.

use feastr::{
    feast::values::{entity_key::KeyPart, value::Value},
    model::{DUMMY_JOIN_KEY, Timestamp},
    online::{OnlineStore, Replace, StoredValue, WriteCounts},
};

use super::{Row, View, at, counts, found, int, read, read_all, stores, write};
use crate::golden::every_value;

/// Runs a test on every store, each with a project of its own.
fn with_every_store(test: &str, run: impl Fn(&dyn OnlineStore, &str)) {
    let folder = tempfile::tempdir().unwrap();
    for (name, store) in stores(&folder) {
        eprintln!("{name}");
        run(store.as_ref(), test);
    }
}

#[test]
fn newer_replaces_older_and_never_the_other_way_round() {
    with_every_store("newest", |store, project| {
        let view = View::simple(project);
        let key = view.number(1);
        let row = |seconds, value| Row::new(key.clone(), seconds, &[int(value), int(-value)]);
        let put = |seconds, value| write(store, &view, Replace::Outdated, &[row(seconds, value)]).unwrap();
        let stored = || read(store, &view, std::slice::from_ref(&key)).remove(0);
        assert_eq!(stored(), [StoredValue::NotFound, StoredValue::NotFound]);
        assert_eq!(put(1000, 1), counts(1, 0));
        assert_eq!(stored(), [found(&int(1), 1000), found(&int(-1), 1000)]);
        assert_eq!(put(999, 2), counts(0, 1));
        assert_eq!(stored(), [found(&int(1), 1000), found(&int(-1), 1000)]);
        assert_eq!(put(1_700_000_000, 3), counts(1, 0));
        assert_eq!(put(1001, 4), counts(0, 1));
        assert_eq!(stored(), [found(&int(3), 1_700_000_000), found(&int(-3), 1_700_000_000)]);
        // Replacing everything asks for no time.
        assert_eq!(write(store, &view, Replace::Everything, &[row(5, 5)]).unwrap(), counts(1, 0));
        assert_eq!(stored(), [found(&int(5), 5), found(&int(-5), 5)]);
    });
}

#[test]
fn times_before_1970_and_far_away_are_compared_rightly() {
    with_every_store("far_times", |store, project| {
        let view = View::simple(project);
        // Each is newer than the one before.
        let times = [-62_135_596_800, -62_135_596_799, -1_000_000, -1, 1, 127, 128, 16_384, 1 << 31, 253_402_300_799];
        let keys: Vec<Vec<u8>> = (0..times.len() as i64).map(|number| view.number(number)).collect();
        for (index, key) in keys.iter().enumerate() {
            let row = |seconds| Row::new(key.clone(), seconds, &[int(seconds), int(0)]);
            let put = |seconds| write(store, &view, Replace::Outdated, &[row(seconds)]).unwrap();
            assert_eq!(put(times[index]), counts(1, 0));
            for (other, seconds) in times.iter().enumerate().filter(|(other, _)| *other != index) {
                if other < index {
                    assert_eq!(put(*seconds), counts(0, 1), "{seconds} after {}", times[index]);
                }
            }
            if let Some(newer) = times.get(index + 1) {
                assert_eq!(put(*newer), counts(1, 0), "{newer} after {}", times[index]);
                assert_eq!(read(store, &view, std::slice::from_ref(key))[0][0], found(&int(*newer), *newer));
            }
        }
    });
}

#[test]
fn nulls_and_missing_entities_differ() {
    with_every_store("nulls", |store, project| {
        let view = View::simple(project);
        let rows = [Row::new(view.number(1), 10, &[Value::NULL, int(1)])];
        write(store, &view, Replace::Outdated, &rows).unwrap();
        let stored = read(store, &view, &[view.number(1), view.number(2)]);
        assert_eq!(stored[0], [StoredValue::Found { value: Vec::new(), event: at(10) }, found(&int(1), 10)]);
        assert_eq!(stored[1], [StoredValue::NotFound, StoredValue::NotFound]);
        // A feature that was added later.
        let wider = View::new(project, "stats", &["k"], &["b", "c"]);
        assert_eq!(read(store, &wider, &[view.number(1)])[0], [found(&int(1), 10), StoredValue::NotFound]);
    });
}

#[test]
fn values_of_all_types_come_back() {
    let values = every_value();
    assert!(values.len() > 40, "{}", values.len());
    let names: Vec<String> = (0..values.len()).map(|index| format!("feature_{index}")).collect();
    with_every_store("types", |store, project| {
        let view = View::new(project, "types", &["k"], &names.iter().map(String::as_str).collect::<Vec<_>>());
        let row = Row { key: view.number(1), event: at(10), created: None, values: values.clone() };
        write(store, &view, Replace::Outdated, &[row]).unwrap();
        let stored = read(store, &view, &[view.number(1)]).remove(0);
        for (value, stored) in values.iter().zip(stored) {
            assert_eq!(stored, StoredValue::Found { value: value.clone(), event: at(10) });
        }
    });
}

#[test]
fn entities_have_keys_of_all_kinds() {
    with_every_store("keys", |store, project| {
        let views = [
            (View::new(project, "whole", &[DUMMY_JOIN_KEY], &["a"]), vec![KeyPart::String("")]),
            (View::new(project, "bytes", &["k"], &["a"]), vec![KeyPart::Bytes(b"{\0}\xff*\r\n")]),
            (View::new(project, "two", &["b", "a"], &["a"]), vec![KeyPart::Int32(-1), KeyPart::String("{é}")]),
            (View::new(project, "times", &["t", "k"], &["a"]), vec![KeyPart::UnixTimestamp(1), KeyPart::Int64(-7)]),
        ];
        for (index, (view, parts)) in views.iter().enumerate() {
            write(store, view, Replace::Outdated, &[Row::new(view.key(parts), 7, &[int(index as i64)])]).unwrap();
        }
        for (index, (view, parts)) in views.iter().enumerate() {
            assert_eq!(read(store, view, &[view.key(parts)]), [[found(&int(index as i64), 7)]]);
        }
    });
}

#[test]
fn several_views_are_read_at_once() {
    with_every_store("together", |store, project| {
        let one = View::new(project, "one", &["k"], &["a", "b"]);
        let two = View::new(project, "two", &["k"], &["a"]);
        let other = View::new(project, "other", &["l"], &["a"]);
        write(store, &one, Replace::Outdated, &[Row::new(one.number(1), 1, &[int(1), int(2)])]).unwrap();
        write(store, &two, Replace::Outdated, &[Row::new(two.number(1), 2, &[int(3)])]).unwrap();
        write(store, &other, Replace::Outdated, &[Row::new(other.number(1), 3, &[int(4)])]).unwrap();
        let requests = [
            two.of(vec![two.number(2), two.number(1), two.number(1)]),
            other.of(vec![other.number(1)]),
            one.of(vec![one.number(1)]),
            one.of(vec![]),
        ];
        let missing = StoredValue::NotFound;
        let expected = vec![
            vec![vec![missing], vec![found(&int(3), 2)], vec![found(&int(3), 2)]],
            vec![vec![found(&int(4), 3)]],
            vec![vec![found(&int(1), 1), found(&int(2), 1)]],
            vec![],
        ];
        assert_eq!(read_all(store, project, &requests).unwrap(), expected);
        assert_eq!(read_all(store, project, &[]).unwrap(), Vec::<Vec<Vec<StoredValue>>>::new());
    });
}

#[test]
fn many_rows_and_many_features_are_written_and_written_again() {
    with_every_store("many", |store, project| {
        let view = View::simple(project);
        let rows: Vec<Row> = (0..20_000)
            .map(|number| Row::new(view.number(number), 100 + number % 7, &[int(number), Value::NULL]))
            .collect();
        assert_eq!(write(store, &view, Replace::Outdated, &rows).unwrap(), counts(20_000, 0));
        let keys: Vec<Vec<u8>> = rows.iter().map(|row| row.key.clone()).collect();
        for (number, stored) in (0..).zip(read(store, &view, &keys)) {
            assert_eq!(stored[0], found(&int(number), 100 + number % 7));
        }
        let newer: Vec<Row> = rows.iter().map(|row| Row { event: at(104), ..row.clone() }).collect();
        let told = write(store, &view, Replace::Outdated, &newer).unwrap();
        assert_eq!(told.written + told.skipped, 20_000);
        // Those of 105 and 106 stay in any case.
        assert!(told.skipped >= 20_000 / 7 * 2, "{told:?}");
        assert_eq!(read(store, &view, &keys[6..7])[0][0], found(&int(6), 106));

        let names: Vec<String> = (0..4_500).map(|index| format!("f{index}")).collect();
        let wide = View::new(project, "wide", &["k"], &names.iter().map(String::as_str).collect::<Vec<_>>());
        let values: Vec<Value> = (0..4_500).map(int).collect();
        let rows = [Row::new(wide.number(1), 5, &values), Row::new(wide.number(2), 5, &values)];
        assert_eq!(write(store, &wide, Replace::Outdated, &rows).unwrap(), counts(2, 0));
        let stored = read(store, &wide, &[wide.number(2)]).remove(0);
        assert_eq!(stored, values.iter().map(|value| found(value, 5)).collect::<Vec<_>>());
        assert_eq!(store.remove_views(std::slice::from_ref(&wide.0), &mut |_| {}).unwrap(), 2);
        assert_eq!(read(store, &wide, &[wide.number(2)])[0][4_499], StoredValue::NotFound);
    });
}

#[test]
fn what_is_flushed_is_stored_and_more_may_follow() {
    with_every_store("flush", |store, project| {
        let view = View::simple(project);
        let row = |number| Row::new(view.number(number), 10, &[int(number), int(0)]);
        let mut writer = store.writer(view.0.clone(), Replace::Outdated).unwrap();
        let mut told = WriteCounts::default();
        let mut add = |more: WriteCounts| told.written += more.written;
        for number in 1..=3 {
            add(writer.write(&[row(number).encoded()]).unwrap());
            add(writer.flush().unwrap());
            assert_eq!(read(store, &view, &[view.number(number)])[0][0], found(&int(number), 10));
        }
        add(writer.write(&[row(4).encoded()]).unwrap());
        // Consumes the writer: what is written afterwards does not compile.
        add(writer.finish().unwrap());
        assert_eq!(told, counts(4, 0));
        assert_eq!(read(store, &view, &[view.number(4)])[0][0], found(&int(4), 10));
    });
}

#[test]
fn removing_views_touches_nothing_else() {
    with_every_store("demo", |store, project| {
        // The name of one project ends like that of the other.
        let longer = format!("my_{project}");
        let removed = View::new(project, "removed", &["k"], &["a", "b"]);
        let neighbours = [
            View::new(project, "kept", &["k"], &["a", "b"]),
            View::new(project, "removed_too", &["k"], &["a"]),
            View::new(project, "pair", &["k", "l"], &["a"]),
            View::new(&longer, "removed", &["k"], &["a", "b"]),
        ];
        let texts = ["x", project, longer.as_str(), "a*b?[c]", "removed"];
        let key = |view: &View, text| {
            let parts = [KeyPart::String(text), KeyPart::String(text)];
            view.key(&parts[..view.0.join_keys.len()])
        };
        let rows = |view: &View| -> Vec<Row> {
            let values = vec![int(1); view.0.features.len()];
            texts.iter().map(|text| Row::new(key(view, text), 9, &values)).collect()
        };
        for view in neighbours.iter().chain([&removed]) {
            write(store, view, Replace::Outdated, &rows(view)).unwrap();
        }
        let mut pages = Vec::new();
        assert_eq!(store.remove_views(std::slice::from_ref(&removed.0), &mut |so_far| pages.push(so_far)).unwrap(), 5);
        assert_eq!(pages.last(), Some(&5));
        let keys = |view: &View| texts.iter().map(|text| key(view, text)).collect::<Vec<_>>();
        assert!(read(store, &removed, &keys(&removed)).iter().flatten().all(|value| *value == StoredValue::NotFound));
        for view in &neighbours {
            let stored = read(store, view, &keys(view));
            assert!(stored.iter().flatten().all(|value| *value == found(&int(1), 9)), "{}", view.0.view);
        }
        assert_eq!(store.remove_views(std::slice::from_ref(&removed.0), &mut |_| {}).unwrap(), 0);
        // It can be filled again.
        assert_eq!(write(store, &removed, Replace::Outdated, &rows(&removed)[..1]).unwrap(), counts(1, 0));
        let all: Vec<_> = neighbours.iter().chain([&removed]).map(|view| view.0.clone()).collect();
        assert_eq!(store.remove_views(&all, &mut |_| {}).unwrap(), 21);
    });
}

#[test]
fn removing_features_leaves_the_rest_of_their_views() {
    with_every_store("features", |store, project| {
        let view = View::new(project, "stats", &["k"], &["a", "b", "c"]);
        let other = View::new(project, "other", &["k"], &["a", "b"]);
        let row = |view: &View, number| Row::new(view.number(number), 9, &vec![int(number); view.0.features.len()]);
        for view in [&view, &other] {
            write(store, view, Replace::Outdated, &(0..1_200).map(|number| row(view, number)).collect::<Vec<_>>())
                .unwrap();
        }
        let removed = View::new(project, "stats", &["k"], &["a", "c"]);
        let mut pages = 0;
        assert_eq!(store.remove_features(std::slice::from_ref(&removed.0), &mut |_| pages += 1).unwrap(), 1_200);
        assert!(pages >= 2, "in pages: {pages}");
        let left = [StoredValue::NotFound, found(&int(7), 9), StoredValue::NotFound];
        assert_eq!(read(store, &view, &[view.number(7)]), [left]);
        assert_eq!(read(store, &other, &[other.number(7)]), [[found(&int(7), 9), found(&int(7), 9)]]);
        assert_eq!(store.remove_features(&[removed.0], &mut |_| {}).unwrap(), 0);
        // The time of the events stayed: an older row does not come in.
        let older = Row::new(view.number(7), 8, &[int(0), int(0), int(0)]);
        let older = write(
            store,
            &View::new(project, "stats", &["k"], &["b"]),
            Replace::Outdated,
            &[Row { values: older.values[..1].to_vec(), ..older }],
        );
        assert_eq!(older.unwrap(), counts(0, 1));
    });
}

#[test]
fn expired_values_are_removed_and_no_others() {
    with_every_store("expired", |store, project| {
        let (one, two) = (View::simple(project), View::new(project, "two", &["k"], &["a"]));
        let rows: Vec<Row> = (0..2_500).map(|n| Row::new(one.number(n), n - 100, &[int(n), Value::NULL])).collect();
        write(store, &one, Replace::Outdated, &rows).unwrap();
        write(store, &two, Replace::Outdated, &[Row::new(two.number(7), 1, &[int(7)])]).unwrap();
        let mut pages = 0;
        let removed = store.remove_expired(&[(one.0.clone(), at(1_900)), (two.0.clone(), at(1))], &mut |_| pages += 1);
        assert_eq!(removed.unwrap(), 2_000);
        assert!(pages >= 2, "in pages: {pages}");
        let keys: Vec<Vec<u8>> = (0..2_500).map(|number| one.number(number)).collect();
        for (number, stored) in (0..).zip(read(store, &one, &keys)) {
            let expected = if number < 2_000 { StoredValue::NotFound } else { found(&int(number), number - 100) };
            assert_eq!(stored[0], expected, "{number}");
        }
        assert_eq!(read(store, &two, &[two.number(7)]), [[found(&int(7), 1)]]);
        assert_eq!(store.remove_expired(&[(two.0.clone(), at(2))], &mut |_| {}).unwrap(), 1);
    });
}

#[test]
fn fractions_of_seconds_count_where_they_are_stored() {
    let folder = tempfile::tempdir().unwrap();
    for (name, store) in stores(&folder) {
        let view = View::simple("fractions");
        let row = |micros, value| Row {
            event: Timestamp::from_micros(micros),
            ..Row::new(view.number(1), 0, &[int(value), int(0)])
        };
        let put = |micros, value| write(store.as_ref(), &view, Replace::Outdated, &[row(micros, value)]).unwrap();
        put(5_000_001, 1);
        if name != "sqlite" && name != "postgres" {
            assert_eq!(put(5_000_001, 2), counts(0, 1), "equal is skipped, as in Feast");
            assert_eq!(put(5_000_000, 3), counts(0, 1));
            assert_eq!(put(5_000_002, 4), counts(1, 0));
        } else {
            assert_eq!(put(5_000_001, 4), counts(1, 0), "in whole seconds the later write wins");
        }
        let StoredValue::Found { value, .. } = &read(store.as_ref(), &view, &[view.number(1)])[0][0] else {
            panic!("nothing")
        };
        assert_eq!(*value, prost::Message::encode_to_vec(&int(4)));
    }
}
