//! Definitions that change between the planning of a run and its end.

use super::*;

/// The report on a run of `v` from 0 to 30 seconds, whose definition becomes another one while it is written.
fn redefined(house: &House, after: &FeatureView) -> ViewReport {
    let on_event = |event: &Event<'_>| {
        if matches!(event, Event::ViewStarted { .. }) {
            house.register(&Object::FeatureView(after.clone()));
        }
    };
    run(&house.stores(&house.registry), &house.planned(&["v"], fixed(0, 30)), &OPTIONS, &on_event).remove(0)
}

#[test]
fn what_was_written_for_another_definition_is_not_recorded_and_a_later_run_is() {
    let before = view("v", &["x", "y"]);
    let mut retyped = before.clone();
    retyped.features[1].dtype = DataType::Float64;
    let mut moved = before.clone();
    moved.source.as_mut().unwrap().field_mapping.insert("x".to_owned(), "z".to_owned());
    for after in [plain(), retyped, FeatureView { features: Vec::new(), ..moved }] {
        let house = House::of(std::slice::from_ref(&before));
        house.put(&[(Some(1), Some(10), 1.0)]);
        let report = redefined(&house, &after);
        let Outcome::Failed(problem) = &report.outcome else { panic!("{report:?}") };
        assert_eq!((problem.kind, house.recorded("v")), (Kind::Conflict, Vec::new()));
        assert!(problem.message.contains("changed while it was materialized"), "{problem:?}");
        house.register(&Object::FeatureView(before.clone()));
        assert_eq!(house.run_one(fixed(0, 30), &OPTIONS).outcome, Outcome::Done);
    }
}

#[test]
fn words_about_a_view_may_change_while_it_is_written() {
    let after = FeatureView { description: "other words".to_owned(), ..plain() };
    let house = House::of(&[plain()]);
    house.put(&[(Some(1), Some(10), 1.0)]);
    assert_eq!((redefined(&house, &after).outcome, house.recorded("v")), (Outcome::Done, vec![(0, 30)]));
    assert!(house.state().objects.values().any(|object| *object == Object::FeatureView(after.clone())));
}

#[test]
fn a_run_writes_what_is_registered_when_its_turn_comes() {
    let (one, both) = (plain(), view("v", &["x", "y"]));
    let house = House::of(std::slice::from_ref(&both));
    house.put(&[(Some(1), Some(10), 1.0)]);
    let planned = house.planned(&["v"], fixed(0, 30));
    house.register(&Object::FeatureView(one));
    assert_eq!(house.run(&planned, &OPTIONS)[0].outcome, Outcome::Done);
    assert_eq!((house.stored_as("v", "x", 1), house.stored_as("v", "y", 1)), (Some((1.0, 10)), None));
    let planned = house.planned(&["v"], fixed(0, 30));
    house.register(&Object::FeatureView(both));
    house.put(&[(Some(1), Some(11), 1.0)]);
    assert_eq!(house.run(&planned, &OPTIONS)[0].outcome, Outcome::Done);
    assert_eq!(house.stored_as("v", "y", 1), Some((10.0, 11)));
}

#[test]
fn a_view_that_is_not_to_be_written_any_more_is_not() {
    let (disabled, offline) = (FeatureView { enabled: false, ..plain() }, FeatureView { online: false, ..plain() });
    for (after, said) in [
        (Some(disabled), "feature view `v` is disabled"),
        (Some(offline), "feature view `v` is not for the online store"),
        (None, "it was removed from the registry meanwhile"),
    ] {
        let house = House::of(&[plain()]);
        house.put(&[(Some(1), Some(10), 1.0)]);
        let planned = house.planned(&["v"], fixed(0, 30));
        match after {
            Some(after) => house.register(&Object::FeatureView(after)),
            None => house.remove("v"),
        }
        let report = house.run(&planned, &OPTIONS).remove(0);
        assert_eq!((message(&report), house.recorded("v"), house.stored("v", 1)), (said, Vec::new(), None));
    }
}
