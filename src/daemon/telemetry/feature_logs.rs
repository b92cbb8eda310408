//! What is served of feature services goes into their logs: from a queue that no request waits for, by a thread of its own.
//! Rows that find no place are counted and told.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use arrow::array::RecordBatch;
use prometheus_client::metrics::{counter::Counter, family::Family};

use super::{request, seldom::Seldom};
use crate::{
    app::{Caller, FeatureStore, log_served::ServiceLogs},
    config::FeatureLoggingConfig,
    feature_log::{FeatureLog, LoggedRequest, OpenLog},
    problem::Problem,
    retrieval::FeatureRequest,
    serving::Answer,
};

/// So often it is told at most that rows are lost.
const PAUSE: Duration = Duration::from_secs(60);

/// What became of rows: counters by the label `result`.
type Results = Family<[(&'static str, Arc<str>); 1], Counter>;

/// The queue before the logs of a store's services.
pub(super) struct FeatureLogs {
    store: Arc<FeatureStore>,
    caller: Caller,
    logs: ServiceLogs,
    queue: Sender<Message>,
    /// Rows in memory.
    waiting: Arc<AtomicUsize>,
    capacity: usize,
    dropped: Counter,
    told: Seldom,
    writer: Mutex<Option<JoinHandle<()>>>,
}

enum Message {
    /// What was answered.
    Served(Served),
    /// Nothing comes any more.
    End,
}

struct Served {
    log: Arc<FeatureLog>,
    request: LoggedRequest,
    answer: Answer,
    full_feature_names: bool,
}

impl FeatureLogs {
    /// Begins to take what is served; what becomes of it is counted.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn of(
        store: Arc<FeatureStore>,
        caller: Caller,
        config: &FeatureLoggingConfig,
        results: &Results,
    ) -> Result<Self, Problem> {
        let (queue, messages) = channel();
        let waiting = Arc::<AtomicUsize>::default();
        let counter = |result: &str| results.get_or_create_owned(&[("result", result.into())]);
        let writer = Writer {
            messages,
            waiting: Arc::clone(&waiting),
            config: config.clone(),
            open: Vec::new(),
            written: counter("written"),
            failed: counter("failed"),
            told: Seldom::after(PAUSE),
        };
        let thread = thread::Builder::new().name("feastr-log".to_owned()).spawn(move || writer.run())?;
        Ok(Self {
            store,
            caller,
            logs: ServiceLogs::default(),
            queue,
            waiting,
            capacity: config.queue_capacity,
            dropped: counter("dropped"),
            told: Seldom::after(PAUSE),
            writer: Mutex::new(Some(thread)),
        })
    }

    /// Takes what was answered to a request, if it is of a service that is logged, and in the sample.
    pub(super) fn take(&self, features: &FeatureRequest, answer: Answer) {
        let Some(service) = features.selection.service.as_deref() else { return };
        let log = match self.logs.of(&self.store, &self.caller, service) {
            Ok(Some(log)) => log,
            Ok(None) => return,
            Err(problem) => {
                tracing::warn!("what is served of a feature service is not logged: {problem}");
                return;
            }
        };
        let Some(id) = request::current(request::RequestIds::log_id) else { return };
        let request = LoggedRequest { id, at: self.store.now() };
        if !log.takes(request) {
            return;
        }
        let rows = answer.columns.first().map_or(0, |column| column.values.len());
        // Only this many are taken however many come at a time.
        if self.waiting.fetch_add(rows, Ordering::Relaxed) + rows > self.capacity {
            self.waiting.fetch_sub(rows, Ordering::Relaxed);
            self.dropped.inc_by(rows as u64);
            if let Some(rows) = self.told.happened(rows as u64) {
                tracing::warn!(rows, "rows for logs of feature services are lost: too many wait to be written");
            }
            return;
        }
        let full_feature_names = features.full_feature_names;
        // The thread ends after all who send.
        let _ = self.queue.send(Message::Served(Served { log, request, answer, full_feature_names }));
    }

    /// Writes what waits, and ends. Blocks until it is written.
    pub(super) fn end(&self) {
        let _ = self.queue.send(Message::End);
        if let Some(writer) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // What went wrong in it was told.
            let _ = writer.join();
        }
    }
}

