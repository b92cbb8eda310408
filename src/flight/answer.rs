//! Rows on their way to a client: as fast as it takes them, and no further than a few batches ahead.

use std::{
    ops::ControlFlow,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use arrow_flight::{FlightData, encode::FlightDataEncoderBuilder, error::FlightError};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use tokio::{
    runtime::Handle,
    sync::mpsc::{Receiver, Sender, channel},
    time::{sleep, timeout},
};
use tonic::Status;

use super::{asking::Asking, error, observe::Observed, places::Turn, request::Question, state::State};
use crate::{
    app::Failure,
    clients::runtime::runtime,
    offline::{BatchSink, Cancel},
    problem::{Kind, Problem},
};

/// So many batches may wait to be sent.
const WAITING: usize = 2;

/// What a call is answered with.
pub(super) type Answer = Pin<Box<dyn Stream<Item = Result<FlightData, Status>> + Send>>;

/// What is on its way.
enum Sent {
    Columns(SchemaRef),
    Rows(RecordBatch),
    /// That was all. Without it rows are missing.
    End,
    Failed(Problem),
}

/// Calls off a query when nobody waits for it any more.
pub(super) struct CallOff(Cancel);

impl CallOff {
    /// Calls off what is cancelled by this.
    pub(super) fn of(cancel: &Cancel) -> Self {
        Self(cancel.clone())
    }
}

impl Drop for CallOff {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Calls off a query after a time.
pub(super) struct Deadline {
    is_over: Arc<AtomicBool>,
    timer: tokio::task::JoinHandle<()>,
}

impl Deadline {
    /// Begins to count.
    pub(super) fn begin(limit: Duration, cancel: &Cancel) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (over, cancel) = (Arc::clone(&is_over), cancel.clone());
        let timer = tokio::spawn(async move {
            sleep(limit).await;
            over.store(true, Ordering::SeqCst);
            cancel.cancel();
        });
        Self { is_over, timer }
    }

    /// Why a query failed, which may have been called off by this.
    pub(super) fn explain(&self, failure: Failure) -> Problem {
        let problem = failure.into_problem();
        if problem.kind == Kind::Cancelled && self.is_over.load(Ordering::SeqCst) {
            let help = "ask for less at once, or have the server take longer".to_owned();
            return Problem::new(Kind::Deadline, "the command takes longer than it may", help);
        }
        problem
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.timer.abort();
    }
}

impl State {
    /// Answers a question, when it is its turn. The query ends with the answer: when that is dropped, or not taken for too
    /// long.
    ///
    /// # Errors
    /// When there is nothing to be sent.
    pub(super) async fn answer(
        self: &Arc<Self>,
        asking: Asking,
        question: Question,
        turn: Turn,
        mut observed: Observed,
    ) -> Result<Answer, Status> {
        let (sender, mut receiver) = channel(WAITING);
        let cancel = Cancel::default();
        let call_off = CallOff::of(&cancel);
        let deadline = Deadline::begin(self.deadline, &cancel);
        let is_late = Arc::new(AtomicBool::new(false));
        let (state, was_late) = (Arc::clone(self), Arc::clone(&is_late));
        let runtime = runtime().map_err(|error| error::status(&error.into()))?;
        runtime.spawn_blocking(move || {
            let _turn = turn;
            let handle = runtime.handle().clone();
            let mut outgoing = Outgoing { sender, runtime: handle, idle_limit: state.idle_limit, is_late: was_late };
            let streamed = question.stream(&state.store, &asking.caller, &cancel, &mut outgoing);
            let last = match streamed {
                _ if outgoing.is_late.load(Ordering::SeqCst) => return,
                Ok(()) => Sent::End,
                Err(failure) => Sent::Failed(deadline.explain(failure)),
            };
            let _ = outgoing.send(last);
        });
        let schema = match receiver.recv().await {
            Some(Sent::Columns(schema)) => schema,
            Some(Sent::Failed(problem)) => return Err(observed.failed(&problem)),
            Some(Sent::Rows(_) | Sent::End) | None => return Err(observed.failed(&broken_off())),
        };
        let rows = stream::unfold(Some(Taking { receiver, observed, is_late, _call_off: call_off }), next);
        let encoded = FlightDataEncoderBuilder::new().with_schema(schema).build(rows);
        Ok(encoded.map_err(Status::from).boxed())
    }
}

/// An answer that is being taken.
struct Taking {
    receiver: Receiver<Sent>,
    observed: Observed,
    /// Rows were not taken in time, and some are missing.
    is_late: Arc<AtomicBool>,
    _call_off: CallOff,
}

/// The next rows, or the end.
async fn next(taking: Option<Taking>) -> Option<(Result<RecordBatch, FlightError>, Option<Taking>)> {
    let mut taking = taking?;
    let problem = match taking.receiver.recv().await {
        Some(Sent::Rows(batch)) => {
            taking.observed.sent(batch.num_rows());
            return Some((Ok(batch), Some(taking)));
        }
        Some(Sent::End) => {
            taking.observed.done();
            return None;
        }
        Some(Sent::Failed(problem)) => problem,
        None if taking.is_late.load(Ordering::SeqCst) => late(),
        Some(Sent::Columns(_)) | None => broken_off(),
    };
    Some((Err(taking.observed.failed(&problem).into()), None))
}

/// The query has ended without saying so.
fn broken_off() -> Problem {
    Problem::new(Kind::Internal, "the server has a mistake, which it wrote to its log", None)
}

/// The client has let rows wait.
fn late() -> Problem {
    Problem::new(Kind::Deadline, "the answer was broken off: its rows were not taken in time", None)
}

/// Where rows are sent from, on the thread of the query.
struct Outgoing {
    sender: Sender<Sent>,
    runtime: Handle,
    idle_limit: Duration,
    /// Rows were not taken in time, and some are missing.
    is_late: Arc<AtomicBool>,
}

impl Outgoing {
    fn send(&mut self, sent: Sent) -> ControlFlow<()> {
        let (limit, sending) = (self.idle_limit, self.sender.send(sent));
        // On a thread of its own there are no timers, but inside.
        match self.runtime.block_on(async { timeout(limit, sending).await }) {
            Ok(Ok(())) => ControlFlow::Continue(()),
            Ok(Err(_)) => ControlFlow::Break(()),
            Err(_) => {
                self.is_late.store(true, Ordering::SeqCst);
                ControlFlow::Break(())
            }
        }
    }
}

impl BatchSink for Outgoing {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        self.send(Sent::Columns(Arc::clone(schema)))
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        self.send(Sent::Rows(batch.clone()))
    }
}
