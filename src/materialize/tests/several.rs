//! Several views: at a time, one that fails, one that somebody else has.

use super::*;

#[test]
fn a_missing_source_fails_its_view_alone() {
    let mut other = view("w", &["x"]);
    other.source = Some(crate::model::samples::source("gone"));
    let house = House::of(&[plain(), other]);
    house.put(&[(Some(1), Some(5), 1.0)]);
    let reports = house.run(&house.planned(&["w", "v"], fixed(0, 10)), &OPTIONS);
    assert_eq!(message(&reports[0]), "data source `gone` has no rows");
    assert_eq!((&reports[1].outcome, house.recorded("v")), (&Outcome::Done, vec![(0, 10)]));
}

#[test]
fn a_view_that_somebody_materializes_is_waited_for_until_the_time_is_over() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(10), 1.0)]);
    let runs = house.planned(&["v"], fixed(0, 30));
    let other = house.registry.memory.with(Locking { who: "materialize of bob".to_owned(), ..Locking::default() });
    let lock = other.lock_view(ViewId { project: "p", name: "v" }).unwrap();
    let impatient = house.registry.memory.with(Locking { timeout: std::time::Duration::ZERO, ..Locking::default() });
    let report = run(&house.stores(&impatient), &runs, &OPTIONS, &|_| {}).remove(0);
    assert!(message(&report).contains("held by materialize of bob"), "{report:?}");
    assert_eq!(house.stored("v", 1), None);
    drop(lock);
    let report = run(&house.stores(&impatient), &runs, &OPTIONS, &|_| {}).remove(0);
    assert_eq!(report.outcome, Outcome::Done);
}

#[test]
fn several_views_are_materialized_at_a_time_and_reported_in_their_order() {
    let names = ["a", "b", "c", "d", "e"];
    let house = House::of(&names.map(|name| view(name, &["x"])));
    house.put(&[(Some(1), Some(10), 1.0)]);
    let runs = house.planned(&["e", "d", "c", "b", "a"], fixed(0, 30));
    let (begun, barrier) = (AtomicUsize::new(0), std::sync::Barrier::new(3));
    let on_event = |event: &Event<'_>| {
        // The first three have begun before one of them ends.
        if matches!(event, Event::ViewStarted { .. }) && begun.fetch_add(1, Ordering::SeqCst) < 3 {
            barrier.wait();
        }
    };
    let reports = run(&house.stores(&house.registry), &runs, &RunOptions { jobs: 3, ..OPTIONS }, &on_event);
    assert_eq!(reports.iter().map(|report| report.view.as_str()).collect::<String>(), "edcba");
    assert!(reports.iter().all(|report| report.outcome == Outcome::Done));
    assert!(names.iter().all(|name| house.recorded(name) == [(0, 30)]));
}

/// A house with the views `a`, `b` and `c`, of which `a` cannot be written.
fn with_a_bad_one() -> House {
    let online = |call| match call {
        OnlineCall::Write(view, _) if view == "a" => Err(away("the store")),
        _ => Ok(()),
    };
    let house = House::heard(&["a", "b", "c"].map(|name| view(name, &["x"])), |_| Ok(()), online);
    house.put(&[(Some(1), Some(10), 1.0)]);
    house
}

#[test]
fn a_view_that_fails_does_not_stop_the_others() {
    let house = with_a_bad_one();
    let reports = house.run(&house.planned(&[], fixed(0, 30)), &OPTIONS);
    assert!(matches!(reports[0].outcome, Outcome::Failed(_)));
    assert!(reports[1..].iter().all(|report| report.outcome == Outcome::Done));
}

#[test]
fn after_a_failure_no_view_is_begun_if_that_is_wanted() {
    let house = with_a_bad_one();
    let reports = house.run(&house.planned(&[], fixed(0, 30)), &RunOptions { fail_fast: true, ..OPTIONS });
    assert!(matches!(reports[0].outcome, Outcome::Failed(_)));
    assert!(reports[1..].iter().all(|report| report.outcome == Outcome::NotStarted));
    assert_eq!(*house.events(), ["view_started a", "counted a", "view_finished a"]);
    assert_eq!(house.history().len(), 1, "what was not begun is not in the history");
}
