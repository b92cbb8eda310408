//! The point-in-time join against one that goes through all rows in memory.

use std::{collections::BTreeMap, fs::File, ops::ControlFlow, path::Path, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMicrosecondArray},
    datatypes::{Int64Type, SchemaRef},
};
use feastr::{
    config::{
        AuthConfig, BucketSettings, FeatureServerConfig, MemoryLimit, OfflineStoreConfig, RegistryConfig, StoreConfig,
    },
    model::{DataSource, DataType, FeatureView, Field, FileSource, SourceKind, Tags, Ttl},
    offline::{self, BatchSink, HistoricalQuery, Progress},
    retrieval::{Entities, JoinKey, Retrieval, SelectedFeature, SelectedView, Shown},
};
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;

/// A second, so that generated times are easy to read.
const SECOND: i64 = 1_000_000;

/// A source row: key, event second, creation second; its value is its place in the list.
type SourceRow = (Option<i64>, i64, Option<i64>);

/// An entity row: key and second.
type EntityRow = (Option<i64>, Option<i64>);

fn source_rows() -> impl Strategy<Value = Vec<SourceRow>> {
    let row = (proptest::option::weighted(0.9, 0..4_i64), -3..20_i64, proptest::option::weighted(0.8, -3..25_i64));
    // Rows that differ in nothing but their value have no order among them.
    proptest::collection::btree_set(row, 0..60).prop_map(|rows| rows.into_iter().collect()).prop_shuffle()
}

fn entity_rows() -> impl Strategy<Value = Vec<EntityRow>> {
    let row = (proptest::option::weighted(0.9, 0..5_i64), proptest::option::weighted(0.95, -4..30_i64));
    proptest::collection::vec(row, 1..30)
}

/// Rows of a source, and who is asked about, and how.
#[derive(Debug, Clone)]
pub struct Case {
    source: Vec<SourceRow>,
    entities: Vec<EntityRow>,
    /// In seconds; 0 is no limit.
    ttl: i64,
    has_created: bool,
    by_created: bool,
    has_key: bool,
}

impl Case {
    /// Any case that has one right answer.
    pub fn any() -> impl Strategy<Value = Self> {
        let ttl = prop_oneof![Just(0_i64), 1..12_i64];
        let has_key = prop_oneof![4 => Just(true), 1 => Just(false)];
        let flags = (any::<bool>(), any::<bool>(), has_key);
        (source_rows(), entity_rows(), ttl, flags).prop_map(|(source, entities, ttl, flags)| {
            let (has_created, by_created, has_key) = flags;
            // Rows that only differ in what the join does not look at have no order either.
            let source = unique(source, has_created, has_key);
            Self { source, entities, ttl, has_created, by_created, has_key }
        })
    }

    /// Long histories of few keys, most of them of one, with many rows of one moment: those that are alike in all but their
    /// values as well, of which the greatest counts.
    pub fn long() -> impl Strategy<Value = Self> {
        let key = prop_oneof![1 => Just(None), 6 => Just(Some(0_i64)), 2 => (1..3_i64).prop_map(Some)];
        let row = (key, 0..30_i64, proptest::option::weighted(0.8, 0..35_i64));
        let ttl = prop_oneof![Just(0_i64), 1..8_i64, 20..40_i64];
        let flags = (any::<bool>(), any::<bool>(), prop_oneof![4 => Just(true), 1 => Just(false)]);
        (proptest::collection::vec(row, 100..300), entity_rows(), ttl, flags).prop_map(
            |(source, entities, ttl, flags)| {
                let (has_created, by_created, has_key) = flags;
                Self { source, entities, ttl, has_created, by_created, has_key }
            },
        )
    }

    /// What one who goes through all rows finds.
    pub fn expected(&self) -> Vec<Option<i64>> {
        self.entities.iter().map(|entity| naive(self, *entity)).collect()
    }

    /// Many entity rows about a few keys.
    pub fn of_many(rows: i64) -> Self {
        let source = (0..4).map(|key| (Some(key), 0, None)).collect();
        let entities = (0..rows).map(|row| (Some((row * row) % 5), Some(1))).collect();
        Self { source, entities, ttl: 0, has_created: false, by_created: false, has_key: true }
    }

