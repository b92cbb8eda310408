//! Rows that are taken while the next ones are made.

use std::{
    ops::ControlFlow,
    panic,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::BatchSink;

/// So many batches may wait: enough that one side goes on while the other takes or makes several at once, and few enough
/// for memory.
const WAITING: usize = 4;

/// Runs what streams rows, and hands them to `sink` on another thread. All that were sent are there when it returns.
pub fn pipelined<R>(sink: &mut dyn BatchSink, stream: impl FnOnce(&mut dyn BatchSink) -> R) -> R {
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(WAITING);
        let taking = scope.spawn(move || take(sink, &receiver));
        let result = stream(&mut Sender(sender));
        if let Err(panicked) = taking.join() {
            panic::resume_unwind(panicked);
        }
        result
    })
}

enum Sent {
    Columns(SchemaRef),
    Rows(RecordBatch),
}

/// Hands on until there is no more, or no more is wanted.
fn take(sink: &mut dyn BatchSink, receiver: &Receiver<Sent>) {
    for sent in receiver {
        let flow = match sent {
            Sent::Columns(schema) => sink.start(&schema),
            Sent::Rows(batch) => sink.batch(&batch),
        };
        if flow.is_break() {
            return;
        }
    }
}

/// Where rows are sent from. That no more are wanted it learns with one of the next batches.
struct Sender(SyncSender<Sent>);

impl Sender {
    fn send(&self, sent: Sent) -> ControlFlow<()> {
        match self.0.send(sent) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

impl BatchSink for Sender {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        self.send(Sent::Columns(SchemaRef::clone(schema)))
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        self.send(Sent::Rows(batch.clone()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{ArrayRef, AsArray, Int64Array},
        datatypes::{DataType, Field, Int64Type, Schema},
    };

    use super::*;

    /// Keeps what it is handed, up to a number of batches.
    struct Kept {
        columns: Option<SchemaRef>,
        rows: Vec<i64>,
        most: usize,
    }

    impl Kept {
        const fn up_to(most: usize) -> Self {
            Self { columns: None, rows: Vec::new(), most }
        }
    }

    impl BatchSink for Kept {
        fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
            self.columns = Some(Arc::clone(schema));
            ControlFlow::Continue(())
        }

        fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
            self.rows.extend(batch.column(0).as_primitive::<Int64Type>().values());
            if self.rows.len() < self.most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        }
    }

    fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![Field::new("x", DataType::Int64, true)]))
    }

    /// Sends numbers one by one, and tells how many were sent before it was broken off.
    fn count_up(sink: &mut dyn BatchSink, numbers: i64) -> i64 {
        if sink.start(&schema()).is_break() {
            return 0;
        }
        let one = |number: i64| {
            let column: ArrayRef = Arc::new(Int64Array::from(vec![number]));
            RecordBatch::try_new(schema(), vec![column]).unwrap()
        };
        (0..numbers).take_while(|number| sink.batch(&one(*number)).is_continue()).count() as i64
    }

    #[test]
    fn everything_arrives_in_its_order() {
        let mut kept = Kept::up_to(usize::MAX);
        assert_eq!(pipelined(&mut kept, |sink| count_up(sink, 1000)), 1000);
        assert_eq!((kept.columns, kept.rows), (Some(schema()), (0..1000).collect()));
    }

    #[test]
    fn breaking_off_ends_the_stream_and_nothing_more_is_taken() {
        let mut kept = Kept::up_to(3);
        let sent = pipelined(&mut kept, |sink| count_up(sink, i64::MAX));
        assert!(sent <= 3 + WAITING as i64 + 1, "{sent}");
        assert_eq!(kept.rows, [0, 1, 2]);
    }

    #[test]
    #[should_panic(expected = "cannot take it")]
    fn a_sink_that_panics_is_not_silent() {
        struct Panics;
        impl BatchSink for Panics {
            fn start(&mut self, _: &SchemaRef) -> ControlFlow<()> {
                panic!("cannot take it")
            }

            fn batch(&mut self, _: &RecordBatch) -> ControlFlow<()> {
                ControlFlow::Continue(())
            }
        }
        pipelined(&mut Panics, |sink| count_up(sink, 10));
    }
}
