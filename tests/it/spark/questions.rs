//! What an offline store is asked besides joins, asked of clusters: the answers are those of DuckDB, whatever the rows are.

use std::{fmt::Write as _, ops::ControlFlow, sync::Arc, time::Duration};

use arrow::{
    array::{Float32Array, Int64Array, RecordBatch, StringArray},
    datatypes::SchemaRef,
    util::display::array_value_to_string,
};
use feastr::{
    config::{OfflineStoreConfig, SparkConfig, StoreConfig},
    model::{DataType, FeatureView, Field, Interval, Timestamp},
    offline::{self, BatchSink, Counted, EntityQuery, EntitySource, NewestQuery, OfflineStore, RowsQuery},
    retrieval::{Entities, JoinKey},
};
use proptest::{
    prelude::*,
    test_runner::{TestCaseError, TestRunner},
};

use crate::{
    point_in_time::{config, times, view, write},
    servers::spark::{TOKEN, sail, spark},
};

/// Key, event second, creation second and two values.
type Row = (Option<i64>, Option<i64>, Option<i64>, Option<i8>, Option<u8>);

/// What is asked about which rows.
#[derive(Debug, Clone)]
struct Questions {
    rows: Vec<Row>,
    has_created: bool,
    has_key: bool,
    /// The interval, and now, in seconds.
    start: i64,
    length: i64,
    now: i64,
}

fn questions() -> impl Strategy<Value = Questions> {
    let some = |end: i64| proptest::option::weighted(0.85, 0..end);
    let values = (proptest::option::weighted(0.8, -2..3_i8), proptest::option::weighted(0.8, 0..3_u8));
    let row =
        (some(3), some(5), some(4), values).prop_map(|(key, event, created, (x, word))| (key, event, created, x, word));
    let flags = (any::<bool>(), prop_oneof![4 => Just(true), 1 => Just(false)]);
    (proptest::collection::vec(row, 0..40), flags, (0..6_i64, 0..6_i64, 0..6_i64)).prop_map(|(rows, flags, moments)| {
        let ((has_created, has_key), (start, length, now)) = (flags, moments);
        Questions { rows, has_created, has_key, start, length, now }
    })
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

/// Rows as texts, in their order.
#[derive(Default)]
struct Texts(Vec<String>);

impl BatchSink for Texts {
    fn start(&mut self, _: &SchemaRef) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        self.0.extend((0..batch.num_rows()).map(|row| {
            let values = batch.columns().iter().map(|column| array_value_to_string(column, row).unwrap());
            values.collect::<Vec<_>>().join("|")
        }));
        ControlFlow::Continue(())
    }
}

impl Texts {
    fn sorted(mut self) -> Vec<String> {
        self.0.sort();
        self.0
    }
}

impl Questions {
    fn view(&self) -> FeatureView {
        let view = view(0, self.has_created, self.has_key);
        FeatureView { features: vec![Field::new("x", DataType::Float32), Field::new("word", DataType::String)], ..view }
    }

    /// What two stores answer over the same rows.
    fn answers(&self, stores: [&OfflineStoreConfig; 2]) -> [String; 2] {
        let folder = tempfile::tempdir().unwrap();
        write(
            &folder.path().join("source.parquet"),
            vec![
                ("key", Arc::new(self.rows.iter().map(|row| row.0).collect::<Int64Array>())),
                ("at", times(self.rows.iter().map(|row| row.1))),
                ("created", times(self.rows.iter().map(|row| row.2))),
                ("x", Arc::new(self.rows.iter().map(|row| row.3.map(f32::from)).collect::<Float32Array>())),
                ("word", Arc::new(self.rows.iter().map(|row| row.4.map(|n| format!("w{n}"))).collect::<StringArray>())),
            ],
        );
        stores.map(|store| {
            let config = StoreConfig { offline_store: store.clone(), ..config(folder.path()) };
            self.asked(offline::open(&config, |_| None, &Arc::default()).as_ref())
        })
    }

