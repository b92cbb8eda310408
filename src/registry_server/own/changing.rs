//! Changes: taken in parts, and carried out when all of them are there.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::timeout;
use tonic::{Request, Response, Status, Streaming, codegen::Service};

use super::call::{Pending, begun, ended, ended_badly, with_id};
use crate::{
    app::{
        Caller, Failure,
        registered::own::{Change, Extent, update},
    },
    problem::{Kind, Problem},
    registry::{
        Write,
        remote::protocol::{UpdateHead, UpdatePart, Updated, read_write},
    },
    registry_server::{
        room::Work,
        service::{address, carried_out},
        state::State,
    },
};

/// How long the next part of a change is waited for.
const NEXT: Duration = Duration::from_secs(30);

/// How many messages' worth of bytes a change may have in all.
const MESSAGES: usize = 16;

/// The call.
pub(super) struct Update(pub(super) Arc<State>);

impl Service<Request<Streaming<UpdatePart>>> for Update {
    type Response = Response<Updated>;
    type Error = Status;
    type Future = Pending<Self::Response, Status>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Streaming<UpdatePart>>) -> Self::Future {
        let state = Arc::clone(&self.0);
        Box::pin(async move {
            let (metadata, extensions, mut parts) = request.into_parts();
            let from = address(&extensions).map(|address| address.to_string());
            let (mut observed, caller) = begun(&state, "Update", metadata).await?;
            let gathered = gathered(&mut parts, state.message_limit.saturating_mul(MESSAGES)).await;
            let (head, writes) = ended_badly(&mut observed, gathered)?;
            let patience = Duration::from_micros(head.patience_micros);
            let limit = state.deadline.saturating_add(patience);
            let shared = Arc::clone(&state);
            let act = move || carry_out(&shared, (&caller, from), &head, &writes);
            let updated = carried_out(&state, Work::Changing, limit, act).await;
            let is_stale = !ended(&mut observed, updated.map_err(Failure::into_problem))?;
            Ok(with_id(Updated { is_stale }, &observed))
        })
    }
}

fn carry_out(
    state: &State,
    (caller, from): (&Caller, Option<String>),
    head: &UpdateHead,
    writes: &[Write],
) -> Result<bool, Failure> {
    let change = Change {
        extent: Extent { project: &head.project, view: head.view.as_deref() },
        revision: &head.revision,
        writes,
        who: &head.who,
        from,
        patience: Duration::from_micros(head.patience_micros),
    };
    update(&state.registry, caller, &change)
}

/// The whole of a change. One that was broken off is none.
async fn gathered(parts: &mut Streaming<UpdatePart>, most: usize) -> Result<(UpdateHead, Vec<Write>), Problem> {
    let invalid = |message: String| Problem::new(Kind::Invalid, message, None);
    let (mut head, mut writes, mut bytes) = (None, Vec::new(), 0);
    loop {
        let next = timeout(NEXT, parts.message()).await.map_err(|_| {
            let message = format!("the next part of the change did not come within {} s", NEXT.as_secs());
            Problem::new(Kind::Deadline, message, None)
        })?;
        let next = next.map_err(|status| invalid(format!("the change cannot be read: {}", status.message())))?;
        let Some(part) = next else { return Err(invalid("the change was broken off".to_owned())) };
        bytes += prost::Message::encoded_len(&part);
        if bytes > most {
            return Err(invalid(format!("the change has more than {most} bytes")));
        }
        head = head.or(part.head);
        for write in part.writes {
            let help = "use a newer feastr for the server".to_owned();
            writes.push(read_write(write).map_err(|error| Problem::new(Kind::Unsupported, error.to_string(), help))?);
        }
        if part.is_last {
            let head = head.ok_or_else(|| invalid("the change does not say what it is about".to_owned()))?;
            return Ok((head, writes));
        }
    }
}
