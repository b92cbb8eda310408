//! An offline server over Arrow Flight: a command with rows that are sent along, and rows that come back.

use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use arrow_flight::{
    FlightClient, FlightDescriptor, decode::FlightRecordBatchStream, encode::FlightDataEncoderBuilder,
    error::FlightError, flight_service_client::FlightServiceClient,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream::unfold};
use tokio::{sync::mpsc, time::sleep};
use tonic::transport::Channel;
use uuid::Uuid;

use super::failure;
use crate::{
    auth::login::{Token, Tokens},
    clients::{
        grpc::{Connecting, connect},
        runtime::{NoRuntime, spawned, wait},
    },
    config::RemoteOfflineConfig,
    feast::flight::{Call, Command, Put, Read, marker},
    offline::Cancel,
    problem::{Kind, Problem},
};

/// Batches that wait to be sent: enough that the server need not wait, and few enough for memory.
const WAITING: usize = 4;

/// The first pause before a server that has too much to do is asked again, as in Feast; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The server.
pub(super) struct OfflineServer {
    config: RemoteOfflineConfig,
    name: String,
    tokens: Arc<Tokens>,
    /// Made with the first question.
    channel: Mutex<Option<Channel>>,
}

/// Takes rows that are sent along, until no more are wanted.
pub(super) type Taker<'a> = dyn FnMut(RecordBatch) -> ControlFlow<()> + 'a;

/// What is done with a token.
type Act<'a, T> = dyn FnMut(Option<&Arc<Token>>) -> Result<T, Refused> + 'a;

/// Rows that are sent along, as often as somebody wants to send them.
pub(super) struct Sent<'a> {
    /// Their columns.
    pub schema: SchemaRef,
    /// Hands them on until there are no more, or no more are taken.
    pub rows: &'a mut dyn FnMut(&mut Taker<'_>) -> Result<(), Problem>,
}

/// Rows that come back.
pub(super) struct Answer<'a> {
    server: &'a OfflineServer,
    token: Option<Arc<Token>>,
    rows: FlightRecordBatchStream,
    /// The first of them, with which the columns are known.
    first: Option<RecordBatch>,
    schema: SchemaRef,
}

impl OfflineServer {
    /// The server of these settings, which is told by `tokens` who asks. Nothing is opened yet.
    pub(super) fn new(config: RemoteOfflineConfig, tokens: Arc<Tokens>) -> Self {
        Self { name: format!("the offline server at {config}"), config, tokens, channel: Mutex::default() }
    }

