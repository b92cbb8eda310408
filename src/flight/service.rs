//! The calls of Arrow Flight: what clients send, what is made of it, what they get.

use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightEndpoint, FlightInfo, HandshakeRequest,
    HandshakeResponse, PollInfo, PutResult, SchemaResult, Ticket, flight_service_server::FlightService,
};
use futures_util::{Stream, StreamExt as _, stream};
use tonic::{Request, Response, Status, Streaming, metadata::MetadataValue};

use super::{
    answer::{Answer, CallOff, Deadline},
    asking::{Asking, Claimed},
    error,
    observe::Observed,
    places::Place,
    request::{Act, Question},
    state::State,
    upload::Upload,
};
use crate::{
    app::Failure,
    clients::runtime::blocking,
    feast::flight::{Call, Command, Persist, Put, Read},
    offline::Cancel,
    problem::{Kind, Problem},
    retrieval::Entities,
};

/// What is done with DoPut, for those who list it.
const ACTIONS: [(&str, &str); 3] = [
    ("offline_write_batch", "Adds rows to the source of a feature view"),
    ("write_logged_features", "Adds rows to the log of a feature service"),
    ("persist", "Carries out a query and writes its rows to where a data source has them"),
];

/// The calls.
pub(super) struct Calls(pub(super) Arc<State>);