/// Writes the logs.
struct Writer {
    messages: Receiver<Message>,
    waiting: Arc<AtomicUsize>,
    config: FeatureLoggingConfig,
    open: Vec<Open>,
    written: Counter,
    failed: Counter,
    told: Seldom,
}

/// A log, the files that will appear in it, and rows that are not in them yet.
struct Open {
    log: Arc<FeatureLog>,
    files: Option<OpenLog>,
    rows: Vec<RecordBatch>,
}

impl Writer {
    fn run(mut self) {
        let FeatureLoggingConfig { write_interval, flush_interval, queue_capacity, .. } = self.config;
        let later = |from: Instant, interval: Duration| from.checked_add(interval);
        let (mut write_at, mut flush_at) =
            (later(Instant::now(), write_interval), later(Instant::now(), flush_interval));
        loop {
            let next = [write_at, flush_at].into_iter().flatten().min();
            let pause = next.map_or(Duration::from_secs(3_600), |next| next.saturating_duration_since(Instant::now()));
            match self.messages.recv_timeout(pause) {
                Ok(Message::Served(served)) => self.take(served),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => {
                    self.write();
                    self.flush();
                    return;
                }
            }
            let now = Instant::now();
            let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
            let held: usize = self.open.iter().flat_map(|open| &open.rows).map(RecordBatch::num_rows).sum();
            // Before those that come find no place.
            if is_due(write_at) || is_due(flush_at) || held > queue_capacity / 2 {
                self.write();
                write_at = later(now, write_interval);
            }
            if is_due(flush_at) {
                self.flush();
                flush_at = later(now, flush_interval);
            }
        }
    }

    fn take(&mut self, served: Served) {
        let Served { log, request, answer, full_feature_names } = served;
        match log.rows(request, &answer, full_feature_names) {
            Ok(rows) => match self.open.iter_mut().find(|open| Arc::ptr_eq(&open.log, &log)) {
                Some(open) => open.rows.push(rows),
                None => self.open.push(Open { log, files: None, rows: vec![rows] }),
            },
            Err(problem) => {
                let rows = answer.columns.first().map_or(0, |column| column.values.len());
                self.waiting.fetch_sub(rows, Ordering::Relaxed);
                self.lost(rows, &problem);
            }
        }
    }

    /// Writes rows to the files that will appear.
    fn write(&mut self) {
        for position in 0..self.open.len() {
            let open = &mut self.open[position];
            let batches = std::mem::take(&mut open.rows);
            let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
            let (before, written) = (open.files.as_ref().map_or(0, OpenLog::rows), open.write(&batches));
            self.waiting.fetch_sub(rows, Ordering::Relaxed);
            if let Err(problem) = written {
                // Files that cannot be written vanish with all that was in them.
                self.open[position].files = None;
                self.lost(before + rows, &problem);
            }
        }
    }

    /// Lets the files appear.
    fn flush(&mut self) {
        for open in std::mem::take(&mut self.open) {
            let Some(files) = open.files else { continue };
            let rows = files.rows();
            match files.complete() {
                Ok(_) => drop(self.written.inc_by(rows as u64)),
                Err(problem) => self.lost(rows, &problem),
            }
        }
    }

    fn lost(&self, rows: usize, problem: &Problem) {
        self.failed.inc_by(rows as u64);
        if let Some(rows) = self.told.happened(rows as u64) {
            tracing::warn!(rows, "rows for logs of feature services are lost: {problem}");
        }
    }
}

impl Open {
    fn write(&mut self, batches: &[RecordBatch]) -> Result<(), Problem> {
        if batches.is_empty() {
            return Ok(());
        }
        let mut files = match self.files.take() {
            Some(files) => files,
            None => self.log.begin()?,
        };
        batches.iter().try_for_each(|rows| files.write(rows))?;
        self.files = Some(files);
        Ok(())
    }
}
