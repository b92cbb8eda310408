//! Many queries on one store, queries that nobody waits for any longer, and what they leave behind.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    ops::ControlFlow,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use arrow::{
    array::{ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMicrosecondArray},
    datatypes::{Int64Type, SchemaRef},
};
use feastr::{
    config::{
        AuthConfig, BucketSettings, FeatureServerConfig, MemoryLimit, OfflineStoreConfig, RegistryConfig, StoreConfig,
    },
    model::{DataSource, DataType, FeatureView, Field, FileFormat, FileSource, SourceKind, Tags},
    offline::{self, BatchSink, Cancel, HistoricalQuery, OfflineStore, Progress},
    problem::Kind,
    retrieval::{Entities, JoinKey, Retrieval, SelectedFeature, SelectedView, Shown},
};
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReader};

use crate::support::{Project, settings};

const KEYS: i64 = 1_000;

/// Sources `0.parquet`, …: of each key a row, whose value is the key times the number of the source and one.
/// How many times entity rows ask about every key.
fn write_files(folder: &Path, sources: i64, times: i64) {
    for source in 0..sources {
        let keys = Int64Array::from_iter_values(0..KEYS);
        let values = Int64Array::from_iter_values((0..KEYS).map(|key| key * (source + 1)));
        let at = TimestampMicrosecondArray::from_iter_values((0..KEYS).map(|_| 1));
        let columns: Vec<(&str, ArrayRef)> =
            vec![("key", Arc::new(keys)), ("at", Arc::new(at)), ("value", Arc::new(values))];
        write(&folder.join(format!("{source}.parquet")), columns);
    }
    let keys = Int64Array::from_iter_values((0..KEYS * times).map(|row| row % KEYS));
    let at = TimestampMicrosecondArray::from_iter_values((0..KEYS * times).map(|row| 2 + row));
    write(&folder.join("entities.parquet"), vec![("key", Arc::new(keys)), ("event_timestamp", Arc::new(at))]);
}

/// The rows of a file as CSV, which is kept in temporary files while it is joined.
fn write_csv(folder: &Path) {
    let rows = ParquetRecordBatchReader::try_new(File::open(folder.join("0.parquet")).unwrap(), 8192).unwrap();
    let mut writer = arrow::csv::Writer::new(File::create(folder.join("0.csv")).unwrap());
    rows.for_each(|batch| writer.write(&batch.unwrap()).unwrap());
}

fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn store(folder: &Path) -> Box<dyn OfflineStore> {
    offline::open(
        &StoreConfig {
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
        },
        |_| None,
        &Arc::default(),
    )
}

/// A view of one of the files.
fn view(file: &str) -> FeatureView {
    FeatureView {
        entities: vec!["entity".into()],
        entity_columns: vec![Field::new("key", DataType::Int64)],
        features: vec![Field::new("value", DataType::Int64)],
        source: Some(DataSource {
            name: file.to_owned(),
            kind: SourceKind::File(FileSource {
                path: file.to_owned(),
                format: file.ends_with(".csv").then_some(FileFormat::Csv),
                ..FileSource::default()
            }),
            timestamp_field: "at".into(),
            created_timestamp_column: String::new(),
            field_mapping: BTreeMap::new(),
            date_partition_column: String::new(),
            description: String::new(),
            owner: String::new(),
            tags: Tags::new(),
        }),
        ..FeatureView::new("view")
    }
}

/// Features of a file for all entity rows.
fn historical(store: &dyn OfflineStore, folder: &Path, file: &str, sink: &mut dyn BatchSink) -> Result<(), Kind> {
    let view = view(file);
    let selected = SelectedView {
        join_keys: vec![JoinKey { field: view.entity_columns[0].clone(), column: "key".into() }],
        features: vec![SelectedFeature {
            field: view.features[0].clone(),
            output: "value".into(),
            shown: Shown::Always,
        }],
        name: view.name.clone(),
        view,
    };
    let entities = Entities::of_file(&folder.join("entities.parquet"), "rows").unwrap();
    let retrieval = Retrieval { views: vec![selected], ..Retrieval::default() };
    let query = HistoricalQuery {
        entities: &entities,
        retrieval: &retrieval,
        filter_by_created_timestamp: false,
        progress: &Progress::default(),
    };
    store.historical(&query, sink).map(|_| ()).map_err(|problem| problem.kind)
}

/// Values as they come, up to this many rows.
struct Values {
    values: Vec<i64>,
    wanted: usize,
}

impl BatchSink for Values {
    fn start(&mut self, _: &SchemaRef) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        self.values.extend(batch.column_by_name("value").unwrap().as_primitive::<Int64Type>().values());
        if self.values.len() >= self.wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[test]
fn many_queries_at_once_are_right() {
    const SOURCES: i64 = 8;
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path(), SOURCES, 3);
    let store = store(folder.path());
    let (store, folder) = (store.as_ref(), folder.path());
    thread::scope(|scope| {
        for thread in 0..24 {
            scope.spawn(move || {
                for query in 0..4 {
                    let source = (thread + query) % SOURCES;
                    let mut sink = Values { values: Vec::new(), wanted: usize::MAX };
                    historical(store, folder, &format!("{source}.parquet"), &mut sink).unwrap();
                    let expected: Vec<i64> = (0..KEYS * 3).map(|row| (row % KEYS) * (source + 1)).collect();
                    assert_eq!(sink.values, expected, "source {source}");
                }
            });
        }
    });
}