type Several<T> = std::pin::Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl FlightService for Calls {
    type HandshakeStream = Several<HandshakeResponse>;
    type ListFlightsStream = Several<FlightInfo>;
    type DoGetStream = Answer;
    type DoPutStream = Several<PutResult>;
    type DoExchangeStream = Answer;
    type DoActionStream = Several<arrow_flight::Result>;
    type ListActionsStream = Several<ActionType>;

    async fn do_exchange(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoExchangeStream>, Status> {
        let mut observed = Observed::begin(&self.0.observer, "DoExchange", request.metadata());
        let claimed = Claimed::by(&request);
        let upload = Upload::begin(request.into_inner(), self.0.limits(false)).await?;
        let asking = self.asking(claimed, &mut observed).await;
        let begun = asking.and_then(|asking| {
            let command = command(&upload, &mut observed)?;
            let api = command.api();
            match command.call {
                Call::Read(read) => Ok((asking, read, self.0.places.take()?)),
                Call::Put(_) => Err(Status::unimplemented(format!("`{api}` is done with DoPut"))),
            }
        });
        let (asking, read, place) = match begun {
            Ok(begun) => begun,
            Err(status) => return Err(refused(upload, observed, status).await),
        };
        let rows = upload.rows().await.map_err(|status| observed.refused(status))?;
        self.rows(asking, read, rows, (place, observed)).await
    }

    async fn do_put(&self, request: Request<Streaming<FlightData>>) -> Result<Response<Self::DoPutStream>, Status> {
        let mut observed = Observed::begin(&self.0.observer, "DoPut", request.metadata());
        let claimed = Claimed::by(&request);
        let upload = Upload::begin(request.into_inner(), self.0.limits(true)).await?;
        let asking = self.asking(claimed, &mut observed).await;
        let begun = asking.and_then(|asking| Ok((asking, command(&upload, &mut observed)?, self.0.places.take()?)));
        let (asking, command, place) = match begun {
            Ok(begun) => begun,
            Err(status) => return Err(refused(upload, observed, status).await),
        };
        let descriptor = upload.command.clone();
        let rows = upload.rows().await.map_err(|status| observed.refused(status))?;
        match command.call {
            Call::Read(read) => {
                let question = Question::of(read, rows, &self.0.store).map_err(|problem| observed.failed(&problem))?;
                let kept = self.0.tickets.keep(&asking.owner, &descriptor, question);
                kept.map_err(|status| observed.refused(status))?;
            }
            Call::Put(put) => self.act(asking, put, rows, (place, &mut observed)).await?,
        }
        observed.done();
        Ok(with_id(stream::empty().boxed(), &observed))
    }

    async fn get_flight_info(&self, request: Request<FlightDescriptor>) -> Result<Response<FlightInfo>, Status> {
        let mut observed = Observed::begin(&self.0.observer, "GetFlightInfo", request.metadata());
        let asking = self.asking(Claimed::by(&request), &mut observed).await?;
        let command = request.into_inner().cmd.to_vec();
        let Some(ticket) = self.0.tickets.of(&asking.owner, &command) else {
            let message = "no rows came with this command, or they were asked for already (send them with DoPut first)";
            return Err(observed.refused(Status::not_found(message)));
        };
        let info = self.info(command, ticket).map_err(|status| observed.refused(status))?;
        observed.done();
        Ok(with_id(info, &observed))
    }

    async fn do_get(&self, request: Request<Ticket>) -> Result<Response<Self::DoGetStream>, Status> {
        let mut observed = Observed::begin(&self.0.observer, "DoGet", request.metadata());
        let asking = self.asking(Claimed::by(&request), &mut observed).await?;
        // Who is sent away keeps the ticket.
        let place = self.0.places.take().map_err(|status| observed.refused(status))?;
        let Some(question) = self.0.tickets.redeem(&asking.owner, &request.into_inner().ticket) else {
            let message = "the ticket is none, or was used already (send the rows with DoPut again)";
            return Err(observed.refused(Status::not_found(message)));
        };
        self.answered(asking, question, (place, observed)).await
    }

    async fn list_flights(&self, request: Request<Criteria>) -> Result<Response<Self::ListFlightsStream>, Status> {
        let mut observed = Observed::begin(&self.0.observer, "ListFlights", request.metadata());
        let asking = self.asking(Claimed::by(&request), &mut observed).await?;
        let own = self.0.tickets.all_of(&asking.owner).into_iter();
        let flights: Vec<_> = own.map(|(command, ticket)| self.info(command, ticket)).collect();
        observed.done();
        Ok(with_id(stream::iter(flights).boxed(), &observed))
    }

    async fn list_actions(&self, request: Request<Empty>) -> Result<Response<Self::ListActionsStream>, Status> {
        let mut observed = Observed::begin(&self.0.observer, "ListActions", request.metadata());
        self.asking(Claimed::by(&request), &mut observed).await?;
        let action = |(kind, description): (&str, &str)| {
            Ok(ActionType { r#type: kind.to_owned(), description: description.to_owned() })
        };
        observed.done();
        Ok(with_id(stream::iter(ACTIONS.map(action)).boxed(), &observed))
    }

    async fn handshake(
        &self,
        _: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        Err(Status::unimplemented("there is no handshake: tokens come with each call, in `authorization`"))
    }

    async fn poll_flight_info(&self, _: Request<FlightDescriptor>) -> Result<Response<PollInfo>, Status> {
        Err(Status::unimplemented("commands are not polled"))
    }

    async fn get_schema(&self, _: Request<FlightDescriptor>) -> Result<Response<SchemaResult>, Status> {
        Err(Status::unimplemented("the columns of an answer come with it"))
    }

    async fn do_action(&self, _: Request<Action>) -> Result<Response<Self::DoActionStream>, Status> {
        Err(Status::unimplemented("what is listed as an action is done with DoPut"))
    }
}

impl Calls {
    /// Who makes a call.
    async fn asking(&self, claimed: Claimed, observed: &mut Observed) -> Result<Asking, Status> {
        claimed.checked(&self.0.gate).await.map_err(|problem| observed.failed(&problem))
    }

    /// Answers a command with rows.
    async fn rows(
        &self,
        asking: Asking,
        read: Read,
        rows: Option<Entities>,
        (place, mut observed): (Place, Observed),
    ) -> Result<Response<Answer>, Status> {
        let question = Question::of(read, rows, &self.0.store).map_err(|problem| observed.failed(&problem))?;
        self.answered(asking, question, (place, observed)).await
    }

    async fn answered(
        &self,
        asking: Asking,
        question: Question,
        (place, mut observed): (Place, Observed),
    ) -> Result<Response<Answer>, Status> {
        observed.asks_for(question.api());
        if let Question::Rows(rows) = &question {
            observed.retrieving(&asking.caller, rows);
        }
        let turn = place.turn().await.map_err(|status| observed.refused(status))?;
        let id = observed.id();
        Ok(named(self.0.answer(asking, question, turn, observed).await?, &id))
    }

    /// Does what a command wants done. Writing that has begun goes on to its end, even if the client is gone: half of it
    /// would be of no use to anybody.
    async fn act(
        &self,
        asking: Asking,
        put: Put,
        rows: Option<Entities>,
        (place, observed): (Place, &mut Observed),
    ) -> Result<(), Status> {
        let deadline = match &put {
            Put::Persist(Persist { timeout: Some(seconds), .. }) => {
                std::time::Duration::try_from_secs_f64(*seconds).unwrap_or(self.0.deadline).min(self.0.deadline)
            }
            _ => self.0.deadline,
        };
        let act = Act::of(put, rows, &self.0.store).map_err(|problem| observed.failed(&problem))?;
        let turn = place.turn().await.map_err(|status| observed.refused(status))?;
        let cancel = Cancel::default();
        let (_call_off, deadline) = (CallOff::of(&cancel), Deadline::begin(deadline, &cancel));
        let state = Arc::clone(&self.0);
        let done = blocking(move || {
            let _turn = turn;
            act.act(&state.store, &asking.caller, &cancel)
        });
        let rows = done.await.map_err(|failure: Failure| observed.failed(&deadline.explain(failure)))?;
        observed.sent(usize::try_from(rows).unwrap_or(usize::MAX));
        Ok(())
    }

    /// What is known of a command before it is carried out.
    fn info(&self, command: Vec<u8>, ticket: String) -> Result<FlightInfo, Status> {
        let endpoint = FlightEndpoint::new().with_ticket(Ticket::new(ticket)).with_location(&self.0.location);
        let info = FlightInfo::new().try_with_schema(&Schema::empty()).map_err(|error| {
            error::status(&Problem::new(Kind::Internal, format!("no columns cannot be written: {error}"), None))
        })?;
        Ok(info.with_descriptor(FlightDescriptor::new_cmd(command)).with_endpoint(endpoint))
    }
}

/// The command of a client's descriptor.
fn command(upload: &Upload, observed: &mut Observed) -> Result<Command, Status> {
    let command = Command::parse(&upload.command).map_err(|error| error::no_command(&error))?;
    observed.asks_for(command.api());
    Ok(command)
}

/// Sends a client away that has sent everything.
async fn refused(upload: Upload, mut observed: Observed, status: Status) -> Status {
    upload.ignored().await;
    observed.refused(status)
}

fn with_id<T>(message: T, observed: &Observed) -> Response<T> {
    named(message, &observed.id())
}

/// An answer with the id of its call.
fn named<T>(message: T, id: &str) -> Response<T> {
    let mut response = Response::new(message);
    if let Ok(id) = MetadataValue::try_from(id) {
        response.metadata_mut().insert("x-request-id", id);
    }
    response
}
