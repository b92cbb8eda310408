//! Locks of views, held for clients as long as they say that they are there.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use tokio::{
    select,
    sync::mpsc::{Sender, channel},
    time::{interval, timeout},
};
use tonic::{Request, Response, Status, Streaming, codegen::Service};

use super::call::{Answers, Pending, begun, ended, ended_badly, with_id};
use crate::{
    app::registered::own::lock_view,
    clients::runtime::blocking,
    model::ViewId,
    problem::{Kind, Problem},
    registry::{
        ViewLock,
        remote::protocol::{BEAT_SECONDS, HoldAnswer, HoldPart, SILENCE_SECONDS},
    },
    registry_server::{
        observe::Observed,
        room::{Place, Work},
        service::carried_out,
        state::State,
    },
};

/// The call.
pub(super) struct Hold(pub(super) Arc<State>);

impl Service<Request<Streaming<HoldPart>>> for Hold {
    type Response = Response<Answers<HoldAnswer>>;
    type Error = Status;
    type Future = Pending<Self::Response, Status>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Streaming<HoldPart>>) -> Self::Future {
        let state = Arc::clone(&self.0);
        Box::pin(async move {
            let (metadata, _, mut said) = request.into_parts();
            let (mut observed, caller) = begun(&state, "HoldView", metadata).await?;
            let first = ended_badly(&mut observed, wanted(&mut said).await)?;
            let place = ended_badly(&mut observed, state.room.place_of_lock())?;
            let shared = Arc::clone(&state);
            let locked = carried_out(&state, Work::Reading, state.deadline, move || {
                let view = first.view.unwrap_or_default();
                let id = ViewId { project: &view.project, name: &view.view };
                lock_view(&shared.registry, &caller, id, &first.who)
            });
            match ended_badly(&mut observed, locked.await)? {
                Err(holder) => {
                    observed.done();
                    let answer = HoldAnswer { held_by: Some(holder.into()) };
                    Ok(with_id(stream::once(async { Ok(answer) }).boxed(), &observed))
                }
                Ok(lock) => {
                    let (say, answers) = channel(4);
                    let response = with_id(said_in(answers), &observed);
                    tokio::spawn(hold((lock, place), said, say, observed));
                    Ok(response)
                }
            }
        })
    }
}

/// What somebody wants who calls.
async fn wanted(said: &mut Streaming<HoldPart>) -> Result<HoldPart, Problem> {
    let invalid = |message: &str| Problem::new(Kind::Invalid, message, None);
    let first = timeout(Duration::from_secs(SILENCE_SECONDS), said.message()).await;
    let first = first.map_err(|_| invalid("nobody says which lock is wanted"))?;
    let first = first.map_err(|status| invalid(status.message()))?;
    first.filter(|first| first.view.is_some()).ok_or_else(|| invalid("it is not said which lock is wanted"))
}

fn said_in(answers: tokio::sync::mpsc::Receiver<HoldAnswer>) -> Answers<HoldAnswer> {
    stream::unfold(answers, |mut answers| async { Some((Ok(answers.recv().await?), answers)) }).boxed()
}

/// Holds a lock until the client gives it back, or is not heard of any more.
async fn hold(held: (ViewLock, Place), mut said: Streaming<HoldPart>, say: Sender<HoldAnswer>, mut observed: Observed) {
    let mut beat = interval(Duration::from_secs(BEAT_SECONDS));
    let silence = Duration::from_secs(SILENCE_SECONDS);
    let mut heard = tokio::time::Instant::now();
    loop {
        select! {
            _ = beat.tick() => {
                // One who does not listen is heard of or not.
                if say.try_send(HoldAnswer::default()).is_err() && say.is_closed() {
                    break;
                }
            }
            word = said.message() => match word {
                Ok(Some(_)) => heard = tokio::time::Instant::now(),
                Ok(None) | Err(_) => break,
            },
            () = tokio::time::sleep_until(heard + silence) => break,
        }
    }
    // Giving it back may take a word to the database.
    let given_back = blocking(move || {
        drop(held);
        Ok::<_, Problem>(())
    });
    // After this the client is told, by the end of the call.
    let _ = ended(&mut observed, given_back.await);
    drop(say);
}
