//! Which moments a run is about, in which parts.

use super::*;

#[test]
fn chunks_are_recorded_one_by_one_as_far_as_they_came() {
    let flushes = AtomicUsize::new(0);
    let online = move |call| match call {
        OnlineCall::Flush(_) if flushes.fetch_add(1, Ordering::Relaxed) == 2 => Err(away("the store")),
        _ => Ok(()),
    };
    let house = House::heard(&[plain()], |_| Ok(()), online);
    house.put(&[(Some(1), Some(5), 1.0), (Some(1), Some(15), 2.0), (Some(1), Some(25), 3.0)]);
    let report = house.run_one(fixed(0, 40), &RunOptions { chunk: Some(10 * SECOND), ..OPTIONS });
    assert_eq!(message(&report), "the store is away");
    assert_eq!((house.recorded("v"), report.materialized_until), (vec![(0, 10), (10, 20)], Some(at(20))));
    assert_eq!(report.chunks.iter().map(|chunk| chunk.counts.written).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn chunks_without_rows_are_recorded_and_open_no_writer() {
    let writes = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&writes);
    let online = move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(())
    };
    let house = House::heard(&[plain()], |_| Ok(()), online);
    house.put(&[(Some(1), Some(5), 1.0)]);
    let report = house.run_one(fixed(10, 30), &RunOptions { chunk: Some(10 * SECOND), ..OPTIONS });
    assert_eq!((report.outcome, house.recorded("v")), (Outcome::Done, vec![(10, 20), (20, 30)]));
    assert_eq!(writes.load(Ordering::Relaxed), 0);
}

#[test]
fn a_row_at_the_border_of_two_chunks_is_written_once() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(10), 1.0)]);
    let report = house.run_one(fixed(0, 20), &RunOptions { chunk: Some(10 * SECOND), ..OPTIONS });
    assert_eq!((report.counts.written, report.counts.skipped), (1, 1));
}

#[test]
fn an_incremental_run_goes_on_where_the_last_one_ended() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(5), 1.0)]);
    house.run_one(fixed(0, 10), &OPTIONS);
    house.put(&[(Some(1), Some(5), 1.0), (Some(2), Some(7), 2.0), (Some(3), Some(15), 3.0)]);
    let report = house.run_one(Range::Until(at(20)), &OPTIONS);
    assert_eq!((report.interval, house.recorded("v")), (interval(10, 20), vec![(0, 10), (10, 20)]));
    // What came late is not looked for.
    assert_eq!((house.stored("v", 2), house.stored("v", 3)), (None, Some((3.0, 15))));
}

#[test]
fn the_first_incremental_run_begins_with_the_ttl_or_the_first_event() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(5), 1.0), (Some(2), Some(50), 2.0)]);
    assert_eq!(house.run_one(Range::Until(at(60)), &OPTIONS).interval, interval(5, 60));
    let house = House::of(&[FeatureView { ttl: Ttl::from_micros(30 * SECOND), ..plain() }]);
    house.put(&[(Some(1), Some(5), 1.0), (Some(2), Some(50), 2.0)]);
    assert_eq!(house.run_one(Range::Until(at(60)), &OPTIONS).interval, interval(30, 60));
    assert_eq!(house.stored("v", 1), None);
}

/// Python Feast can read no earlier time.
#[test]
fn a_first_incremental_run_starts_no_earlier_than_year_one() {
    const YEAR_0: i64 = -62_153_222_400;
    for ttl in [0, 800_000 * 86_400 * SECOND] {
        let house = House::of(&[FeatureView { ttl: Ttl::from_micros(ttl), ..plain() }]);
        house.put(&[(Some(1), Some(YEAR_0), 1.0), (Some(2), Some(NOW), 2.0)]);
        let (state, runs) = (house.state(), house.planned(&["v"], Range::Until(at(NOW))));
        let forecast = forecast(&house.stores(&house.registry), &state, &runs, (None, None));
        assert_eq!(forecast[0].chunks[0].interval.start, Timestamp::FIRST);
        house.run(&runs, &OPTIONS);
        assert_eq!(house.recorded("v"), [(Timestamp::FIRST.seconds(), NOW)]);
    }
}

