//! Runs over stores in memory: what is written and recorded, and what is not when something goes wrong.

mod checks;
mod definitions;
mod history;
mod intervals;
mod several;
mod shards;
mod writing;

use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicUsize, Ordering},
};

use arrow::array::{ArrayRef, Float32Array, Int64Array, RecordBatch, TimestampMicrosecondArray};

use super::*;
use crate::{
    feast::{
        registry::{Change, RowVersion, SourceRows, write},
        values::{
            entity_key::{EntityKeyEncoder, KeyPart},
            value::{Kind as ValueKind, Value},
        },
    },
    model::{
        Checks, DataType, FeatureView, FutureRows, Interval, NullKeys, Object, ObjectKind, RegistryState, RunCounts,
        RunRecord, RunState, Timestamp, Ttl, ViewId,
        samples::{stream_view, view},
    },
    offline::{StagedRows, memory::MemoryOfflineStore},
    online::{
        Reader as _, Replace, StoredValue, ViewFeatures,
        watched::{Call as OnlineCall, Watched as WatchedOnline},
    },
    problem::{Kind, Problem},
    registry::{
        Locking, Locks as _, Objects as _, Registry, Row, RunLog as _, Write, put_stale, read_objects,
        watched::{Call, Watched},
    },
    transform::Engine,
};

const SECOND: i64 = 1_000_000;
/// The clock of the tests stands still.
const NOW: i64 = 1_000;

fn clock() -> Timestamp {
    at(NOW)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * SECOND)
}

fn interval(start: i64, end: i64) -> Interval {
    Interval { start: at(start), end: at(end) }
}

fn fixed(start: i64, end: i64) -> Range {
    Range::Fixed(interval(start, end))
}

const OPTIONS: RunOptions<'_> = RunOptions {
    chunk: None,
    replace: Replace::Outdated,
    shards: None,
    jobs: 1,
    fail_fast: false,
    entities: None,
    by: "materialize of tests",
};

/// Stores in memory, which nobody disturbs unless a test wants it.
struct House {
    registry: Watched,
    offline: MemoryOfflineStore,
    expressions: Arc<Engine>,
    online: WatchedOnline,
    events: Mutex<Vec<String>>,
}

impl House {
    /// With views that are registered; all of them read the source `stats`.
    fn of(views: &[FeatureView]) -> Self {
        Self::heard(views, |_| Ok(()), |_| Ok(()))
    }

    fn heard(
        views: &[FeatureView],
        mut registry: impl FnMut(Call) -> Result<(), Problem> + Send + 'static,
        online: impl FnMut(OnlineCall) -> Result<(), Problem> + Send + 'static,
    ) -> Self {
        let house = Self {
            registry: Watched::new(move |_, call| registry(call)),
            offline: MemoryOfflineStore::default(),
            expressions: Arc::default(),
            online: WatchedOnline::new(online),
            events: Mutex::default(),
        };
        views.iter().for_each(|view| house.register(&Object::FeatureView(view.clone())));
        house
    }

    fn register(&self, object: &Object) {
        let change = Change {
            sources: &SourceRows::default(),
            project: "p",
            now: at(0),
            version: RowVersion::Same,
            forget_values: false,
        };
        let id = object.id();
        let decide = |snapshot: &crate::registry::Snapshot| {
            let proto = write(object, snapshot.proto(id.kind, &id.name), change).unwrap();
            Some(vec![Write::Put(Row { kind: id.kind, name: id.name.clone(), updated: 0, proto })])
        };
        self.registry.memory.update("p", &mut |snapshot| decide(snapshot)).unwrap();
    }

    fn remove(&self, view: &str) {
        let gone = [Write::Delete { kind: ObjectKind::FeatureView, name: view.to_owned() }];
        self.registry.memory.update("p", &mut |_| Some(gone.to_vec())).unwrap();
    }