    /// The first row that is not what is expected, or none.
    pub fn first_wrong(&self, actual: &[Option<i64>]) -> Option<usize> {
        let expected = self.expected();
        assert_eq!(actual.len(), expected.len());
        actual.iter().zip(&expected).position(|(actual, expected)| actual != expected)
    }

    /// What an offline store finds.
    pub fn joined_by(&self, store: &OfflineStoreConfig) -> Vec<Option<i64>> {
        joined(self, store)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_row_gets_the_value_that_was_valid_at_its_time(case in Case::any()) {
        prop_assert_eq!(case.joined_by(&OfflineStoreConfig::DuckDb), case.expected());
    }

    #[test]
    fn long_histories_are_searched_as_short_ones(case in Case::long()) {
        prop_assert_eq!(case.joined_by(&OfflineStoreConfig::DuckDb), case.expected());
    }
}

fn unique(source: Vec<SourceRow>, has_created: bool, has_key: bool) -> Vec<SourceRow> {
    let mut seen = std::collections::BTreeSet::new();
    let looked_at = |(key, at, created): &SourceRow| (key.filter(|_| has_key), *at, created.filter(|_| has_created));
    source.into_iter().filter(|row| seen.insert(looked_at(row))).collect()
}

fn naive(case: &Case, (key, at): EntityRow) -> Option<i64> {
    let Case { ttl, has_created, has_key, .. } = *case;
    let (at, by_created) = (at?, case.by_created && has_created);
    let candidates = case.source.iter().enumerate().filter(|(_, (source_key, event, created))| {
        (!has_key || (key.is_some() && *source_key == key))
            && *event <= at
            && (ttl == 0 || *event >= at - ttl)
            && (!by_created || created.is_some_and(|created| created <= at))
    });
    // `None` sorts below every creation time, which is the rule for ties; of equal ones the last has the greatest value.
    let newest = candidates.max_by_key(|(_, (_, event, created))| (*event, if has_created { *created } else { None }));
    newest.map(|(value, _)| value as i64)
}

fn joined(case: &Case, store: &OfflineStoreConfig) -> Vec<Option<i64>> {
    let Case { source, entities, ttl, has_created, by_created, has_key } = case;
    let (ttl, has_created, by_created, has_key) = (*ttl, *has_created, *by_created, *has_key);
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("source.parquet"),
        vec![
            ("key", Arc::new(Int64Array::from_iter(source.iter().map(|row| row.0)))),
            ("at", times(source.iter().map(|row| Some(row.1)))),
            ("created", times(source.iter().map(|row| row.2))),
            ("value", Arc::new(Int64Array::from_iter_values(0..source.len() as i64))),
        ],
    );
    write(
        &folder.path().join("entities.parquet"),
        vec![
            ("key", Arc::new(Int64Array::from_iter(entities.iter().map(|row| row.0)))),
            ("event_timestamp", times(entities.iter().map(|row| row.1))),
        ],
    );
    let view = view(ttl, has_created, has_key);
    let selected = SelectedView {
        join_keys: view
            .join_keys()
            .iter()
            .map(|field| JoinKey { field: field.clone(), column: "key".into() })
            .collect(),
        features: vec![SelectedFeature {
            field: view.features[0].clone(),
            output: "value".into(),
            shown: Shown::Always,
        }],
        name: view.name.clone(),
        view,
    };
    let entities = Entities::of_file(&folder.path().join("entities.parquet"), "rows").unwrap();
    let retrieval = Retrieval { views: vec![selected], ..Retrieval::default() };
    let query = HistoricalQuery {
        entities: &entities,
        retrieval: &retrieval,
        filter_by_created_timestamp: by_created,
        progress: &Progress::default(),
    };
    let mut values = Values(Vec::new());
    let config = StoreConfig { offline_store: store.clone(), ..config(folder.path()) };
    offline::open(&config, |_| None, &Arc::default()).historical(&query, &mut values).unwrap();
    values.0
}

struct Values(Vec<Option<i64>>);

