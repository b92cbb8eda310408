use std::{ops::ControlFlow, time::Instant};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use prost::Message;

use super::{
    encode::{BatchEncoder, EncodeBatchError},
    event::{Event, Outcome, ViewReport},
    interval::ViewRun,
};
use crate::{
    feast::{
        convert::record_materialization,
        messages::{self, decode},
        unknown_fields::keep_unknown,
    },
    model::{Interval, ObjectKind, Timestamp},
    offline::{BatchSink, NewestQuery, OfflineError, OfflineStore},
    online::{OnlineError, OnlineStore, OnlineWriter, Replace, ViewLayout, WriteCounts},
    registry::{RegistryError, RegistryStore, Row, Snapshot, Write},
};

/// What a run works on.
#[derive(Clone, Copy)]
pub struct Stores<'a> {
    pub project: &'a str,
    pub registry: &'a dyn RegistryStore,
    pub offline: &'a dyn OfflineStore,
    pub online: &'a dyn OnlineStore,
    /// The time, for what the registry records.
    pub clock: &'a dyn Fn() -> Timestamp,
}

/// Materializes views one after the other; one that fails does not stop the others.
///
/// A view's interval is recorded only after all its values are stored. A run that is killed before
/// leaves values but no interval, so the next one does it again.
pub fn run(stores: &Stores<'_>, runs: Vec<ViewRun>, on_event: &mut dyn FnMut(&Event<'_>)) -> Vec<ViewReport> {
    let mut reports = Vec::with_capacity(runs.len());
    for run in runs {
        let report = ViewMaterialization::new(stores, &run, on_event).run();
        on_event(&Event::ViewFinished(&report));
        reports.push(report);
    }
    reports
}

#[derive(Debug, thiserror::Error)]
enum ViewError {
    #[error("{message}")]
    Advised { message: String, help: Option<String> },
    #[error(transparent)]
    Encode(#[from] EncodeBatchError),
}

macro_rules! advised {
    ($($error:ty),*) => {
        $(impl From<$error> for ViewError {
            fn from(error: $error) -> Self {
                Self::Advised { message: error.message, help: error.help }
            }
        })*
    };
}

advised!(RegistryError, OnlineError, OfflineError);

struct ViewMaterialization<'a, 'b> {
    stores: &'a Stores<'a>,
    run: &'a ViewRun,
    on_event: &'a mut (dyn FnMut(&Event<'_>) + 'b),
    counts: WriteCounts,
    without_key: u64,
}

