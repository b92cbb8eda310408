//! The way of values from batches of newest rows into the online store.

use std::ops::ControlFlow;

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{
    context::Stores,
    event::{Event, OnEvent},
};
use crate::{
    model::{Checks, FeatureView, Interval, RunCounts, Timestamp},
    offline::{BatchSink, NewestRead},
    online::{BatchEncoder, Replace, ViewLayout, WriteCounts, Writer},
    problem::Problem,
};

/// Writes what `read` hands over, adds to `counts` what becomes of it, and gives what `finish` does when all is taken.
///
/// # Errors
/// Those of `read`, and when the store refuses or is away.
pub(super) fn write_values<T>(
    stores: &Stores<'_>,
    (view, checks, replace): (&FeatureView, Checks, Replace),
    (counts, on_event): (&mut RunCounts, &OnEvent<'_>),
    read: impl FnOnce(&mut dyn BatchSink) -> Result<NewestRead, Problem>,
    finish: impl FnOnce(Box<dyn Writer>) -> Result<(WriteCounts, T), Problem>,
) -> Result<T, Problem> {
    let mut sink = ValueSink {
        view: &view.name,
        encoder: BatchEncoder::new(view, checks.out_of_range),
        writer: stores.online.writer(ViewLayout::of(stores.project, view), replace)?,
        on_event,
        counts,
        failure: None,
    };
    let read = read(&mut sink);
    if let Some(failure) = sink.failure {
        return Err(failure);
    }
    let read = read?;
    sink.counts.out_of_range += read.unfit;
    sink.counts.ties += read.ties;
    // Waits for the rows that the store has taken and not confirmed.
    let (written, finished) = finish(sink.writer)?;
    note(sink.view, written, sink.counts, on_event);
    Ok(finished)
}

/// Which stored values give way to those of an interval, where some until a moment were made by an earlier definition.
pub(super) fn replace_in(interval: Interval, wanted: Replace, stale_until: Option<Timestamp>) -> Replace {
    match wanted {
        Replace::Outdated if stale_until.is_some_and(|until| interval.start <= until) => Replace::NotNewer,
        wanted => wanted,
    }
}

/// Encodes batches and hands them to the online store.
struct ValueSink<'a> {
    view: &'a str,
    encoder: BatchEncoder<'a>,
    writer: Box<dyn Writer>,
    on_event: &'a OnEvent<'a>,
    counts: &'a mut RunCounts,
    failure: Option<Problem>,
}

impl ValueSink<'_> {
    fn take(&mut self, batch: &RecordBatch) -> Result<(), Problem> {
        let encoded = self.encoder.encode(batch)?;
        let counts = self.writer.write(&encoded.rows())?;
        self.counts.out_of_range += encoded.out_of_range;
        note(self.view, counts, self.counts, self.on_event);
        Ok(())
    }
}

/// Adds the counts of rows whose outcome became known, and tells how many they are so far.
fn note(view: &str, written: WriteCounts, counts: &mut RunCounts, on_event: &OnEvent<'_>) {
    counts.written += written.written;
    counts.skipped += written.skipped;
    on_event(&Event::Progress { view, rows: counts.written + counts.skipped });
}

impl BatchSink for ValueSink<'_> {
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