/// Threads, open files and temporary files of the whole process are counted, so it is one of its own.
#[test]
fn queries_that_are_called_off_leave_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "offline_queries::many_are_called_off", "--ignored", "--nocapture"]);
    let output = child.env("TMPDIR", temporary.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn many_are_called_off() {
    const QUERIES: u32 = 300;
    let count = |folder: &str| fs::read_dir(folder).unwrap().count();
    let spilled = || -> Vec<_> {
        let folders = fs::read_dir(std::env::temp_dir()).unwrap().map(|entry| entry.unwrap());
        folders.filter(|folder| folder.file_name().to_string_lossy().starts_with("feastr-")).collect()
    };
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path(), 1, 200);
    write_csv(folder.path());
    let store = store(folder.path());
    let whole = {
        let mut sink = Values { values: Vec::new(), wanted: usize::MAX };
        let mut timed = || {
            let began = Instant::now();
            historical(store.as_ref(), folder.path(), "0.csv", &mut sink).unwrap();
            began.elapsed()
        };
        // The fastest of some, so that whoever else keeps the machine busy meanwhile does not make it too long.
        (0..6).map(|_| timed()).min().unwrap()
    };
    let before = [count("/proc/self/task"), count("/proc/self/fd")];
    let mut called_off = 0;
    for number in 0..QUERIES {
        let cancel = Cancel::default();
        let store = store.cancelled_by(&cancel);
        let wanted = if number % 3 == 0 { 1 } else { usize::MAX };
        let mut sink = Values { values: Vec::new(), wanted };
        // Multiples of the golden ratio spread evenly, however many they are.
        let moment = whole.mul_f64((f64::from(number) * 0.618_033_988_75).fract());
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(moment);
                cancel.cancel();
            });
            match historical(store.as_ref(), folder.path(), "0.csv", &mut sink) {
                Ok(()) => {}
                Err(kind) => {
                    assert_eq!(kind, Kind::Cancelled);
                    called_off += 1;
                }
            }
        });
    }
    assert!(called_off > QUERIES / 8, "{called_off} of {QUERIES}");
    assert_eq!([count("/proc/self/task"), count("/proc/self/fd")], before, "threads and files");
    let left = spilled();
    assert_eq!(left.len(), 1, "one folder of the one store");
    assert_eq!(count(left[0].path().to_str().unwrap()), 1, "its lock");
    drop(store);
    assert_eq!(spilled().len(), 0);
}

/// A repo, and entity rows that make more output than a pipe holds.
fn long() -> Project {
    let project = Project::new(&[("feature_store.yaml", &settings("demo"))]);
    project.write(
        "definitions.yaml",
        "entities: [{name: e, join_keys: [key], value_type: INT64}]\n\
         data_sources: [{name: s, type: file, path: 0.csv, file_format: csv, timestamp_field: at}]\n\
         feature_views: [{name: v, entities: [e], ttl: 0, source: s, schema: [{name: value, dtype: Int64}]}]\n",
    );
    write_files(project.folder.path(), 1, 200);
    write_csv(project.folder.path());
    project.feastr(&["apply"]).ok();
    fs::create_dir(project.path("tmp")).unwrap();
    project
}

const LONG: [&str; 7] =
    ["get-historical", "--entities", "entities.parquet", "--features", "v:value", "--format", "csv"];

/// Ends a query in the middle of its result by a signal; what is then in the folder for temporary files.
fn ended_by(project: &Project, signal: i32) -> usize {
    // The parent of the tests may have told their children to ignore Ctrl-C.
    let mut command = Command::new("env");
    command.args(["--default-signal=INT", env!("CARGO_BIN_EXE_feastr")]).args(LONG).env("TMPDIR", project.path("tmp"));
    command.current_dir(project.folder.path()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 100]).unwrap();
    assert_eq!(fs::read_dir(project.path("tmp")).unwrap().count(), 1);
    Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(signal));
    fs::read_dir(project.path("tmp")).unwrap().count()
}

#[test]
fn temporary_files_are_gone_after_ctrl_c() {
    const SIGINT: i32 = 2;
    const SIGTERM: i32 = 15;
    let project = long();
    for signal in [SIGINT, SIGTERM] {
        assert_eq!(ended_by(&project, signal), 0, "after signal {signal}");
    }
}

#[test]
fn the_next_query_removes_temporary_files_of_a_killed_one() {
    const SIGKILL: i32 = 9;
    let project = long();
    assert_eq!(ended_by(&project, SIGKILL), 1);
    let mut next = project.command(&LONG);
    next.env("TMPDIR", project.path("tmp")).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(next.status().unwrap().success());
    assert_eq!(fs::read_dir(project.path("tmp")).unwrap().count(), 0);
}

/// As `nohup` and shells in the background want it.
#[test]
fn a_signal_that_is_to_be_ignored_is() {
    let project = long();
    let mut command = Command::new("env");
    command.args(["--ignore-signal=INT", env!("CARGO_BIN_EXE_feastr")]).args(LONG);
    command.current_dir(project.folder.path()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 100]).unwrap();
    Command::new("kill").args(["-2", &child.id().to_string()]).status().unwrap();
    thread::sleep(Duration::from_millis(50));
    std::io::copy(&mut stdout, &mut std::io::sink()).unwrap();
    assert!(child.wait().unwrap().success());
}
