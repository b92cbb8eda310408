//! Checks of a view's source.

use super::*;

fn with_checks(checks: Checks) -> FeatureView {
    let mut view = plain();
    checks.add_to(&mut view.tags);
    view
}

/// The outcome of a run from 0 to 1 000 seconds under checks, and what is recorded then.
fn checked(checks: Checks, rows: &[(Option<i64>, Option<i64>, f32)]) -> (ViewReport, House) {
    let house = House::of(&[with_checks(checks)]);
    house.put(rows);
    let report = house.run_one(fixed(0, NOW), &OPTIONS);
    (report, house)
}

#[test]
fn with_fewer_rows_than_are_wanted_nothing_is_written() {
    let checks = Checks { min_rows: 2, ..Checks::default() };
    let (report, house) = checked(checks, &[(Some(1), Some(10), 1.0), (Some(2), Some(2_000), 1.0)]);
    assert!(message(&report).starts_with("its source has 1 row from"), "{report:?}");
    let Outcome::Failed(problem) = &report.outcome else { panic!("{report:?}") };
    assert_eq!((problem.kind, house.stored("v", 1), house.recorded("v")), (Kind::Refused, None, Vec::new()));
    let (report, _) = checked(checks, &[(Some(1), Some(10), 1.0), (Some(1), Some(11), 1.0)]);
    assert_eq!(report.outcome, Outcome::Done);
}

#[test]
fn rows_without_a_key_can_be_refused() {
    let checks = Checks { null_keys: NullKeys::Fail, ..Checks::default() };
    let (report, house) = checked(checks, &[(Some(1), Some(10), 1.0), (None, Some(20), 1.0), (None, Some(15), 1.0)]);
    let expected = "no driver_id in 2 rows of its source, for example the one of 1970-01-01T00:00:15Z";
    assert_eq!((message(&report), house.stored("v", 1)), (expected, None));
    // Elsewhere in the source they do not matter.
    let (report, _) = checked(checks, &[(Some(1), Some(10), 1.0), (None, Some(2_000), 1.0)]);
    assert_eq!(report.outcome, Outcome::Done);
}

#[test]
fn rows_of_the_future_are_counted_or_refused() {
    let rows = [(Some(1), Some(10), 1.0), (Some(2), Some(NOW + 1), 1.0), (Some(3), Some(NOW + 9), 1.0)];
    let (report, _) = checked(Checks::default(), &rows);
    assert_eq!((report.outcome, report.counts.future), (Outcome::Done, 0));
    let (report, _) = checked(Checks { future: FutureRows::Count, ..Checks::default() }, &rows);
    assert_eq!((report.outcome, report.counts.future), (Outcome::Done, 2));
    let (report, house) = checked(Checks { future: FutureRows::Fail, ..Checks::default() }, &rows);
    assert_eq!(message(&report), "2 rows of its source in the future, the latest of 1970-01-01T00:16:49Z");
    assert_eq!(house.recorded("v"), []);
}

#[test]
fn what_is_not_yet_now_can_be_skipped_and_comes_with_a_later_run() {
    let house = House::of(&[with_checks(Checks { future: FutureRows::Skip, ..Checks::default() })]);
    house.put(&[(Some(1), Some(10), 1.0), (Some(2), Some(NOW + 1), 1.0)]);
    let report = house.run_one(fixed(0, NOW + 50), &OPTIONS);
    assert_eq!((report.outcome, report.counts.future), (Outcome::Done, 1));
    assert_eq!((house.recorded("v"), house.stored("v", 2)), (vec![(0, NOW)], None));
    let report = house.run_one(fixed(NOW + 1, NOW + 50), &OPTIONS);
    assert!(message(&report).starts_with("its checks skip what is in the future"), "{report:?}");
}

#[test]
fn checks_of_a_later_feastr_are_refused() {
    let mut strange = plain();
    strange.tags.insert(crate::model::CHECKS_TAG.to_owned(), r#"{"newer": 1}"#.to_owned());
    let house = House::of(&[strange]);
    house.put(&[(Some(1), Some(10), 1.0)]);
    let report = house.run_one(fixed(0, 30), &OPTIONS);
    assert!(message(&report).starts_with("its registered checks cannot be read"), "{report:?}");
    assert_eq!(house.stored("v", 1), None);
}
