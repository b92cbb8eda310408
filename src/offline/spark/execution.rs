//! A plan that is carried out: the parts of its answer in their order, taken up again where the connection breaks.
//!
//! Spark ends an answer after two minutes or a gigabyte on purpose, and goes on where it is asked to. Other servers of the
//! protocol may lose rows then, and count none, so that a broken answer of theirs is an error. All of them say when an answer
//! is complete; one that ends without that word is not.

use std::time::{Duration, Instant};

use tokio::time::timeout;
use tonic::Streaming;
use uuid::Uuid;

use super::{
    client::{Client, Patience},
    error::Refusal,
    messages::{
        Done, ExecutePlanRequest, ExecutePlanResponse, InterruptRequest, Plan, ReattachExecuteRequest, ReattachOptions,
        ReleaseAll, ReleaseExecuteRequest, ReleaseUntil, RequestOption, execute_plan_response::ResponseType,
        release_execute_request::Release,
    },
};

/// What operations of feastr are tagged with at the server.
const TAG: &str = "feastr";

/// A connection that held for so long was none that is lost again and again; more than connecting may take.
const STEADY: Duration = Duration::from_secs(30);

/// How long is waited for the end of what was called off.
const ENDING: Duration = Duration::from_secs(20);

/// A plan that is carried out.
pub(super) struct Execution<'a> {
    client: &'a Client,
    plan: Plan,
    operation: String,
    /// Whether an answer that breaks can be taken up without losing any of it.
    may_go_on: bool,
    /// Whether the plan was sent.
    is_sent: bool,
    parts: Option<Streaming<ExecutePlanResponse>>,
    /// When the server was asked for them, and whether one came.
    attached: (Instant, bool),
    /// The last part that came.
    last: Option<String>,
    /// The server's name of the session, which another server does not know.
    server_session: Option<String>,
    patience: Patience,
}

impl<'a> Execution<'a> {
    /// A plan that is carried out once its answer is asked for; `may_go_on` says that the server is one whose answers can
    /// be taken up.
    pub(super) fn new(client: &'a Client, plan: Plan, may_go_on: bool) -> Self {
        Self {
            client,
            plan,
            operation: Uuid::new_v4().to_string(),
            may_go_on,
            is_sent: false,
            parts: None,
            attached: (Instant::now(), false),
            last: None,
            server_session: None,
            patience: client.patience(),
        }
    }

    /// The next part of the answer; `None` when all of it came.
    ///
    /// # Errors
    /// When the server refuses, is away for too long, or is another one.
    pub(super) async fn next(&mut self) -> Result<Option<ResponseType>, Refusal> {
        loop {
            match self.received().await {
                Ok(Some(part)) => {
                    self.patience.renew();
                    self.attached.1 = true;
                    self.last = Some(part.response_id).filter(|id| !id.is_empty()).or(self.last.take());
                    self.server_session = Some(part.server_side_session_id).filter(|id| !id.is_empty());
                    match part.response_type {
                        Some(ResponseType::ResultComplete(_)) => {
                            self.release(Release::ReleaseAll(ReleaseAll {})).await;
                            return Ok(None);
                        }
                        Some(part) => {
                            // Nobody would know how many rows are missing.
                            self.may_go_on &= is_counted(&part);
                            return Ok(Some(part));
                        }
                        None => {}
                    }
                }
                Ok(None) if !self.may_go_on => return Err(Refusal::broken_off()),
                // On purpose, as it seems.
                Ok(None) if self.attached.1 => self.parts = None,
                Ok(None) => self.go_on(Refusal::broken_off()).await?,
                Err(refusal) if self.may_go_on && refusal.is_lost() => self.go_on(refusal).await?,
                // It never came there.
                Err(refusal) if self.may_go_on && refusal.is_forgotten() && self.last.is_none() => {
                    self.is_sent = false;
                    self.go_on(refusal).await?;
                }
                Err(refusal) => return Err(self.client.told(refusal).await),
            }
        }
    }

    /// Ends it at the server, and lets the answer go. A session that is released before the query has ended may leave tasks
    /// behind that keep the server busy, so that the end is waited for.
    pub(super) async fn interrupt(mut self) {
        let question = InterruptRequest {
            session_id: self.client.session.clone(),
            user_context: self.client.user(),
            client_type: Some(self.client.agent.clone()),
            interrupt_type: InterruptRequest::OPERATION_ID,
            operation_id: Some(self.operation.clone()),
        };
        let _: Option<Done> = self.client.mention("Interrupt", question).await;
        let ended = async { while matches!(self.received().await, Ok(Some(_))) {} };
        // Whoever called it off has waited long enough then.
        let _ = timeout(ENDING, ended).await;
        self.release(Release::ReleaseAll(ReleaseAll {})).await;
    }

    async fn received(&mut self) -> Result<Option<ExecutePlanResponse>, Refusal> {
        let parts = match &mut self.parts {
            Some(parts) => parts,
            None => {
                self.attached = (Instant::now(), false);
                let parts = self.attached().await?;
                self.parts.insert(parts)
            }
        };
        parts.message().await.map_err(|status| Refusal::of(&status))
    }

    async fn attached(&mut self) -> Result<Streaming<ExecutePlanResponse>, Refusal> {
        let (session_id, user_context) = (self.client.session.clone(), self.client.user());
        let (client_type, operation_id) = (Some(self.client.agent.clone()), self.operation.clone());
        let client_observed_server_side_session_id = self.server_session.clone();
        if self.is_sent {
            if let Some(response_id) = self.last.clone() {
                self.release(Release::ReleaseUntil(ReleaseUntil { response_id })).await;
            }
            let last_response_id = self.last.clone();
            let question = ReattachExecuteRequest {
                session_id,
                user_context,
                operation_id,
                client_type,
                last_response_id,
                client_observed_server_side_session_id,
            };
            return self.client.begin("ReattachExecute", question).await;
        }
        self.is_sent = true;
        let option = RequestOption { reattach_options: Some(ReattachOptions { reattachable: true }) };
        let question = ExecutePlanRequest {
            session_id,
            user_context,
            plan: Some(self.plan.clone()),
            client_type,
            request_options: vec![option],
            operation_id: Some(operation_id),
            tags: vec![TAG.to_owned()],
            client_observed_server_side_session_id,
        };
        self.client.begin("ExecutePlan", question).await
    }

    /// Takes the answer up again, unless that was tried for long enough.
    async fn go_on(&mut self, refusal: Refusal) -> Result<(), Refusal> {
        self.parts = None;
        if self.attached.0.elapsed() > STEADY {
            self.patience.renew();
        }
        if self.patience.goes_on().await { Ok(()) } else { Err(refusal) }
    }

    async fn release(&self, release: Release) {
        let question = ReleaseExecuteRequest {
            session_id: self.client.session.clone(),
            user_context: self.client.user(),
            operation_id: self.operation.clone(),
            client_type: Some(self.client.agent.clone()),
            release: Some(release),
        };
        let _: Option<Done> = self.client.mention("ReleaseExecute", question).await;
    }
}

/// Whether rows say how many come before them.
const fn is_counted(part: &ResponseType) -> bool {
    match part {
        ResponseType::ArrowBatch(batch) => batch.start_offset.is_some(),
        ResponseType::ExecutionProgress(_) | ResponseType::ResultComplete(_) => true,
    }
}
