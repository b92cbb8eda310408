//! Changing an object that others change, too: it is replaced only where it still is what was read, or under a lock where the
//! store cannot tell.

use std::{thread::sleep, time::Instant};

use bytes::Bytes;

use super::outrun;
use crate::{
    clients::{
        buckets::{Bucket, Expected, Put},
        runtime::wait,
    },
    problem::Problem,
    registry::{
        locks::{LockName, Locking, ViewLock},
        pauses::Pauses,
        sql::DatabaseLocks,
    },
};

/// How often is tried again what got no answer; the store's client has tried then already.
const UNANSWERED: usize = 3;

/// What becomes of an object.
pub(super) enum Edit {
    /// It is written anew.
    Replace(Vec<u8>),
    /// It stays as it is.
    Leave,
}

/// How objects of a registry are changed.
pub(super) struct Turns<'a> {
    pub(super) bucket: &'a Bucket,
    pub(super) locking: &'a Locking,
    /// Whose lock keeps others out, and which one, where the store need not.
    pub(super) lock: Option<(&'a DatabaseLocks, LockName)>,
}

impl Turns<'_> {
    /// Reads the object with a key, lets `edit` decide about its bytes, and writes them if the object still is what was
    /// read; else all of that again, until the time is over. `edit` makes other bytes each time.
    ///
    /// # Errors
    /// Those of `edit`, of the store and of the lock, and that others were faster until the time was over. Then nothing was
    /// changed.
    pub(super) fn change(
        &self,
        key: &str,
        mut edit: impl FnMut(Option<&[u8]>) -> Result<Edit, Problem>,
    ) -> Result<(), Problem> {
        let mut lock = self.lock.as_ref().map(|(locks, name)| locks.take(name, self.locking)).transpose()?;
        let (began, mut pauses) = (Instant::now(), Pauses::default());
        // What was written last in vain, and what may have been written, or still may be.
        let mut refused: Option<Bytes> = None;
        let mut unanswered: Vec<(Bytes, Problem)> = Vec::new();
        loop {
            let found = match wait(self.bucket.get(key)) {
                Ok(found) => found,
                Err(problem) => return Err(unanswered.pop().map_or(problem, |(_, first)| first)),
            };
            let (bytes, expected) = match found {
                Some((bytes, version)) => (Some(bytes), Expected::This(version)),
                None => (None, Expected::Nothing),
            };
            // An answer that was lost on the way looks as if somebody else had been faster.
            let is_ours = |bytes: &Bytes| {
                refused.as_ref() == Some(bytes) || unanswered.iter().any(|(written, _)| written == bytes)
            };
            if bytes.as_ref().is_some_and(is_ours) {
                return Ok(());
            }
            let is_over = began.elapsed() >= self.locking.timeout && pauses.count > 0;
            if is_over || unanswered.len() == UNANSWERED {
                let outrun = || outrun(&self.bucket.url(key).to_string());
                return Err(unanswered.pop().map_or_else(outrun, |(_, problem)| problem));
            }
            let Edit::Replace(new) = edit(bytes.as_deref())? else { return Ok(()) };
            let new = Bytes::from(new);
            let put = match &mut lock {
                None => wait(self.bucket.put(key, new.clone(), expected)),
                Some(lock) => self.put_under(lock, key, new.clone(), expected),
            };
            match put {
                Ok(Put::Done(_)) => return Ok(()),
                Ok(Put::Outrun) => refused = Some(new),
                Ok(Put::Unconditional) => return Err(super::conditions::missing(self.bucket, key)),
                Err(problem) => unanswered.push((new, problem)),
            }
            sleep(pauses.next());
        }
    }

    /// Writes under a lock. Whoever does not take it, as Python Feast, is seen unless they write at the same moment: the
    /// store may ignore what is expected.
    fn put_under(&self, lock: &mut ViewLock, key: &str, new: Bytes, expected: Expected) -> Result<Put, Problem> {
        let now = match wait(self.bucket.head(key))? {
            Some(object) => Expected::This(object.version),
            None => Expected::Nothing,
        };
        if !is_same(&expected, &now) {
            return Ok(Put::Outrun);
        }
        lock.confirm()?;
        match wait(self.bucket.put(key, new.clone(), expected))? {
            Put::Unconditional => wait(self.bucket.put(key, new, Expected::Anything)),
            put => Ok(put),
        }
    }
}

/// Whether an object is in the same state, as far as the store tells states apart.
fn is_same(one: &Expected, other: &Expected) -> bool {
    match (one, other) {
        (Expected::This(one), Expected::This(other)) => one.text() == other.text(),
        (one, other) => one == other,
    }
}
