//! Objects of a bucket that appear when they are complete, one or many at once.

use std::{
    collections::BTreeMap,
    io::{self, BufWriter, Write},
    mem,
    pin::pin,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    thread,
};

use futures_util::{
    StreamExt as _,
    future::{Either, join_all, select},
    stream,
};
use tokio::sync::watch;

use crate::{
    clients::{
        buckets::Upload,
        runtime::{NoRuntime, wait},
    },
    problem::Problem,
};

/// So many objects appear or vanish at a time.
const AT_ONCE: usize = 16;

/// Bytes that are given to the store's client at once.
const BUFFER: usize = 64 << 10;

/// What is written of objects; taken when they are finished or given up.
type Uploads = Arc<Mutex<Vec<Upload>>>;

/// All that is not finished, by a number.
static UNFINISHED: Mutex<(u64, BTreeMap<u64, Uploads>)> = Mutex::new((0, BTreeMap::new()));

/// Whether the program is about to end.
static ENDING: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));

/// Does with objects what may take long, unless the program is about to end: whoever does anything with them then waits for
/// that, and they are free to be removed.
///
/// # Errors
/// Those of `act`.
fn at_length<T>(
    uploads: &Mutex<Vec<Upload>>,
    act: impl AsyncFnOnce(&mut [Upload]) -> Result<T, Problem>,
) -> Result<T, Problem> {
    {
        let (mut uploads, mut ending) = (locked(uploads), ENDING.subscribe());
        let done = wait(async {
            let ending = pin!(ending.wait_for(|is_ending| *is_ending));
            match select(pin!(act(&mut uploads)), ending).await {
                Either::Left((done, _)) => done.map(Some),
                Either::Right(_) => Ok(None),
            }
        })?;
        if let Some(done) = done {
            return Ok(done);
        }
    }
    loop {
        thread::park();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Objects that are being written and appear together. Dropped, they never were.
pub(super) struct UnfinishedObjects {
    uploads: Uploads,
    number: u64,
}

impl UnfinishedObjects {
    /// None yet. They are noted before a signal can end the program.
    pub(super) fn new() -> Self {
        let uploads = Uploads::default();
        let mut unfinished = locked(&UNFINISHED);
        unfinished.0 += 1;
        let number = unfinished.0;
        unfinished.1.insert(number, Arc::clone(&uploads));
        Self { uploads, number }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        locked(&self.uploads).is_empty()
    }

    /// Takes the bytes of one more.
    pub(super) fn add(&self, upload: Upload) -> BufWriter<ObjectBytes> {
        let mut uploads = locked(&self.uploads);
        uploads.push(upload);
        let bytes = ObjectBytes { uploads: Arc::clone(&self.uploads), index: uploads.len() - 1 };
        BufWriter::with_capacity(BUFFER, bytes)
    }

    /// The same, begun at once, which shows whether one may write.
    ///
    /// # Errors
    /// When the store does not take it.
    pub(super) fn begin(&self, upload: Upload) -> Result<BufWriter<ObjectBytes>, Problem> {
        let bytes = self.add(upload);
        at_length(&self.uploads, async |uploads| match uploads.last_mut() {
            Some(upload) => upload.begin().await,
            None => Ok(()),
        })?;
        Ok(bytes)
    }

    /// Waits until all that was written has arrived, so that little is left to be done before they appear. What could not be
    /// written is told then.
    ///
    /// # Errors
    /// When nobody can wait.
    pub(super) fn arrive(&self) -> Result<(), Problem> {
        at_length(&self.uploads, async |uploads| {
            join_all(uploads.iter_mut().map(Upload::arrive)).await;
            Ok(())
        })
    }

    /// Lets all of them be dealt with as `act` says, which cannot be interrupted by a signal.
    pub(super) fn finish_by<T>(self, act: impl FnOnce(Vec<Upload>) -> T) -> T {
        let mut uploads = locked(&self.uploads);
        act(mem::take(&mut *uploads))
    }
}

impl Drop for UnfinishedObjects {
    fn drop(&mut self) {
        locked(&UNFINISHED).1.remove(&self.number);
        give_up(mem::take(&mut *locked(&self.uploads)));
    }
}

/// The bytes of an object.
pub(super) struct ObjectBytes {
    uploads: Uploads,
    index: usize,
}

impl ObjectBytes {
    /// Those that are kept here because a part is not full.
    pub(super) fn waiting(&self) -> usize {
        locked(&self.uploads).get(self.index).map_or(0, Upload::waiting)
    }

    /// There are no more.
    ///
    /// # Errors
    /// When the object is not written any more.
    pub(super) fn seal(self) -> io::Result<()> {
        self.with(async |upload| {
            upload.seal().await;
            Ok(())
        })
    }

    fn with(&self, act: impl AsyncFnOnce(&mut Upload) -> Result<(), Problem>) -> io::Result<()> {
        let done = at_length(&self.uploads, async |uploads| match uploads.get_mut(self.index) {
            Some(upload) => act(upload).await.map(Some),
            None => Ok(None),
        });
        done.map_err(io::Error::other)?.ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

/// Errors have a [`Problem`] within, in the words of the store.
impl Write for ObjectBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(async |upload| upload.write(bytes).await).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lets objects appear, some at a time: the keys of those that did, and what was wrong with another one; then those that are
/// left are given up.
pub(super) fn appear(uploads: Vec<Upload>) -> (Vec<String>, Result<(), Problem>) {
    let mut appeared = Vec::with_capacity(uploads.len());
    let all = async {
        let mut failed = None;
        let mut waiting = uploads.into_iter();
        let finish = async |upload: Upload| {
            let key = upload.key().to_owned();
            upload.finish().await.map(|()| key)
        };
        let mut under_way = stream::FuturesUnordered::new();
        under_way.extend(waiting.by_ref().take(AT_ONCE).map(finish));
        while let Some(finished) = under_way.next().await {
            match finished {
                Ok(key) => appeared.push(key),
                Err(problem) => failed = failed.or(Some(problem)),
            }
            if failed.is_none() {
                under_way.extend(waiting.next().map(finish));
            }
        }
        abort(waiting.collect()).await;
        failed.map_or(Ok(()), Err)
    };
    let result = wait(all);
    (appeared, result)
}

async fn abort(uploads: Vec<Upload>) {
    // What stays in the store when it does not answer, nobody sees.
    stream::iter(uploads).for_each_concurrent(AT_ONCE, async |upload| drop(upload.abort().await)).await;
}

/// Lets them never have been.
pub(super) fn give_up(uploads: Vec<Upload>) {
    if !uploads.is_empty() {
        let _ = wait(async {
            abort(uploads).await;
            Ok::<_, NoRuntime>(())
        });
    }
}

/// Removes all that is not finished, before the program ends. Who is writing it waits for the end.
pub(super) fn remove_unfinished() {
    ENDING.send_replace(true);
    let unfinished = locked(&UNFINISHED);
    for uploads in unfinished.1.values() {
        let mut uploads = locked(uploads);
        give_up(mem::take(&mut *uploads));
        mem::forget(uploads);
    }
    mem::forget(unfinished);
}
