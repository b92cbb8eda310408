//! Which fields are shown as changed, and how.

use super::*;
use crate::model::{
    Expression, Object, OnDemandFeatureView, OnDemandSource, PROTECT_TAG, PostgresSource, PushSource, RequestSource,
    StreamFeatureView,
};

/// `path: kind` of each edit.
fn shown(before: &Object, after: &Object) -> Vec<String> {
    let edits = super::super::edits::edits(before, after);
    let kind = |edit: &Edit| match &edit.kind {
        EditKind::Changed { before, after } => format!("{before} -> {after}"),
        EditKind::Added { after } => format!("+ {after}"),
        EditKind::Removed { before } => format!("- {before}"),
        EditKind::Reordered { after } => format!("order {}", after.join(" ")),
        EditKind::SourceCopy { source } => format!("copy of source {source}"),
        EditKind::ViewCopy { view } => format!("copy of view {view}"),
    };
    edits.iter().map(|edit| format!("{}: {}", edit.path, kind(edit))).collect()
}

#[test]
fn sources_show_the_keys_of_the_format() {
    let file = source("stats");
    let moved = DataSource {
        kind: SourceKind::File(FileSource { path: "x".to_owned(), ..FileSource::default() }),
        ..file.clone()
    };
    let shown = |a: &DataSource, b: &DataSource| shown(&Object::DataSource(a.clone()), &Object::DataSource(b.clone()));
    assert_eq!(shown(&file, &moved), [r#"path: "data/stats.parquet" -> "x""#]);
    let table = DataSource {
        kind: SourceKind::Postgres(PostgresSource { table: "stats".to_owned(), query: String::new() }),
        ..file.clone()
    };
    assert_eq!(
        shown(&file, &table),
        [r#"type: "file" -> "postgres""#, r#"path: - "data/stats.parquet""#, r#"table: + "stats""#]
    );
    let push = |batch: &DataSource| DataSource {
        kind: SourceKind::Push(PushSource { batch_source: Some(Box::new(batch.clone())) }),
        ..source("push")
    };
    assert_eq!(shown(&push(&file), &push(&moved)), ["batch_source: copy of source stats"]);
    assert_eq!(shown(&push(&file), &push(&source("other"))), [r#"batch_source: "stats" -> "other""#]);
}

#[test]
fn features_of_stream_views_have_no_order() {
    let (one, other) = (stream_view(&view("v", &["a", "b"])), stream_view(&view("v", &["b", "a"])));
    assert_eq!(one, other);
    let other = StreamFeatureView { owner: "ana".to_owned(), ..other };
    assert_eq!(shown(&Object::StreamFeatureView(one), &Object::StreamFeatureView(other)), [r#"owner: + "ana""#]);
    let plain = |features: &[&str]| Object::FeatureView(view("v", features));
    assert_eq!(shown(&plain(&["a", "b"]), &plain(&["b", "a"])), ["features: order b a"]);
}

#[test]
fn on_demand_views_show_inputs_and_expressions() {
    let input = |features: &[&str], description: &str| {
        let mut view = view("v", features);
        view.source.as_mut().unwrap().description = description.to_owned();
        OnDemandSource::View(projection(&view))
    };
    let request = |dtype| {
        let kind = SourceKind::Request(RequestSource { schema: vec![Field::new("now", dtype)] });
        OnDemandSource::Request(DataSource { kind, ..source("request") })
    };
    let on_demand = |sources: Vec<OnDemandSource>, sql: &str| {
        let expressions = vec![Expression { name: "sum".to_owned(), sql: sql.to_owned() }];
        Object::OnDemandFeatureView(OnDemandFeatureView { sources, expressions, ..on_demand_view("o") })
    };
    let before = on_demand(vec![request(DataType::Int64), input(&["a"], "")], "a + now");
    let after = on_demand(vec![request(DataType::Int32), input(&["a"], "new")], "a - now");
    assert_eq!(
        shown(&before, &after),
        [
            "sources.request: copy of source request",
            "sources.v: copy of view v",
            r#"expressions.sum.sql: "a + now" -> "a - now""#
        ]
    );
    let selecting = on_demand(vec![request(DataType::Int64), input(&["a", "b"], "")], "a + now");
    assert_eq!(shown(&before, &selecting).len(), 1);
    assert!(shown(&before, &selecting)[0].starts_with("sources.v.features.b: + "));
    let without = on_demand(vec![input(&["a"], "")], "a + now");
    assert_eq!(shown(&before, &without), [r#"sources.request: - "request""#]);
}

#[test]
fn keys_that_are_kept_as_tags_are_shown_as_keys() {
    let before = view("v", &["a"]);
    let mut after = before.clone();
    after.tags.insert(PROTECT_TAG.to_owned(), "true".to_owned());
    after.tags.insert("team".to_owned(), "x".to_owned());
    assert_eq!(
        shown(&Object::FeatureView(before), &Object::FeatureView(after)),
        [r#"tags.team: + "x""#, r#"protect: + "true""#]
    );
}

/// A repo may ask for the removal of what others declare, but not remove it.
#[test]
fn what_a_repo_removes_is_what_it_owns() {
    let mut state = applied(&repo(vec![view("v", &["a"])], Vec::new()));
    assert!(removes(&state, None, "v", None) && removes(&state, None, "v", Some("a")));
    assert!(!removes(&state, None, "w", None) && !removes(&state, None, "v", Some("b")));
    assert!(!removes(&state, Some("team-a"), "v", None), "nobody owns it, so it stays");
    state.owners.insert(ObjectId::new(ObjectKind::FeatureView, "v"), "team-b".to_owned());
    assert!(!removes(&state, Some("team-a"), "v", Some("a")));
    assert!(removes(&state, Some("team-b"), "v", Some("a")));
}
