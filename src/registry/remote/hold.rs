//! Locks of views: a call that goes on for as long as one is held. Both ends say now and then that they are there, so that
//! the lock of a program that is gone becomes free.

use std::{
    pin::pin,
    sync::{Arc, Mutex, PoisonError, Weak, mpsc as blocking},
    time::{Duration, Instant},
};

use futures_util::stream::unfold;
use tokio::{
    select,
    sync::mpsc::{Receiver, Sender, channel},
    time::{interval, sleep},
};
use tonic::{Status, Streaming};

use super::{
    protocol::{BEAT_SECONDS, HoldAnswer, HoldPart, SILENCE_SECONDS, ViewRequest},
    server::{ANSWER, Asking, Method, RegistryServer, Unanswered},
};
use crate::{
    clients::{
        grpc::within,
        runtime::{Begun, begun},
    },
    model::ViewId,
    problem::{Kind, Problem},
    registry::locks::{Holder, Locking, of_view},
};

/// Time between two tries for a lock that somebody else has: each is a call.
const LOOKS: Duration = Duration::from_millis(250);

/// Time between two tries for a lock that was lost.
const AGAIN: Duration = Duration::from_secs(1);

/// How long giving a lock back is waited for; a server that is away has given it back already.
const GOODBYE: Duration = Duration::from_secs(3);

/// Who keeps a lock.
pub(super) struct Keeper {
    server: Arc<RegistryServer>,
    view: ViewRequest,
    who: String,
    /// Who has it instead of us, after it was lost.
    taken: Mutex<Option<Holder>>,
}

/// A lock that is kept until this is dropped.
pub(super) struct Held {
    keeper: Arc<Keeper>,
    /// Dropping it ends the call.
    end: Option<Sender<()>>,
    /// Hears when the server has the lock back.
    ended: blocking::Receiver<()>,
    _task: Begun<Result<(), Problem>>,
}

/// A call that goes on.
struct Line {
    /// What we say; the call ends when it is dropped.
    say: Sender<HoldPart>,
    answers: Streaming<HoldAnswer>,
}

/// Waits for the lock of a view and keeps it from then on.
///
/// # Errors
/// When somebody else keeps it too long, and when the server is away or does not allow it.
pub(super) fn take(server: &Arc<RegistryServer>, view: ViewId<'_>, locking: &Locking) -> Result<Held, Problem> {
    let keeper = Arc::new(Keeper {
        server: Arc::clone(server),
        view: ViewRequest { project: view.project.to_owned(), view: view.name.to_owned() },
        who: locking.who.clone(),
        taken: Mutex::default(),
    });
    let mut looked: Option<(Instant, Holder)> = None;
    let line = locking.wait(&of_view(view.name), || {
        if let Some((at, holder)) = &looked
            && at.elapsed() < LOOKS.min(locking.timeout / 4)
        {
            return Ok(Err(holder.clone()));
        }
        let attempt = server.ask(async |asking| keeper.attempt(asking).await).map_err(Unanswered::problem)?;
        if let Err(holder) = &attempt {
            looked = Some((Instant::now(), holder.clone()));
        }
        Ok::<_, Problem>(attempt)
    })?;
    Held::begin(keeper, line)
}

impl Keeper {
    /// Which view's lock it is.
    pub(super) const fn view(&self) -> &ViewRequest {
        &self.view
    }

    /// Says when somebody else got the lock while the server was away.
    ///
    /// # Errors
    /// That it is so.
    pub(super) fn confirm(&self) -> Result<(), Problem> {
        match self.taken.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            None => Ok(()),
            Some(holder) => Err(Problem::new(
                Kind::Conflict,
                format!(
                    "{} was lost with the connection to {}, and is {holder}",
                    of_view(&self.view.view),
                    self.server.name()
                ),
                "what was written is written; it is recorded by whoever does it again".to_owned(),
            )),
        }
    }

    /// Asks for the lock: a call that goes on, or who has it.
    async fn attempt(&self, asking: Asking) -> Result<Result<Line, Holder>, Status> {
        let (say, said) = channel::<HoldPart>(4);
        let first = HoldPart { view: Some(self.view.clone()), who: self.who.clone() };
        say.send(first).await.map_err(|_| Status::cancelled("nobody listens"))?;
        let said = unfold(said, |mut said: Receiver<HoldPart>| async { Some((said.recv().await?, said)) });
        let mut answers: Streaming<HoldAnswer> = asking.talk(Method::own("HoldView"), said).await?;
        let answer = within(ANSWER, answers.message()).await?;
        match answer.ok_or_else(|| Status::unavailable("the server ended the call"))?.held_by {
            Some(holder) => Ok(Err(holder.into())),
            None => Ok(Ok(Line { say, answers })),
        }
    }

    /// The same once more; `None` where the server is still away.
    async fn again(&self) -> Option<Result<Line, Holder>> {
        let asking = self.server.asking().await.ok()?;
        self.attempt(asking).await.ok()
    }

    /// Keeps the lock until the end comes; gets it again where the server went away.
    async fn keep(&self, mut line: Line, mut end: Receiver<()>) {
        loop {
            if self.talk(&mut line, &mut end).await {
                // The server gives the lock back and then ends the call.
                drop(line.say);
                while let Ok(Some(_)) = line.answers.message().await {}
                return;
            }
            line = loop {
                match select! { again = self.again() => again, _ = end.recv() => return } {
                    Some(Ok(line)) => break line,
                    Some(Err(holder)) => {
                        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(holder);
                        return;
                    }
                    None => select! { () = sleep(AGAIN) => {}, _ = end.recv() => return },
                }
            };
        }
    }

    /// Talks with the server until the end comes, or the server is gone (`false`).
    async fn talk(&self, line: &mut Line, end: &mut Receiver<()>) -> bool {
        let mut beat = interval(Duration::from_secs(BEAT_SECONDS));
        let silence = Duration::from_secs(SILENCE_SECONDS);
        let mut heard = Instant::now();
        loop {
            let silent = pin!(sleep(silence.saturating_sub(heard.elapsed())));
            select! {
                _ = end.recv() => return true,
                _ = beat.tick() => {
                    if line.say.try_send(HoldPart::default()).is_err() {
                        return false;
                    }
                }
                answer = line.answers.message() => match answer {
                    Ok(Some(_)) => heard = Instant::now(),
                    Ok(None) | Err(_) => return false,
                },
                () = silent => return false,
            }
        }
    }
}

impl Held {
    fn begin(keeper: Arc<Keeper>, line: Line) -> Result<Self, Problem> {
        let (end, ending) = channel(1);
        let (ended, hear) = blocking::channel();
        let kept = Arc::clone(&keeper);
        let task = begun(async move {
            kept.keep(line, ending).await;
            // Who does not wait any more needs not hear of it.
            let _ = ended.send(());
            Ok::<_, Problem>(())
        })?;
        Ok(Self { keeper, end: Some(end), ended: hear, _task: task })
    }

    /// Who keeps it, as long as it is held.
    pub(super) fn keeper(&self) -> Weak<Keeper> {
        Arc::downgrade(&self.keeper)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.end = None;
        let _ = self.ended.recv_timeout(GOODBYE);
    }
}
