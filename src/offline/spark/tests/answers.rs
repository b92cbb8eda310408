//! Answers that are none to the question: other columns, other types, other rows. Nothing of them is handed on.

use std::{ops::ControlFlow, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, Float32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::SchemaRef,
};

use super::{
    config,
    fake::{Fake, Step, complete, table},
};
use crate::{
    clients::buckets::Buckets,
    config::MemoryLimit,
    model::{FeatureView, Interval, Object, Timestamp, samples},
    offline::{
        BatchSink, HistoricalQuery, NewestQuery, OfflineStore as _, Progress,
        duckdb::DuckDbStore,
        spark::{
            SparkStore,
            messages::{ExecutePlanRequest, Relation, plan::OpType, relation::RelType},
        },
    },
    problem::{Kind, Problem},
    retrieval::{Entities, Purpose, Selection, resolve},
    sources::Whereabouts,
};

/// Counts rows.
struct Count(usize);

impl BatchSink for Count {
    fn start(&mut self, _: &SchemaRef) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        self.0 += batch.num_rows();
        ControlFlow::Continue(())
    }
}

fn store(fake: &Fake) -> SparkStore {
    let whereabouts = Whereabouts {
        repo: Path::new("/repo").to_owned(),
        postgres: None,
        buckets: Buckets::default(),
        environment: |_| None,
    };
    let whereabouts = Arc::new(whereabouts);
    let embedded = DuckDbStore::new(Arc::clone(&whereabouts), MemoryLimit::default());
    SparkStore::new(&config(fake, ""), whereabouts, embedded)
}

fn view() -> FeatureView {
    samples::view("drivers", &["x"])
}

fn numbers(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn times(values: &[i64]) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(values.to_vec()).with_timezone("UTC"))
}