impl BatchSink for Values {
    fn start(&mut self, _: &SchemaRef) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        let values = batch.column_by_name("value").unwrap().as_primitive::<Int64Type>();
        self.0.extend((0..values.len()).map(|row| values.is_valid(row).then(|| values.value(row))));
        ControlFlow::Continue(())
    }
}

/// Moments by their seconds.
pub fn times(seconds: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(seconds.map(|second| second.map(|second| second * SECOND)).collect::<TimestampMicrosecondArray>())
}

/// Writes a parquet file of these columns.
pub fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    let batch = batch.unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// A view over `source.parquet`.
pub fn view(ttl: i64, has_created: bool, has_key: bool) -> FeatureView {
    FeatureView {
        entities: vec![if has_key { "entity".into() } else { "__dummy".into() }],
        entity_columns: vec![Field::new("key", DataType::Int64)],
        features: vec![Field::new("value", DataType::Int64)],
        ttl: Ttl::from_micros(ttl * SECOND),
        source: Some(DataSource {
            name: "source".into(),
            kind: SourceKind::File(FileSource { path: "source.parquet".into(), ..FileSource::default() }),
            timestamp_field: "at".into(),
            created_timestamp_column: if has_created { "created".into() } else { String::new() },
            field_mapping: BTreeMap::new(),
            date_partition_column: String::new(),
            description: String::new(),
            owner: String::new(),
            tags: Tags::new(),
        }),
        ..FeatureView::new("view")
    }
}

/// The settings of a repo in a folder.
pub fn config(folder: &Path) -> StoreConfig {
    StoreConfig {
        repo: folder.to_owned(),
        file: folder.join("feature_store.yaml"),
        project: "project".into(),
        project_description: None,
        repo_name: None,
        provider: "local".into(),
        registry_cache: feastr::config::RegistryCache::default(),
        registry: RegistryConfig::File { path: folder.join("registry.db") },
        online_store: None,
        offline_store: OfflineStoreConfig::DuckDb,
        batch_engine: None,
        buckets: BucketSettings::default(),
        auth: AuthConfig::default(),
        entity_index: feastr::config::EntityIndexConfig::default(),
        registry_server: feastr::config::RegistryServerConfig::default(),
        feature_server: FeatureServerConfig::default(),
        strict: false,
        memory_limit: MemoryLimit::default(),
    }
}

/// Large files are read by several threads; rows still come back in the order of the file.
#[test]
fn many_rows_keep_their_order() {
    let case = Case::of_many(400_000);
    assert_eq!(case.first_wrong(&case.joined_by(&OfflineStoreConfig::DuckDb)), None, "the first row out of place");
}

/// A service may select nothing of a view: its rows are looked at, and nothing of them is in the result.
#[test]
fn without_features_the_entity_rows_come_back() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("source.parquet"),
        vec![
            ("key", Arc::new(Int64Array::from(vec![1, 1]))),
            ("at", times([Some(1), Some(1)].into_iter())),
            ("value", Arc::new(Int64Array::from(vec![1, 2]))),
        ],
    );
    write(
        &folder.path().join("entities.parquet"),
        vec![
            ("value", Arc::new(Int64Array::from(vec![7, 8]))),
            ("key", Arc::new(Int64Array::from(vec![1, 2]))),
            ("event_timestamp", times([Some(2), Some(2)].into_iter())),
        ],
    );
    let view = view(0, false, true);
    let key = JoinKey { field: view.entity_columns[0].clone(), column: "key".into() };
    let retrieval = Retrieval {
        views: vec![SelectedView { join_keys: vec![key], features: Vec::new(), name: view.name.clone(), view }],
        ..Retrieval::default()
    };
    let entities = Entities::of_file(&folder.path().join("entities.parquet"), "rows").unwrap();
    let query = HistoricalQuery {
        entities: &entities,
        retrieval: &retrieval,
        filter_by_created_timestamp: false,
        progress: &Progress::default(),
    };
    let mut values = Values(Vec::new());
    offline::open(&config(folder.path()), |_| None, &Arc::default()).historical(&query, &mut values).unwrap();
    assert_eq!(values.0, [Some(7), Some(8)]);
}
