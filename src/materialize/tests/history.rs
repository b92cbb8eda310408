//! What a run tells, while it goes on and afterwards.

use super::*;

#[test]
fn a_run_tells_what_happens_in_its_order() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(10), 1.0)]);
    house.run_one(fixed(0, 30), &OPTIONS);
    let expected = ["view_started v", "counted v", "progress v", "progress v", "chunk_finished v", "view_finished v"];
    assert_eq!(*house.events(), expected);
}

#[test]
fn the_history_knows_how_a_run_ended() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(10), 1.0)]);
    let report = house.run_one(fixed(0, 30), &OPTIONS);
    let [run] = &house.history()[..] else { panic!("{:?}", house.history()) };
    assert_eq!((run.view.as_str(), run.by.as_str(), run.interval), ("v", OPTIONS.by, interval(0, 30)));
    assert_eq!((run.counts, &run.state), (report.counts, &RunState::Done { finished: clock() }));
}

#[test]
fn the_history_knows_why_a_run_failed_also_before_it_began() {
    let house = House::of(&[plain()]);
    house.put(&[]);
    house.run_one(Range::Until(at(20)), &OPTIONS);
    let [run] = &house.history()[..] else { panic!("{:?}", house.history()) };
    let failed = RunState::Failed { finished: clock(), message: "its source is empty".to_owned() };
    assert_eq!((&run.state, run.interval), (&failed, interval(20, 20)));
}

#[test]
fn the_history_cuts_long_messages_between_letters() {
    let online = |_| Err(Problem::new(Kind::Unavailable, "ü".repeat(5_000), None));
    let house = House::heard(&[plain()], |_| Ok(()), online);
    house.put(&[(Some(1), Some(10), 1.0)]);
    house.run_one(fixed(0, 30), &OPTIONS);
    let RunState::Failed { message, .. } = &house.history()[0].state else { panic!("{:?}", house.history()) };
    assert_eq!(message.chars().count(), 2_000);
}

#[test]
fn a_history_that_cannot_be_written_stops_no_run_and_is_told_once() {
    let registry = |call| if matches!(call, Call::RecordRun(_)) { Err(away("the history")) } else { Ok(()) };
    let house = House::heard(&["a", "b"].map(|name| view(name, &["x"])), registry, |_| Ok(()));
    house.put(&[(Some(1), Some(10), 1.0)]);
    let reports = house.run(&house.planned(&[], fixed(0, 30)), &OPTIONS);
    assert!(reports.iter().all(|report| report.outcome == Outcome::Done));
    assert_eq!(house.events().iter().filter(|event| *event == "warning").count(), 1);
}