impl<'a, 'b> ViewMaterialization<'a, 'b> {
    fn new(stores: &'a Stores<'a>, run: &'a ViewRun, on_event: &'a mut (dyn FnMut(&Event<'_>) + 'b)) -> Self {
        Self { stores, run, on_event, counts: WriteCounts::default(), without_key: 0 }
    }

    fn run(mut self) -> ViewReport {
        let began = Instant::now();
        let mut interval = Interval { start: self.run.start.unwrap_or(self.run.end), end: self.run.end };
        let outcome = match self.materialize(&mut interval) {
            Ok(()) => Outcome::Done,
            Err(ViewError::Advised { message, help }) => Outcome::Failed { message, help },
            Err(ViewError::Encode(error)) => Outcome::Failed { message: error.to_string(), help: None },
        };
        ViewReport {
            view: self.run.view.name.clone(),
            interval,
            written: self.counts.written,
            skipped: self.counts.skipped,
            without_key: self.without_key,
            seconds: began.elapsed().as_secs_f64(),
            outcome,
        }
    }

    fn materialize(&mut self, interval: &mut Interval) -> Result<(), ViewError> {
        let view = &self.run.view;
        if self.run.start.is_some_and(|start| start > self.run.end) {
            return Err(ViewError::Advised {
                message: format!("it is already materialized until {}, after {}", interval.start, interval.end),
                help: Some("give a later END, or write a range again with `feastr materialize START END`".to_owned()),
            });
        }
        let first = self.stores.offline.first_event(view)?;
        interval.start = match (self.run.start, first) {
            (Some(start), Some(_)) => start,
            (None, Some(first)) => first.min(interval.end),
            (_, None) => {
                return Err(ViewError::Advised {
                    message: "its source is empty".to_owned(),
                    help: Some("write its data first; nothing was recorded".to_owned()),
                });
            }
        };
        (self.on_event)(&Event::ViewStarted { view: &view.name, interval: *interval });
        self.write_values(*interval)?;
        self.record(*interval)
    }

    fn write_values(&mut self, interval: Interval) -> Result<(), ViewError> {
        let view = &self.run.view;
        let query = NewestQuery { view, interval };
        let entities = self.stores.offline.count_entities(&query)?;
        (self.on_event)(&Event::Counted { view: &view.name, entities });
        let layout = ViewLayout::of(self.stores.project, view);
        let mut sink = ValueSink {
            view: &view.name,
            encoder: BatchEncoder::new(view),
            writer: self.stores.online.writer(layout, Replace::Outdated)?,
            on_event: self.on_event,
            counts: WriteCounts::default(),
            without_key: 0,
            failure: None,
        };
        let read = self.stores.offline.newest(&query, &mut sink);
        if read.is_ok() && sink.failure.is_none() {
            sink.finish();
        }
        (self.counts, self.without_key) = (sink.counts, sink.without_key);
        match sink.failure {
            Some(failure) => Err(failure),
            None => Ok(read?),
        }
    }

    /// Notes in the registry that the interval is in the online store.
    fn record(&self, interval: Interval) -> Result<(), ViewError> {
        let now = (self.stores.clock)();
        let mut problem = None;
        self.stores.registry.update(self.stores.project, &mut |snapshot| match recorded(
            snapshot,
            &self.run.view.name,
            interval,
            now,
        ) {
            Ok(row) => Some(vec![
                Write::Put(row),
                Write::PutMetadata {
                    key: "last_updated_timestamp".into(),
                    value: now.seconds().to_string(),
                    updated: now.seconds(),
                },
            ]),
            Err(message) => {
                problem = Some(message);
                None
            }
        })?;
        problem.map_or(Ok(()), |message| Err(ViewError::Advised { message, help: None }))
    }
}

/// The view's row with one more interval.
fn recorded(snapshot: &Snapshot, view: &str, interval: Interval, now: Timestamp) -> Result<Row, String> {
    let note = |meta: &mut Option<messages::FeatureViewMeta>| {
        record_materialization(meta.get_or_insert_default(), interval, now);
    };
    let (kind, proto) = if let Some(stored) = snapshot.proto(ObjectKind::FeatureView, view) {
        (ObjectKind::FeatureView, change(stored, |message: &mut messages::FeatureView| note(&mut message.meta))?)
    } else if let Some(stored) = snapshot.proto(ObjectKind::StreamFeatureView, view) {
        let noted = change(stored, |message: &mut messages::StreamFeatureView| note(&mut message.meta))?;
        (ObjectKind::StreamFeatureView, noted)
    } else {
        return Err("it was removed from the registry meanwhile; its values stay unrecorded".to_owned());
    };
    Ok(Row { kind, name: view.to_owned(), updated: now.seconds(), proto })
}

/// The bytes of a changed message, with what a newer Feast stored in it.
fn change<M: Message + Default>(stored: &[u8], change: impl FnOnce(&mut M)) -> Result<Vec<u8>, String> {
    let mut message: M = decode(stored).map_err(|error| error.to_string())?;
    let reencoded = message.encode_to_vec();
    change(&mut message);
    keep_unknown(stored, &reencoded, message.encode_to_vec()).map_err(|error| error.to_string())
}

/// Encodes batches and hands them to the online store.
struct ValueSink<'a, 'b> {
    view: &'a str,
    encoder: BatchEncoder<'a>,
    writer: Box<dyn OnlineWriter>,
    on_event: &'a mut (dyn FnMut(&Event<'_>) + 'b),
    counts: WriteCounts,
    without_key: u64,
    failure: Option<ViewError>,
}

impl ValueSink<'_, '_> {
    fn take(&mut self, batch: &RecordBatch) -> Result<(), ViewError> {
        let encoded = self.encoder.encode(batch)?;
        let counts = self.writer.write(&encoded.rows())?;
        self.without_key += encoded.without_key;
        self.note(counts);
        Ok(())
    }

    /// Waits for the rows that the store has taken and not confirmed.
    fn finish(&mut self) {
        match self.writer.finish() {
            Ok(counts) => self.note(counts),
            Err(error) => self.failure = Some(error.into()),
        }
    }

    fn note(&mut self, counts: WriteCounts) {
        self.counts.written += counts.written;
        self.counts.skipped += counts.skipped;
        let rows = self.counts.written + self.counts.skipped;
        (self.on_event)(&Event::Progress { view: self.view, rows });
    }
}

impl BatchSink for ValueSink<'_, '_> {
    fn start(&mut self, _: &SchemaRef) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        match self.take(batch) {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                self.failure = Some(failure);
                ControlFlow::Break(())
            }
        }
    }
}