    /// What messages call it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Asks for rows. A token that the server does not accept is got anew once, and a server that has too much to do is
    /// asked again.
    ///
    /// # Errors
    /// When the server is away, refuses, or answers something else; and what is wrong with the rows that are sent.
    pub(super) fn read(&self, read: Read, mut sent: Option<Sent<'_>>, cancel: &Cancel) -> Result<Answer<'_>, Problem> {
        let (mut pause, mut retries) = (FIRST_PAUSE, self.config.retries);
        self.authorized(cancel, &mut |token| {
            loop {
                let rows = self.call(Call::Read(read.clone()), &mut sent, (token, cancel));
                match rows.and_then(|rows| self.opened(rows, token, cancel)) {
                    Err(Refused::Busy(_)) if retries > 0 => {
                        let slept = async {
                            sleep(pause).await;
                            Ok(())
                        };
                        wait(cancel.over(slept)).map_err(|failed| self.refused(failed, token))?;
                        (pause, retries) = (pause * 2, retries - 1);
                    }
                    result => return result,
                }
            }
        })
    }

    /// Lets the server do something with rows, and waits until it is done.
    ///
    /// # Errors
    /// As for [`Self::read`]; then nobody knows whether it is done.
    pub(super) fn put(&self, put: Put, sent: Sent<'_>, cancel: &Cancel) -> Result<(), Problem> {
        let mut sent = Some(sent);
        self.authorized(cancel, &mut |token| self.call(Call::Put(put.clone()), &mut sent, (token, cancel)).map(drop))
    }

    /// Does something with a token, and once more with another one if the server does not know who asks.
    fn authorized<T>(&self, cancel: &Cancel, act: &mut Act<'_, T>) -> Result<T, Problem> {
        cancel.check()?;
        let token = wait(self.tokens.token())?;
        let refused = match act(token.as_ref()) {
            Ok(done) => return Ok(done),
            Err(Refused::Problem(problem) | Refused::Busy(problem)) => return Err(problem),
            Err(Refused::Unknown(said)) => said,
        };
        let not_accepted = |said: &str, token: Option<&Arc<Token>>| {
            self.tokens.not_accepted(&self.name, said, token.map(AsRef::as_ref))
        };
        let Some(first) = token else { return Err(not_accepted(&refused, None)) };
        let Some(other) = wait(self.tokens.instead_of(&first))? else {
            return Err(not_accepted(&refused, Some(&first)));
        };
        act(Some(&other)).map_err(|refused| match refused {
            Refused::Problem(problem) | Refused::Busy(problem) => problem,
            Refused::Unknown(said) => not_accepted(&said, Some(&other)),
        })
    }

    /// Calls the server and sends rows along while it answers.
    fn call(
        &self,
        call: Call,
        sent: &mut Option<Sent<'_>>,
        (token, cancel): (Option<&Arc<Token>>, &Cancel),
    ) -> Result<FlightRecordBatchStream, Refused> {
        let is_put = matches!(call, Call::Put(_));
        let command = Command { id: Uuid::new_v4().to_string(), call };
        let descriptor = FlightDescriptor::new_cmd(command.to_json());
        let mut client = self.client(token, cancel)?;
        let nothing = marker().map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))?;
        let schema = sent.as_ref().map_or_else(|| nothing.schema(), |sent| Arc::clone(&sent.schema));
        let (sender, receiver) = mpsc::channel::<Result<RecordBatch, FlightError>>(WAITING);
        let batches = unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
        let builder = FlightDataEncoderBuilder::new().with_flight_descriptor(Some(descriptor)).with_schema(schema);
        let data = builder.build(batches);
        let answer = async move {
            if !is_put {
                return client.do_exchange(data).await.map_err(Failed::Flight);
            }
            // What a server says of what it has put is nothing but that it has.
            let said = client.do_put(data).await.map_err(Failed::Flight)?;
            said.try_for_each(|_| async { Ok(()) }).await.map_err(Failed::Flight)?;
            Ok(FlightRecordBatchStream::new_from_flight_data(futures_util::stream::empty()))
        };
        std::thread::scope(|scope| {
            // The rows are made here, where their readers are, while the answer is waited for there.
            let answer = scope.spawn(|| wait(cancel.over(spawned(answer))));
            let mut send = |batch| match sender.blocking_send(Ok(batch)) {
                Ok(()) if !cancel.is_cancelled() => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            };
            let made = match sent {
                Some(sent) => (sent.rows)(&mut send),
                None => {
                    let _ = send(nothing);
                    Ok(())
                }
            };
            if made.is_err() {
                // A call that ends so is none that the server takes for whole.
                let broken = FlightError::ProtocolError("the rows end here".to_owned());
                let _ = sender.blocking_send(Err(broken));
            }
            drop(sender);
            let answer = answer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            made?;
            answer.map_err(|failed| self.refused(failed, token))
        })
    }

    /// Waits for the columns of an answer.
    fn opened<'a>(
        &'a self,
        rows: FlightRecordBatchStream,
        token: Option<&Arc<Token>>,
        cancel: &Cancel,
    ) -> Result<Answer<'a>, Refused> {
        let mut rows = rows;
        let first = self.next(&mut rows, cancel).map_err(|failed| self.refused(failed, token))?;
        let schema = rows.schema().cloned().ok_or_else(|| {
            let message = format!("{} gave no answer: no columns came", self.name);
            Problem::new(Kind::Unavailable, message, "the log of the server may say more".to_owned())
        })?;
        Ok(Answer { server: self, token: token.cloned(), rows, first, schema })
    }

    fn next(&self, rows: &mut FlightRecordBatchStream, cancel: &Cancel) -> Result<Option<RecordBatch>, Failed> {
        wait(cancel.over(async { rows.next().await.transpose().map_err(Failed::Flight) }))
    }

    fn refused(&self, failed: Failed, token: Option<&Arc<Token>>) -> Refused {
        match failed {
            Failed::Problem(problem) => Refused::Problem(problem),
            Failed::Flight(error) => match failure::of(&self.name, error) {
                failure::Failure::Unknown(said) => Refused::Unknown(said),
                failure::Failure::Denied(problem) => {
                    Refused::Problem(self.tokens.not_allowed(problem, token.map(AsRef::as_ref)))
                }
                failure::Failure::Busy(problem) => Refused::Busy(problem),
                failure::Failure::Other(problem) => Refused::Problem(problem),
            },
        }
    }

    fn client(&self, token: Option<&Arc<Token>>, cancel: &Cancel) -> Result<FlightClient, Problem> {
        let service = FlightServiceClient::new(self.channel(cancel)?)
            // A server may send all rows at once; memory is taken as they come.
            .max_decoding_message_size(usize::MAX)
            .max_encoding_message_size(usize::MAX);
        let mut client = FlightClient::new_from_inner(service);
        if let Some(token) = token {
            client.add_header("authorization", &token.header()).map_err(|_| {
                let message = "the token cannot be sent: it has characters that no header may have";
                Problem::new(Kind::Invalid, message, None)
            })?;
        }
        Ok(client)
    }

    /// The connection, which finds its way back by itself once it was there.
    fn channel(&self, cancel: &Cancel) -> Result<Channel, Problem> {
        let mut channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channel.as_ref() {
            return Ok(channel.clone());
        }
        let connecting = Connecting {
            name: &self.name,
            url: &self.config.to_string(),
            setting: "`host` and `port` under `offline_store` in feature_store.yaml",
            authorities_setting: "`cert` under `offline_store` in feature_store.yaml",
            authorities: self.config.authorities.as_deref(),
            client: None,
            authority: None,
            retries: self.config.retries,
            pings: None,
        };
        let connected = wait(cancel.over(async { connect(connecting).await.map_err(Failed::Problem) }));
        let connected = connected.map_err(|failed| match failed {
            Failed::Problem(problem) => problem,
            Failed::Flight(error) => Problem::new(Kind::Internal, error.to_string(), None),
        })?;
        Ok(channel.insert(connected).clone())
    }
}

impl Answer<'_> {
    /// The columns.
    pub(super) const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next rows, if there are more.
    ///
    /// # Errors
    /// When the server breaks off, or it was called off.
    pub(super) fn next(&mut self, cancel: &Cancel) -> Result<Option<RecordBatch>, Problem> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let next = self.server.next(&mut self.rows, cancel);
        next.map_err(|failed| match self.server.refused(failed, self.token.as_ref()) {
            Refused::Problem(problem) | Refused::Busy(problem) => problem,
            Refused::Unknown(said) => self.server.tokens.not_accepted(&self.server.name, &said, self.token.as_deref()),
        })
    }
}

/// Why there is no answer.
enum Failed {
    Flight(FlightError),
    Problem(Problem),
}

/// The same, judged.
enum Refused {
    /// The server does not know who asks; in its words.
    Unknown(String),
    /// It has too much to do.
    Busy(Problem),
    Problem(Problem),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<NoRuntime> for Failed {
    fn from(error: NoRuntime) -> Self {
        Self::Problem(error.into())
    }
}
