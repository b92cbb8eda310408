//! Materializations and their history.

use super::*;
use crate::{
    app::history::{Request, Run, history},
    materialize::Outcome,
    model::{RunRecord, RunState},
    registry::RunLog as _,
};

#[test]
fn a_materialization_reports_on_all_views() {
    let house = House::applied(&with_views(&["a", "b"]), &[(1, 10, 1.0)]);
    let report = house.materialize(fixed(0, NOW)).unwrap();
    let of_views: Vec<_> = report.views.iter().map(|view| (view.view.as_str(), &view.outcome)).collect();
    assert_eq!(of_views, [("a", &Outcome::Done), ("b", &Outcome::Done)]);
    assert_eq!((report.by, report.project, report.started), (caller().to_string(), "p".to_owned(), clock()));
    assert!(house.events().iter().all(|event| event == "materializing") && house.events().len() > 4);
}

#[test]
fn a_view_that_fails_is_a_report_and_not_a_failure() {
    let house = House::applied(&with_views(&["a"]), &[]);
    let report = house.materialize(fixed(0, NOW)).unwrap();
    assert_eq!(report.failed(), 1);
}

#[test]
fn an_end_in_the_future_is_refused_but_for_clocks_that_differ() {
    let house = House::applied(&with_views(&["a"]), &[(1, 10, 1.0)]);
    let refused = problem(house.materialize(fixed(0, NOW + 61)).unwrap_err());
    assert_eq!((refused.kind, refused.advice), (Kind::Refused, Some(Advice::AllowFuture)));
    assert!(house.materialize(fixed(0, NOW + 60)).is_ok());
    let wanted = MaterializeRequest { allow_future: true, ..materialization(Range::Until(at(NOW + 61))) };
    assert!(Materialization::plan(&house.store, &caller(), wanted).is_ok());
}

#[test]
fn a_materialization_needs_an_online_store_and_a_project() {
    let house = House::with(config(), None);
    assert_eq!(problem(house.materialize(fixed(0, NOW)).unwrap_err()).message, "this repo has no online store");
    let missing = problem(House::new().materialize(fixed(0, NOW)).unwrap_err());
    assert_eq!((missing.kind, missing.advice), (Kind::NotFound, Some(Advice::Apply)));
}

#[test]
fn a_view_that_is_not_registered_is_told_before_anything_is_written() {
    let house = House::applied(&with_views(&["rides"]), &[(1, 10, 1.0)]);
    let views = ["rides".to_owned(), "ride".to_owned()];
    let request = MaterializeRequest { views: &views, ..materialization(fixed(0, NOW)) };
    let unknown = Materialization::plan(&house.store, &caller(), request).map(|_| ()).unwrap_err();
    assert_eq!(problem(unknown).help().as_deref(), Some("did you mean `rides`?"));
    assert!(house.events().is_empty());
}

#[test]
fn views_that_are_pushed_are_left_out_unless_they_are_named() {
    let pushed = FeatureView { source: None, ..view("pushed", &["x"]) };
    let house = House::applied(&repo(vec![view("a", &["x"]), pushed], Vec::new()), &[(1, 10, 1.0)]);
    let report = house.materialize(fixed(0, NOW)).unwrap();
    assert_eq!((report.views.len(), report.left_out[0].id.name.as_str()), (1, "pushed"));
    let views = ["pushed".to_owned()];
    let request = MaterializeRequest { views: &views, ..materialization(fixed(0, NOW)) };
    assert!(Materialization::plan(&house.store, &caller(), request).is_err());
}

#[test]
fn a_forecast_writes_nothing() {
    let house = House::applied(&with_views(&["a"]), &[(1, 10, 1.0)]);
    let caller = caller();
    let planned = Materialization::plan(&house.store, &caller, materialization(fixed(0, NOW))).unwrap();
    let forecast = planned.forecast().unwrap();
    assert_eq!((planned.views(), forecast[0].chunks[0].rows), (1, 1));
    assert_eq!(past(&house, &[], 9).unwrap(), []);
}

fn past(house: &House, views: &[&str], limit: usize) -> Result<Vec<Run>, Failure> {
    let views: Vec<String> = views.iter().map(|view| (*view).to_owned()).collect();
    history(&house.store, &caller(), Request { views: &views, limit })
}

fn run(id: &str, view: &str, started: i64, by: &str) -> RunRecord {
    RunRecord {
        id: id.to_owned(),
        view: view.to_owned(),
        interval: Interval { start: at(0), end: at(1) },
        started: at(started),
        by: by.to_owned(),
        counts: crate::model::RunCounts::default(),
        shards: None,
        state: RunState::Started,
    }
}

#[test]
fn the_newest_runs_come_first_and_no_more_than_wanted() {
    let house = House::applied(&with_views(&["a", "b"]), &[]);
    for (id, view, started) in [("1", "a", 1), ("3", "a", 3), ("2", "b", 2)] {
        house.registry.record_run("p", &run(id, view, started, "tests")).unwrap();
    }
    let ids = |views: &[&str], limit| {
        past(&house, views, limit).unwrap().into_iter().map(|run| run.record.id).collect::<String>()
    };
    assert_eq!([ids(&[], 9), ids(&[], 2), ids(&["a"], 9), ids(&["a", "b"], 9)], ["321", "32", "31", "321"]);
}

#[test]
fn a_view_is_known_while_it_is_registered_or_has_a_history() {
    let house = House::applied(&with_views(&["rides"]), &[]);
    house.registry.record_run("p", &run("1", "gone", 1, "tests")).unwrap();
    house.registry.record_run("p", &run("2", "rides", 2, "tests")).unwrap();
    // Although its run is not among the newest.
    assert_eq!(past(&house, &["gone", "rides"], 1).unwrap().len(), 1);
    let unknown = problem(past(&house, &["ride"], 9).unwrap_err());
    assert_eq!((unknown.kind, unknown.help().as_deref()), (Kind::NotFound, Some("did you mean `rides`?")));
}

#[test]
fn a_run_goes_on_while_who_runs_it_has_the_lock() {
    let house = House::applied(&with_views(&["a"]), &[]);
    for (id, started, by) in [
        ("cut off", 1, "materialize-incremental of alice@ci-7 (pid 41)"),
        ("going on", 2, "materialize-incremental of alice@ci-7 (pid 412)"),
        // It waited in vain for the lock.
        ("refused", 3, "materialize of bob@ci-8 (pid 7)"),
    ] {
        house.registry.record_run("p", &run(id, "a", started, by)).unwrap();
    }
    let going_on = || {
        let runs = past(&house, &[], 9).unwrap().into_iter().filter(|run| run.goes_on);
        runs.map(|run| run.record.id).collect::<Vec<_>>()
    };
    assert_eq!(going_on(), Vec::<String>::new());
    let who = "materialize-incremental of alice@ci-7 (pid 412)".to_owned();
    let alice = house.registry.with(Locking { who, ..Locking::default() });
    let lock = alice.lock_view(ViewId { project: "p", name: "a" }).unwrap();
    assert_eq!(going_on(), ["going on"]);
    drop(lock);
    assert_eq!(going_on(), Vec::<String>::new());
}