    /// Rows of the source: driver, event, value of `x`; `y` is ten times as much.
    fn put(&self, rows: &[(Option<i64>, Option<i64>, f32)]) {
        let events = rows.iter().map(|(_, event, _)| event.map(|event| event * SECOND));
        let columns: [(&str, ArrayRef); 4] = [
            ("driver_id", Arc::new(rows.iter().map(|(driver, ..)| *driver).collect::<Int64Array>())),
            ("event_timestamp", Arc::new(events.collect::<TimestampMicrosecondArray>())),
            ("x", Arc::new(rows.iter().map(|(_, _, value)| Some(*value)).collect::<Float32Array>())),
            ("y", Arc::new(rows.iter().map(|(_, _, value)| Some(10.0 * value)).collect::<Float32Array>())),
        ];
        self.offline.put("stats", RecordBatch::try_from_iter(columns).unwrap());
    }

    fn state(&self) -> RegistryState {
        read_objects(&self.registry.memory.snapshot("p").unwrap())
    }

    fn planned(&self, views: &[&str], range: Range) -> Vec<ViewRun> {
        let views: Vec<String> = views.iter().map(|view| (*view).to_owned()).collect();
        plan_runs(&self.state(), &views, range).unwrap().0
    }

    fn stores<'a>(&'a self, registry: &'a dyn Registry) -> Stores<'a> {
        Stores {
            project: "p",
            registry,
            offline: &self.offline,
            staged: StagedRows::of_tests(),
            expressions: &self.expressions,
            online: &self.online,
            clock,
        }
    }

    fn run(&self, runs: &[ViewRun], options: &RunOptions<'_>) -> Vec<ViewReport> {
        let on_event = |event: &Event<'_>| {
            let event = serde_json::to_value(event).unwrap();
            let view = event["view"].as_str().map_or(String::new(), |view| format!(" {view}"));
            self.events().push(format!("{}{view}", event["event"].as_str().unwrap()));
        };
        run(&self.stores(&self.registry), runs, options, &on_event)
    }

    /// The report on a run of `v`, the only view.
    fn run_one(&self, range: Range, options: &RunOptions<'_>) -> ViewReport {
        self.run(&self.planned(&["v"], range), options).remove(0)
    }

    fn events(&self) -> MutexGuard<'_, Vec<String>> {
        self.events.lock().unwrap()
    }

    /// What is recorded of a view, in seconds.
    fn recorded(&self, view: &str) -> Vec<(i64, i64)> {
        let state = self.state();
        let intervals = state.materialized.get(view).map_or(&[][..], |view| &view.intervals);
        intervals.iter().map(|interval| (interval.start.seconds(), interval.end.seconds())).collect()
    }

    /// What is stored of a driver as `x`: the value and its time in seconds.
    fn stored(&self, view: &str, driver: i64) -> Option<(f32, i64)> {
        self.stored_as(view, "x", driver)
    }

    fn stored_as(&self, view: &str, feature: &str, driver: i64) -> Option<(f32, i64)> {
        let features = ViewFeatures { view: view.to_owned(), features: vec![feature.to_owned()], keys: 0 };
        let read = self.online.prepare("p", vec![features]);
        let mut key = Vec::new();
        EntityKeyEncoder::new(&["driver_id"]).unwrap().encode(&[KeyPart::Int64(driver)], &mut key).unwrap();
        let keys = [vec![key]];
        let reading = read.read(&keys, std::time::Instant::now());
        let found = futures_util::FutureExt::now_or_never(reading).unwrap().unwrap();
        match &found[0][0][0] {
            StoredValue::NotFound => None,
            StoredValue::Found { value, event } => match Value::read(value).unwrap().kind {
                Some(ValueKind::Float(value)) => Some((value, event.seconds())),
                other => panic!("{other:?}"),
            },
        }
    }

    fn history(&self) -> Vec<RunRecord> {
        self.registry.memory.runs("p", &[], 100).unwrap()
    }
}

/// The view `v` over the rows, without a ttl.
fn plain() -> FeatureView {
    view("v", &["x"])
}

fn away(what: &str) -> Problem {
    Problem::new(Kind::Unavailable, format!("{what} is away"), None)
}

fn message(report: &ViewReport) -> &str {
    match &report.outcome {
        Outcome::Failed(problem) => &problem.message,
        other => panic!("{other:?}"),
    }
}
