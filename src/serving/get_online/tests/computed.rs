use std::sync::Arc;

use super::*;
use crate::{
    expression::testing::{computed, request},
    model::{OnDemandFeatureView, OnDemandSource, samples::projection},
    problem::Advice,
};

/// `sum` of the stored `f` and the request's `tip`, and `share`, which fails where `f` is none.
fn computing(drivers: &FeatureView) -> OnDemandFeatureView {
    let sources = vec![OnDemandSource::View(projection(drivers)), request("r", &[("tip", DataType::Int64)])];
    computed(sources, &[("sum", DataType::Int64, "f + tip"), ("share", DataType::Int64, "100 // f")])
}

fn ask_computed(
    store: &dyn Reader,
    drivers: &FeatureView,
    names: &[&str],
    entities: &Entities,
) -> Result<Answer, Problem> {
    let view = computing(drivers);
    let state = registered([Object::FeatureView(drivers.clone()), Object::OnDemandFeatureView(view)]);
    let retrieval = Arc::new(resolve(&state, &references(names), true, Purpose::Serving)?);
    wait(OnlineFeatures::new("p", retrieval, store, &Arc::default())?.of(entities, NOW, soon()))
}

fn asked(rows: &[(&str, &str)]) -> Entities {
    let row =
        |(key, tip): &(&str, &str)| [("k", *key), ("tip", *tip)].map(|(name, text)| (name.to_owned(), text.to_owned()));
    Entities::of_texts(&rows.iter().map(|asked| row(asked).to_vec()).collect::<Vec<_>>()).unwrap()
}

#[test]
fn what_is_stored_and_what_is_asked_with_are_put_together() {
    let store = MemoryOnlineStore::default();
    let drivers = FeatureView { ttl: Ttl::from_micros(60 * SECOND), ..view("drivers", Some(DataType::Int64)) };
    put(&store, &drivers, KeyPart::Int64(1), [number(7), number(0)], at(60));
    put(&store, &drivers, KeyPart::Int64(2), [number(8), number(0)], at(61));
    put(&store, &drivers, KeyPart::Int64(3), [number(0), number(0)], at(0));
    let names = ["computed:sum", "computed:share"];
    let entities = asked(&[("1", "10"), ("2", "10"), ("3", "10"), ("4", "10")]);
    let answer = ask_computed(&store, &drivers, &names, &entities).unwrap();
    // Inputs that nobody asked for are not shown.
    assert_eq!(super::names(&answer), ["k", "computed__sum", "computed__share"]);
    // What is too old, or not there, is no value, as in training.
    use Status::{Invalid, NullValue, Present};
    assert_eq!(statuses(&answer.columns[1]), [Present, NullValue, Present, NullValue]);
    assert_eq!(answer.columns[1].value(0).unwrap(), number(17));
    assert_eq!(answer.columns[1].value(2).unwrap(), number(10));
    // A value that cannot be computed leaves the others.
    assert_eq!(statuses(&answer.columns[2]), [Present, NullValue, Invalid, NullValue]);
    assert_eq!([0, 2].map(|row| answer.columns[2].value(row).unwrap()), [number(14), Value::NULL]);
}

#[test]
fn fields_of_requests_are_wanted_of_their_type() {
    let store = MemoryOnlineStore::default();
    let drivers = view("drivers", Some(DataType::Int64));
    let problem = |entities: &Entities| ask_computed(&store, &drivers, &["computed:sum"], entities).unwrap_err();
    let missing = problem(&keys(&["1"]));
    assert_eq!(missing.message, "the request field `tip` is missing, which on demand feature view `computed` needs");
    assert_eq!(missing.advice, Some(Advice::GiveRequestField("tip".to_owned())));
    let wrong = problem(&asked(&[("1", "2"), ("2", "much")]));
    assert_eq!(wrong.message, "`much`, the request field `tip` of entity 2, is not an Int64");
    // Whom no field is needed of is not asked for one.
    assert!(ask_computed(&store, &drivers, &["computed:share"], &keys(&["1"])).is_ok());
    let unknown = Entities::of_texts(&[vec![("k".to_owned(), "1".to_owned()), ("tipp".to_owned(), "2".to_owned())]]);
    assert_eq!(problem(&unknown.unwrap()).message, "no requested feature has the join key or request field `tipp`");
}
