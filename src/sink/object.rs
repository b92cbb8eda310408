//! An object of a bucket that appears when it is complete.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use crate::{
    clients::{
        buckets::{Bucket, Upload},
        runtime::wait,
    },
    problem::Problem,
};

/// What is written of an object; taken when it is finished or given up.
type Written = Arc<Mutex<Option<Upload>>>;

/// All that is not finished, by a number.
static UNFINISHED: Mutex<(u64, BTreeMap<u64, Written>)> = Mutex::new((0, BTreeMap::new()));

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An object that is being written. Dropped, it never was.
pub(super) struct UnfinishedObject {
    written: Written,
    number: u64,
}

impl UnfinishedObject {
    /// Begins to write, which shows whether one may.
    ///
    /// # Errors
    /// When the store does not take it.
    pub(super) fn begin(bucket: &Bucket, key: &str) -> Result<Self, Problem> {
        // It is noted before a signal can end the program.
        let mut unfinished = locked(&UNFINISHED);
        let written = Arc::new(Mutex::new(Some(wait(bucket.upload(key))?)));
        unfinished.0 += 1;
        let number = unfinished.0;
        unfinished.1.insert(number, Arc::clone(&written));
        Ok(Self { written, number })
    }

    /// Lets it appear.
    ///
    /// # Errors
    /// When the store does not take the rest; then there is nothing, or what was there before.
    pub(super) fn finish(self) -> io::Result<()> {
        match locked(&self.written).take() {
            Some(upload) => wait(upload.finish()).map_err(io::Error::other),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

/// Errors have a [`Problem`] within, in the words of the store.
impl Write for UnfinishedObject {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match locked(&self.written).as_mut() {
            Some(upload) => {
                wait(upload.write(Bytes::copy_from_slice(bytes))).map(|()| bytes.len()).map_err(io::Error::other)
            }
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for UnfinishedObject {
    fn drop(&mut self) {
        locked(&UNFINISHED).1.remove(&self.number);
        give_up(&mut locked(&self.written));
    }
}

/// What stays in the store when it does not answer, nobody sees.
fn give_up(written: &mut Option<Upload>) {
    if let Some(upload) = written.take() {
        let _ = wait(upload.abort());
    }
}

/// Removes all that is not finished, before the program ends. Who is writing it waits for the end.
pub(super) fn remove_unfinished() {
    let unfinished = locked(&UNFINISHED);
    for written in unfinished.1.values() {
        let mut written = locked(written);
        give_up(&mut written);
        mem::forget(written);
    }
    mem::forget(unfinished);
}