    fn asked(&self, store: &dyn OfflineStore) -> String {
        let view = self.view();
        let interval = Interval { start: at(self.start), end: at(self.start + self.length) };
        let mut said = String::new();
        let mut newest = |entities: Option<&Entities>| {
            let (mut rows, query) = (Texts::default(), NewestQuery { entities, ..NewestQuery::of(&view, interval) });
            let read = store.newest(&query, &mut rows).unwrap();
            // About how many entities there are is a guess.
            let counted = Counted { entities: 0, ..store.count(&query).unwrap() };
            writeln!(said, "{:?} {read:?} {counted:?}", rows.sorted()).unwrap();
        };
        newest(None);
        if self.has_key {
            let some = [1, 7].map(|key| vec![("key".to_owned(), format!("{key}"))]);
            newest(Some(&Entities::of_texts(&some).unwrap()));
        }
        writeln!(said, "{:?}", store.examine(&NewestQuery::of(&view, interval), at(self.now)).unwrap()).unwrap();
        let first = store.first_event(&view).map_err(|problem| problem.kind);
        writeln!(said, "{:?} {first:?}", store.ties(&view).unwrap()).unwrap();
        let (mut rows, source) = (Texts::default(), view.source.as_ref().unwrap());
        store.rows(&RowsQuery { source, shown: "the source", interval, columns: None }, &mut rows).unwrap();
        writeln!(said, "{:?}", rows.sorted()).unwrap();
        let keys: Vec<JoinKey> =
            view.join_keys().iter().map(|field| JoinKey { field: field.clone(), column: "of".to_owned() }).collect();
        for at in [None, Some(at(9))] {
            if at.is_none() || self.has_key {
                let source =
                    EntitySource { view: view.clone(), keys: keys.clone(), interval, by_created: self.has_created };
                let entities = store.entities_of(&EntityQuery { sources: vec![source], at }).unwrap();
                writeln!(said, "{:?}", texts_of(&entities)).unwrap();
            }
        }
        said
    }
}

/// Entity rows in their order.
fn texts_of(entities: &Entities) -> Vec<String> {
    let opened = entities.open().unwrap();
    let columns: Vec<_> = opened.columns().columns.iter().map(|column| column.name.clone()).collect();
    let wanted = columns.iter().map(|column| feastr::sources::Wanted {
        column: column.clone(),
        role: if column == "of" { feastr::sources::Role::AsIs } else { feastr::sources::Role::Time },
        null_if_unfit: false,
    });
    let run = Arc::new(opened.scan(wanted.collect()).unwrap()).run();
    let mut texts = vec![columns.join("|")];
    while let Some(mut part) = run.part().unwrap() {
        while let Some(rows) = run.batch(&mut part).unwrap() {
            texts.extend((0..rows.count).map(|row| {
                let values = rows.columns.iter().map(|column| array_value_to_string(column, row).unwrap());
                values.collect::<Vec<_>>().join("|")
            }));
        }
    }
    texts
}

/// Asks a server and DuckDB about so many cases.
fn hold(config: SparkConfig, cases: u32) {
    let store = OfflineStoreConfig::Spark(Box::new(config));
    let settings =
        ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 40, ..ProptestConfig::default() };
    let right = |questions: Questions| -> Result<(), TestCaseError> {
        let [ours, theirs] = questions.answers([&OfflineStoreConfig::DuckDb, &store]);
        prop_assert_eq!(theirs, ours);
        Ok(())
    };
    TestRunner::new(settings).run(&questions(), right).unwrap();
}

#[test]
fn sail_answers_as_duckdb() {
    hold(sail().config("", Duration::from_secs(5)), 24);
}

#[test]
fn spark_answers_as_duckdb() {
    hold(spark().config(&format!("token={TOKEN};use_ssl=false"), Duration::from_secs(60)), 4);
}