fn floats(values: &[f32]) -> ArrayRef {
    Arc::new(Float32Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// An answer without rows.
fn nothing() -> Vec<Step> {
    vec![complete("z")]
}

fn answer(columns: &[(&str, ArrayRef)]) -> Vec<Step> {
    vec![table("a", columns), complete("z")]
}

/// What is answered before the question: the source has a name, and these columns.
fn begun() -> Vec<Vec<Step>> {
    let columns = [("driver_id", numbers(&[])), ("event_timestamp", times(&[])), ("x", floats(&[]))];
    vec![nothing(), answer(&columns)]
}

/// What comes of an answer to the question for newest rows.
fn newest(columns: &[(&str, ArrayRef)]) -> Result<usize, Problem> {
    let fake = Fake::spark([begun(), vec![answer(columns)]].concat());
    let (view, mut count) = (view(), Count(0));
    let interval = Interval { start: Timestamp::from_micros(0), end: Timestamp::from_micros(9) };
    store(&fake).newest(&NewestQuery::of(&view, interval), &mut count).map(|_| count.0)
}

/// What comes of answers about two entity rows: what is counted of their candidates, and what is joined to them.
fn joined(counted: &[(&str, ArrayRef)], columns: &[(&str, ArrayRef)]) -> Result<usize, Problem> {
    asked(vec![answer(counted), answer(columns)]).0
}

/// What comes of these answers about two entity rows, and what was asked.
fn asked(answers: Vec<Vec<Step>>) -> (Result<usize, Problem>, Vec<String>) {
    // Entity rows are sent in between.
    let fake = Fake::spark([begun(), vec![nothing()], answers].concat());
    let rows = [("driver_id", numbers(&[1, 2])), ("event_timestamp", times(&[5, 6]))];
    let rows = RecordBatch::try_from_iter(rows).unwrap();
    let selection = Selection::of_features(vec!["drivers:x".parse().unwrap()]);
    let state = samples::registered([Object::FeatureView(view())]);
    let query = HistoricalQuery {
        entities: &Entities::of_batches(rows.schema(), vec![rows]),
        retrieval: &resolve(&state, &selection, false, Purpose::Training).unwrap(),
        filter_by_created_timestamp: false,
        progress: &Progress::default(),
    };
    let mut count = Count(0);
    let read = store(&fake).historical(&query, &mut count).map(|_| count.0);
    let statements =
        fake.messages::<ExecutePlanRequest>("ExecutePlan").into_iter().filter_map(|question| {
            match question.plan?.op_type? {
                OpType::Root(Relation { rel_type: Some(RelType::Sql(sql)), .. }) => Some(sql.query),
                _ => None,
            }
        });
    (read, statements.collect())
}

#[test]
fn newest_rows_with_other_columns_are_an_error() {
    let beside =
        [("__feastr_event", numbers(&[5])), ("__feastr_created", numbers(&[5])), ("__feastr_rows", numbers(&[1]))];
    let keys = [("driver_id", numbers(&[1]))];
    let with = |feature: &[(&'static str, ArrayRef)]| [&keys[..], &beside, feature].concat();
    assert_eq!(newest(&with(&[("x", floats(&[1.0]))])).unwrap(), 1);
    let missing = newest(&with(&[])).unwrap_err();
    assert!(missing.message.contains("`x`"), "{missing:?}");
    let other = newest(&with(&[("x", times(&[1]))])).unwrap_err();
    assert!(other.message.contains("`x`"), "{other:?}");
    let none = newest(&with(&[("x", texts(&["many"]))])).unwrap_err();
    assert!(none.message.contains('x'), "{none:?}");
}

#[test]
fn joined_rows_that_are_others_are_an_error() {
    let few = [("a", numbers(&[4])), ("b", numbers(&[2])), ("c", numbers(&[1])), ("d", numbers(&[3]))];
    let of = |rows: &[i64], x: ArrayRef| joined(&few, &[("__feastr_row", numbers(rows)), ("x", x)]);
    assert_eq!(of(&[0, 1], floats(&[1.0, 2.0])).unwrap(), 2);
    assert_eq!(of(&[1, 0], floats(&[1.0, 2.0])).unwrap(), 2);
    for (rows, said) in [(&[0_i64][..], "1 of 2 rows came"), (&[1, 1], "came twice"), (&[0, 1, 2], "more rows")] {
        let values = vec![1.0; rows.len()];
        let problem = of(rows, floats(&values)).unwrap_err();
        assert!(
            problem.message.contains("not that to these entity rows") && problem.message.contains(said),
            "{problem:?}"
        );
    }
    let problem = of(&[0, 1], times(&[1, 2])).unwrap_err();
    assert!(problem.message.contains("`x`"), "{problem:?}");
    let problem = joined(&few, &[("x", floats(&[1.0, 2.0]))]).unwrap_err();
    assert_eq!(problem.kind, Kind::Unavailable, "{problem:?}");
}

#[test]
fn only_long_histories_are_counted_with_those_who_ask_about_them() {
    let counted = |rows: i64, longest: i64| {
        let counts = [("a", rows), ("b", longest), ("c", 0), ("d", 9)];
        answer(&counts.map(|(name, count)| (name, numbers(&[count]))))
    };
    let pairs = |pairs: i64| answer(&[("a", pairs), ("b", 0), ("c", 9)].map(|(name, count)| (name, numbers(&[count]))));
    let rows = || answer(&[("__feastr_row", numbers(&[0, 1])), ("x", floats(&[1.0, 2.0]))]);
    for (answers, form) in [
        (vec![counted(5_000_000, 2_500_030), rows()], "row_number() OVER (PARTITION BY e.n"),
        (vec![counted(5_000_000, 2_500_031), pairs(7), rows()], "row_number() OVER (PARTITION BY e.n"),
        (vec![counted(5_000_000, 4_000_000), pairs(8_000_000), rows()], "max_by("),
    ] {
        let count = answers.len();
        let (read, statements) = asked(answers);
        assert_eq!(read.unwrap(), 2);
        // The first one asks for the columns of the source.
        assert_eq!(statements.len(), count + 1, "{statements:#?}");
        assert!(statements.last().unwrap().contains(form), "{statements:#?}");
    }
}

#[test]
fn counts_that_are_none_are_an_error() {
    let rows = [("__feastr_row", numbers(&[0, 1])), ("x", floats(&[1.0, 2.0]))];
    for candidates in [
        vec![("a", numbers(&[4]))],
        ["a", "b", "c", "d"].map(|name| (name, numbers(&[4, 5]))).to_vec(),
        ["a", "b", "c", "d"].map(|name| (name, times(&[]))).to_vec(),
    ] {
        let problem = joined(&candidates, &rows).unwrap_err();
        assert!(problem.message.contains("not that to the question"), "{problem:?}");
    }
}
