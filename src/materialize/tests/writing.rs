//! Which values are stored, and that nothing is recorded before they are.

use super::*;

#[test]
fn the_newest_row_of_each_entity_is_stored_and_the_interval_recorded() {
    let house = House::of(&[plain()]);
    house.put(&[
        (Some(1), Some(10), 1.0),
        (Some(1), Some(30), 3.0),
        (Some(1), Some(20), 2.0),
        (Some(2), Some(20), 5.0),
    ]);
    let report = house.run_one(fixed(0, 25), &OPTIONS);
    assert_eq!(report.outcome, Outcome::Done);
    assert_eq!(report.counts, RunCounts { read: 3, written: 2, ..RunCounts::default() });
    assert_eq!((house.stored("v", 1), house.stored("v", 2)), (Some((2.0, 20)), Some((5.0, 20))));
    assert_eq!((house.recorded("v"), report.materialized_until), (vec![(0, 25)], Some(at(25))));
}

#[test]
fn both_ends_belong_to_the_interval() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(10), 1.0), (Some(2), Some(20), 2.0), (Some(3), Some(21), 3.0), (Some(4), Some(9), 4.0)]);
    house.run_one(fixed(10, 20), &OPTIONS);
    let stored = [1, 2, 3, 4].map(|driver| house.stored("v", driver).is_some());
    assert_eq!(stored, [true, true, false, false]);
}

#[test]
fn an_interval_is_recorded_after_its_values_are_stored_for_certain() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let [of_registry, of_online] = [Arc::clone(&calls), Arc::clone(&calls)];
    let house = House::heard(
        &[plain()],
        move |call| {
            of_registry.lock().unwrap().push(format!("{call:?}"));
            Ok(())
        },
        move |call| {
            of_online.lock().unwrap().push(format!("{call:?}"));
            Ok(())
        },
    );
    house.put(&[(Some(1), Some(10), 1.0)]);
    house.run_one(fixed(0, 25), &OPTIONS);
    let expected =
        [r#"RecordRun("v")"#, r#"Write("v", 1)"#, r#"Flush("v")"#, r#"UpdateView("v")"#, r#"RecordRun("v")"#];
    assert_eq!(*calls.lock().unwrap(), expected);
}

#[test]
fn a_writer_that_fails_leaves_no_interval() {
    for fails in [OnlineCall::Write("v".to_owned(), 1), OnlineCall::Flush("v".to_owned())] {
        let online = move |call| if call == fails { Err(away("the store")) } else { Ok(()) };
        let house = House::heard(&[plain()], |_| Ok(()), online);
        house.put(&[(Some(1), Some(10), 1.0)]);
        let report = house.run_one(fixed(0, 25), &OPTIONS);
        assert_eq!((message(&report), &report.chunks[..]), ("the store is away", &[][..]));
        assert_eq!((house.recorded("v"), report.materialized_until), (Vec::new(), None));
    }
}

#[test]
fn a_store_that_fails_is_given_no_more_rows() {
    let writes = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&writes);
    let online = move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Err(away("the store"))
    };
    let house = House::heard(&[plain()], |_| Ok(()), online);
    house.put(&[(Some(1), Some(10), 1.0), (Some(2), Some(10), 1.0), (Some(3), Some(10), 1.0)]);
    house.run_one(fixed(0, 25), &OPTIONS);
    assert_eq!(writes.load(Ordering::Relaxed), 1);
}

#[test]
fn a_value_that_does_not_fit_leaves_no_interval() {
    let house = House::of(&[plain()]);
    let columns: [(&str, ArrayRef); 3] = [
        ("driver_id", Arc::new(Int64Array::from(vec![1]))),
        ("event_timestamp", Arc::new(TimestampMicrosecondArray::from(vec![SECOND]))),
        ("x", Arc::new(arrow::array::StringArray::from(vec!["much"]))),
    ];
    house.offline.put("stats", RecordBatch::try_from_iter(columns).unwrap());
    let report = house.run_one(fixed(0, 25), &OPTIONS);
    assert!(message(&report).starts_with("feature `x`"), "{report:?}");
    assert_eq!(house.recorded("v"), []);
}

