use std::ops::ControlFlow;

use arrow::{
    array::{AsArray as _, RecordBatch},
    compute::{max, min},
    datatypes::{SchemaRef, TimestampMicrosecondType},
};

use crate::{
    app::{Failure, kept_rows},
    model::Timestamp,
    offline::{BatchSink, HistoricalRead},
    problem::{Kind, Problem},
    retrieval::EVENT_TIMESTAMP,
    sink::{RowSink, SinkError},
};

/// Looks at the times of rows on their way.
pub(super) struct TimedSink {
    sink: RowSink,
    /// The column with times.
    time: Option<usize>,
    range: Option<(i64, i64)>,
}

impl TimedSink {
    pub(super) fn new(sink: RowSink) -> Self {
        Self { sink, time: None, range: None }
    }

    /// Completes the files: how many rows there are, and the times of the first and the last of them.
    pub(super) fn finish(
        self,
        joined: Result<HistoricalRead, Failure>,
        shown: &str,
    ) -> Result<(usize, (Timestamp, Timestamp), HistoricalRead), Failure> {
        // A query that was broken off because the files failed is no failure of its own.
        let failed = self.sink.failed();
        let read = if failed { HistoricalRead::default() } else { joined? };
        if !failed && self.range.is_none() {
            return Err(self.without_times().into());
        }
        let rows = self.sink.finish().map_err(|error| match error {
            SinkError::Io(error) => kept_rows::unwritable(shown, &error),
            SinkError::Problem(problem) => problem,
            other => Problem::new(Kind::Unsupported, other.to_string(), None),
        })?;
        let (first, last) = self.range.unwrap_or_default();
        Ok((rows, (Timestamp::from_micros(first), Timestamp::from_micros(last)), read))
    }

    fn without_times(&self) -> Problem {
        const READ_BY: &str = "datasets are read by the times of their rows";
        match self.time {
            Some(_) => Problem::new(Kind::Invalid, format!("{READ_BY}, and no row has one"), None),
            None => Problem::new(
                Kind::Invalid,
                format!("{READ_BY}, in a column `{EVENT_TIMESTAMP}`, and there is none"),
                "call the column with the times of the entity rows so".to_owned(),
            ),
        }
    }
}

impl BatchSink for TimedSink {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        self.time = schema.column_with_name(EVENT_TIMESTAMP).map(|(position, _)| position);
        if self.time.is_none() {
            return ControlFlow::Break(());
        }
        self.sink.start(schema)
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        let times = self.time.and_then(|time| batch.column(time).as_primitive_opt::<TimestampMicrosecondType>());
        if let Some((first, last)) = times.and_then(|times| min(times).zip(max(times))) {
            let (earliest, latest) = self.range.unwrap_or((first, last));
            self.range = Some((earliest.min(first), latest.max(last)));
        }
        self.sink.batch(batch)
    }
}
