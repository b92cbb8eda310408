//! Room for calls: how many are carried out at a time, on threads of which the process has some dozens. Changes wait for the
//! lock of the registry, some of them for long; those that only read find room beside them.

use std::{num::NonZeroUsize, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::settings::Settings;
use crate::problem::{Kind, Problem, Subject};

/// So many changes have a thread at a time. The lock lets one of a project through; who waits longer waits without a thread.
const MOST_CHANGING: usize = 16;

/// What a call does with the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// It reads, or writes what no lock is needed for.
    Reading,
    /// It changes a project under its lock.
    Changing,
}

/// The room of a server.
pub(super) struct Room {
    reading: Places,
    /// Changes, those without a thread among them.
    changes: Places,
    changing: Arc<Semaphore>,
    locks: Places,
}

/// A place, which is free again when this is dropped.
pub(super) struct Place {
    _places: Vec<OwnedSemaphorePermit>,
}

impl Room {
    /// The room that the settings give.
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            reading: Places::new(settings.most_running, "calls are carried out"),
            changes: Places::new(settings.most_running, "changes wait for the lock of the registry"),
            changing: Arc::new(Semaphore::new(MOST_CHANGING)),
            locks: Places::new(settings.most_held, "locks of views are held through this server"),
        }
    }

    /// A place for a call, which a change may have to wait for.
    ///
    /// # Errors
    /// That there is none.
    pub(super) async fn place(&self, work: Work) -> Result<Place, Problem> {
        match work {
            Work::Reading => Ok(Place { _places: vec![self.reading.take()?] }),
            Work::Changing => {
                let in_line = self.changes.take()?;
                let thread = Arc::clone(&self.changing).acquire_owned().await;
                // Nobody closes it.
                Ok(Place { _places: thread.into_iter().chain([in_line]).collect() })
            }
        }
    }

    /// A place for the lock of a view, which a client holds for as long as it likes.
    ///
    /// # Errors
    /// That there is none.
    pub(super) fn place_of_lock(&self) -> Result<Place, Problem> {
        Ok(Place { _places: vec![self.locks.take()?] })
    }
}

/// Places for something.
struct Places {
    free: Arc<Semaphore>,
    count: usize,
    /// What is there too much of, where none is free.
    what: &'static str,
}

impl Places {
    fn new(count: NonZeroUsize, what: &'static str) -> Self {
        let count = count.get().min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(count)), count, what }
    }

    fn take(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.free).try_acquire_owned().map_err(|_| {
            let message = format!("the server is busy: {} {} at a time, and that is the most", self.count, self.what);
            Problem::new(Kind::Unavailable, message, "ask again later".to_owned()).about(Subject::Room)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;

    use super::*;
    use crate::daemon::TelemetrySettings;

    fn room(most: usize) -> Room {
        let most = NonZeroUsize::new(most).unwrap();
        Room::new(&Settings {
            host: String::new(),
            grpc_port: None,
            rest_port: None,
            certificate: None,
            most_running: most,
            most_held: most,
            deadline: Duration::ZERO,
            idle_limit: Duration::ZERO,
            message_limit: 0,
            end_limit: Duration::ZERO,
            telemetry: TelemetrySettings { access_log: false, metrics: None, otlp: None },
        })
    }

    /// Whether there is a place at once, which is kept in `taken`.
    fn has(room: &Room, work: Work, taken: &mut Vec<Place>) -> Option<Result<(), Problem>> {
        room.place(work).now_or_never().map(|place| place.map(|place| taken.push(place)))
    }

    #[test]
    fn changes_wait_in_line_and_leave_room_for_others() {
        let (room, mut taken) = (room(MOST_CHANGING + 1), Vec::new());
        for _ in 0..MOST_CHANGING {
            assert!(has(&room, Work::Changing, &mut taken).unwrap().is_ok());
        }
        let mut waiting = std::pin::pin!(room.place(Work::Changing));
        assert!(waiting.as_mut().now_or_never().is_none(), "there is a thread for it");
        let refused = has(&room, Work::Changing, &mut taken).unwrap().unwrap_err();
        assert_eq!((refused.kind, refused.subject), (Kind::Unavailable, Some(Subject::Room)));
        assert!(has(&room, Work::Reading, &mut taken).unwrap().is_ok());
        taken.remove(0);
        assert!(waiting.now_or_never().unwrap().is_ok());
    }

    #[test]
    fn locks_have_places_of_their_own() {
        let room = room(1);
        let held = room.place_of_lock().unwrap();
        let refused = room.place_of_lock().map(drop).unwrap_err();
        assert!(refused.message.contains("1 locks of views"), "{refused}");
        assert!(has(&room, Work::Reading, &mut Vec::new()).unwrap().is_ok());
        drop(held);
        assert!(room.place_of_lock().is_ok());
    }
}