#[test]
fn an_interval_that_cannot_be_recorded_is_not_reported_as_done() {
    let registry = |call| if matches!(call, Call::UpdateView(_)) { Err(away("the registry")) } else { Ok(()) };
    let house = House::heard(&[plain()], registry, |_| Ok(()));
    house.put(&[(Some(1), Some(10), 1.0)]);
    let report = house.run_one(fixed(0, 25), &OPTIONS);
    assert_eq!((message(&report), report.materialized_until), ("the registry is away", None));
    // The values are there; a later run finds them.
    assert_eq!(house.stored("v", 1), Some((1.0, 10)));
}

#[test]
fn older_values_do_not_replace_newer_ones_unless_that_is_wanted() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(20), 2.0)]);
    house.run_one(fixed(0, 30), &OPTIONS);
    house.put(&[(Some(1), Some(10), 1.0)]);
    let report = house.run_one(fixed(0, 30), &OPTIONS);
    assert_eq!((report.counts.written, report.counts.skipped), (0, 1));
    assert_eq!(house.stored("v", 1), Some((2.0, 20)));
    house.run_one(fixed(0, 30), &RunOptions { replace: Replace::Everything, ..OPTIONS });
    assert_eq!(house.stored("v", 1), Some((1.0, 10)));
}

#[test]
fn values_of_an_earlier_definition_give_way_to_those_of_the_same_moment() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(10), 1.0)]);
    house.run_one(fixed(0, 30), &OPTIONS);
    house.put(&[(Some(1), Some(10), 5.0)]);
    house.run_one(fixed(0, 30), &OPTIONS);
    assert_eq!(house.stored("v", 1), Some((1.0, 10)));
    let note = put_stale("v", at(30), at(0));
    house.registry.memory.update("p", &mut |_| Some(vec![note.clone()])).unwrap();
    house.run_one(fixed(0, 30), &OPTIONS);
    assert_eq!(house.stored("v", 1), Some((5.0, 10)));
    house.put(&[(Some(1), Some(9), 7.0)]);
    house.run_one(fixed(0, 30), &OPTIONS);
    assert_eq!(house.stored("v", 1), Some((5.0, 10)), "newer ones do not");
}

#[test]
fn the_last_moment_of_an_earlier_definition_is_of_that_one_and_what_follows_is_not() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(30), 1.0), (Some(2), Some(31), 1.0)]);
    house.run_one(fixed(0, 40), &OPTIONS);
    let note = put_stale("v", at(30), at(0));
    house.registry.memory.update("p", &mut |_| Some(vec![note.clone()])).unwrap();
    house.put(&[(Some(1), Some(30), 5.0), (Some(2), Some(31), 5.0)]);
    house.run_one(fixed(31, 40), &OPTIONS);
    assert_eq!(house.stored("v", 2), Some((1.0, 31)));
    // As a first incremental run after the change.
    house.run_one(fixed(30, 40), &OPTIONS);
    assert_eq!(house.stored("v", 1), Some((5.0, 30)));
}

#[test]
fn stream_views_are_filled_from_their_history() {
    let house = House::of(&[]);
    house.register(&Object::StreamFeatureView(stream_view(&plain())));
    house.put(&[(Some(1), Some(10), 1.0)]);
    let report = house.run_one(fixed(0, 30), &OPTIONS);
    assert_eq!((report.outcome, house.stored("v", 1)), (Outcome::Done, Some((1.0, 10))));
    assert_eq!(house.recorded("v"), [(0, 30)]);
}

#[test]
fn rows_without_a_key_are_counted_and_left_out() {
    let house = House::of(&[plain()]);
    house.put(&[(None, Some(10), 1.0), (Some(2), Some(10), 2.0), (Some(3), None, 3.0)]);
    let report = house.run_one(fixed(0, 30), &OPTIONS);
    let expected = RunCounts { read: 2, written: 1, without_key: 1, without_time: 1, ..RunCounts::default() };
    assert_eq!((report.outcome, report.counts), (Outcome::Done, expected));
    assert_eq!(house.events().iter().filter(|event| *event == "warning").count(), 1);
}