#[test]
fn an_incremental_run_may_find_nothing_new() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(5), 1.0)]);
    house.run_one(fixed(0, 10), &OPTIONS);
    let report = house.run_one(Range::Until(at(20)), &OPTIONS);
    assert_eq!((report.outcome, report.counts.read), (Outcome::Done, 0));
    assert_eq!(house.recorded("v"), [(0, 10), (10, 20)]);
}

#[test]
fn an_incremental_run_does_not_go_back() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(5), 1.0)]);
    house.run_one(fixed(0, 30), &OPTIONS);
    let report = house.run_one(Range::Until(at(20)), &OPTIONS);
    assert!(message(&report).starts_with("it is already materialized until 1970-01-01T00:00:30Z"), "{report:?}");
    assert_eq!((house.recorded("v"), report.materialized_until), (vec![(0, 30)], Some(at(30))));
}

/// Of runs that begin at once one may come to the registry when the other is done.
#[test]
fn an_incremental_run_until_now_may_find_that_another_one_came_further() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(5), 1.0)]);
    house.run_one(fixed(0, NOW - 1), &OPTIONS);
    let range = Range::UntilNow(at(NOW - 2));
    let runs = house.planned(&["v"], range);
    let forecast = forecast(&house.stores(&house.registry), &house.state(), &runs, (None, None));
    assert_eq!((forecast[0].problem.as_deref(), forecast[0].chunks.len()), (None, 0));
    let report = house.run_one(range, &OPTIONS);
    assert_eq!((report.outcome, house.recorded("v")), (Outcome::Done, vec![(0, NOW - 1)]));

    house.run_one(fixed(0, NOW + 100), &OPTIONS);
    let report = house.run_one(range, &OPTIONS);
    assert!(message(&report).starts_with("it is already materialized until"), "{report:?}");
}

#[test]
fn what_another_run_did_since_the_plan_is_not_done_again() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(5), 1.0)]);
    house.run_one(fixed(0, 10), &OPTIONS);
    let planned = house.planned(&["v"], Range::Until(at(20)));
    house.run_one(fixed(10, 30), &OPTIONS);
    let report = house.run(&planned, &OPTIONS).remove(0);
    assert_eq!((report.outcome, house.recorded("v").len()), (Outcome::Done, 2));
}

#[test]
fn an_empty_source_is_a_mistake_and_nothing_is_recorded() {
    for range in [fixed(0, 10), Range::Until(at(10))] {
        let house = House::of(&[plain()]);
        house.put(&[]);
        let report = house.run_one(range, &OPTIONS);
        assert_eq!(message(&report), "its source is empty");
        assert_eq!(house.recorded("v"), []);
    }
}

#[test]
fn a_source_whose_rows_have_no_times_is_a_mistake() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), None, 1.0)]);
    let report = house.run_one(fixed(0, 10), &OPTIONS);
    assert_eq!((message(&report), report.counts.without_time), ("no row has a time", 1));
    assert_eq!(house.recorded("v"), []);
}

#[test]
fn a_forecast_says_what_a_run_would_read_and_writes_nothing() {
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(5), 1.0), (Some(1), Some(15), 2.0), (Some(2), Some(15), 2.0)]);
    let mark = house.registry.memory.mark("p").unwrap();
    let (state, runs) = (house.state(), house.planned(&["v"], Range::Until(at(25))));
    let forecast = forecast(&house.stores(&house.registry), &state, &runs, (Some(10 * SECOND), None));
    let chunks: Vec<_> = forecast[0].chunks.iter().map(|chunk| (chunk.interval, chunk.rows, chunk.entities)).collect();
    assert_eq!(chunks, [(interval(5, 15), 3, 2), (interval(15, 25), 2, 2)]);
    assert_eq!((forecast[0].problem.clone(), house.registry.memory.mark("p").unwrap()), (None, mark));
    assert_eq!((house.stored("v", 1), house.history().len()), (None, 0));
}

#[test]
fn a_forecast_says_why_a_run_would_fail() {
    let house = House::of(&[plain()]);
    house.put(&[]);
    let forecast =
        forecast(&house.stores(&house.registry), &house.state(), &house.planned(&["v"], fixed(0, 9)), (None, None));
    assert_eq!(forecast[0].problem.as_deref(), Some("its source is empty"));
}
