//! An object of a bucket as bytes that come one after the other.

use std::{
    collections::VecDeque,
    io::{self, Read},
};

use bytes::{Buf as _, Bytes};

use super::stored::Stored;
use crate::{
    clients::runtime::{self, Begun},
    problem::Problem,
};

/// Bytes of the first request, after which it shows whether anybody wants more.
const FIRST: u64 = 256 << 10;
/// Bytes of a request.
const PART: u64 = 4 << 20;
/// Parts that are on their way while one is being read.
const AHEAD: usize = 3;

/// Reads an object from its first byte, by parts that are asked for ahead of time.
pub(crate) struct ObjectText {
    object: Stored,
    /// Where the next part begins.
    next: u64,
    here: Bytes,
    ahead: VecDeque<Begun<Result<Vec<Bytes>, Problem>>>,
    /// Whether anybody has read of it.
    has_begun: bool,
}

impl ObjectText {
    /// Asks for the first part already.
    ///
    /// # Errors
    /// When nothing can be asked for.
    pub(crate) fn begun(object: Stored) -> Result<Self, Problem> {
        let mut begun = Self::new(object);
        begun.ask(FIRST)?;
        Ok(begun)
    }

    /// Asks for nothing yet.
    pub(super) const fn new(object: Stored) -> Self {
        Self { object, next: 0, here: Bytes::new(), ahead: VecDeque::new(), has_begun: false }
    }

    fn ask(&mut self, most: u64) -> Result<(), Problem> {
        let end = self.next.saturating_add(most).min(self.object.object().bytes);
        if self.next < end {
            let ((bucket, object), range) = (self.object.parts(), self.next..end);
            self.ahead.push_back(runtime::begun(async move { bucket.ranges(&object, &[range]).await })?);
            self.next = end;
        }
        Ok(())
    }

    fn next_part(&mut self) -> Result<Bytes, Problem> {
        if self.next == 0 {
            self.ask(FIRST)?;
        } else if self.has_begun {
            while self.ahead.len() < AHEAD && self.next < self.object.object().bytes {
                self.ask(PART)?;
            }
        }
        self.has_begun = true;
        let Some(first) = self.ahead.pop_front() else { return Ok(Bytes::new()) };
        Ok(runtime::wait(first)?.into_iter().next().unwrap_or_default())
    }
}

/// Errors have a [`Problem`] within, in the words of the store.
impl Read for ObjectText {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.here.is_empty() {
            self.here = self.next_part().map_err(io::Error::other)?;
        }
        let count = self.here.len().min(buffer.len());
        self.here.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}
