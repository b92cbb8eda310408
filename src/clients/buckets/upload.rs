//! Objects that are written piece by piece and appear when they are complete.

use std::{borrow::Cow, mem, pin::pin, sync::Arc};

use futures_util::future::{Either, select};
use object_store::{
    Attribute, Error, GetOptions, MultipartUpload, ObjectStore, PutMultipartOptions, PutPayloadMut, path::Path,
};
use tokio::{
    sync::{Semaphore, oneshot},
    task::{JoinHandle, JoinSet},
};
use uuid::Uuid;

use super::{Bucket, failure};
use crate::problem::Problem;

/// Bytes of a part: with the 10 000 parts of S3, up to 80 GB.
const PART: usize = 8 << 20;

/// How many parts may be on their way at a time, of all uploads that share this.
#[derive(Debug, Clone)]
pub struct PartsAtOnce(Arc<Semaphore>);

impl PartsAtOnce {
    /// So many.
    pub fn new(parts: usize) -> Self {
        Self(Arc::new(Semaphore::new(parts.max(1))))
    }
}

/// An object that is being written. Until it is finished there is nothing under its key, or what was there before; who
/// drops it leaves parts that only the store knows.
#[derive(Debug)]
pub struct Upload {
    bucket: Bucket,
    key: String,
    path: Path,
    /// Stands in the object, so that who gets no answer finds out whether it appeared.
    id: Uuid,
    /// Bytes of the next part.
    next: PutPayloadMut,
    parts: Parts,
    at_once: PartsAtOnce,
}

type Multipart = Box<dyn MultipartUpload>;

#[derive(Debug)]
enum Parts {
    /// The store does not know of it yet.
    None,
    /// It is being told of it; who leaves off waiting for that may wait again.
    Beginning(JoinHandle<Result<Multipart, Error>>),
    /// Some may be on their way.
    Begun(Multipart, JoinSet<Result<(), Error>>),
    /// There are no more; perhaps the last ones are on their way, until `stop` is dropped.
    Sealed { last: JoinHandle<Arrived>, stop: oneshot::Sender<()> },
    /// There are no more, and none is on its way.
    Arrived(Arrived),
}

/// What the store knows of an upload, which can be removed, and whether all of it is there.
type Arrived = (Option<Multipart>, Result<(), Error>);

impl Upload {
    /// An object of which the store knows nothing until there is a whole part.
    pub(super) fn new(bucket: Bucket, key: &str, at_once: &PartsAtOnce) -> Result<Self, Problem> {
        let (path, next, at_once) = (bucket.path(key)?, PutPayloadMut::new(), at_once.clone());
        let id = Uuid::new_v4();
        Ok(Self { bucket, key: key.to_owned(), path, id, next, parts: Parts::None, at_once })
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Bytes that wait for more of them.
    pub fn waiting(&self) -> usize {
        self.next.content_length()
    }

    /// Begins to write, if that is not done, which shows whether one may.
    ///
    /// # Errors
    /// When the store gives no answer, or does not let us write.
    pub async fn begin(&mut self) -> Result<(), Problem> {
        if matches!(self.parts, Parts::None) {
            let (store, path, id) = (Arc::clone(&self.bucket.store), self.path.clone(), self.id);
            self.parts = Parts::Beginning(tokio::spawn(async move { begin(&*store, &path, id).await }));
        }
        if let Parts::Beginning(beginning) = &mut self.parts {
            let begun = beginning.await.map_err(Error::from).flatten();
            self.parts = Parts::None;
            self.parts = Parts::Begun(begun.map_err(|error| self.failed(&error))?, JoinSet::new());
        }
        Ok(())
    }

    /// Adds bytes, and waits while too many are on their way.
    ///
    /// # Errors
    /// When a part could not be written.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), Problem> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PART - self.waiting()));
            self.next.extend_from_slice(now);
            if self.waiting() == PART {
                self.send().await?;
            }
            bytes = later;
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), Problem> {
        self.begin().await?;
        let permit = Arc::clone(&self.at_once.0).acquire_owned().await;
        // What is sealed takes nothing more.
        let Parts::Begun(upload, on_their_way) = &mut self.parts else { return Ok(()) };
        let part = upload.put_part(mem::take(&mut self.next).freeze());
        on_their_way.spawn(async move {
            let _permit = permit;
            part.await
        });
        while let Some(arrived) = on_their_way.try_join_next() {
            arrived.map_err(Error::from).flatten().map_err(|error| self.bucket.explain("write", &self.key, &error))?;
        }
        Ok(())
    }

    /// Writes what is left, and does not wait until it has arrived. Nothing appears yet, and nothing can be added any more.
    pub async fn seal(&mut self) {
        if matches!(self.parts, Parts::Sealed { .. } | Parts::Arrived(_)) {
            return;
        }
        let permit = Arc::clone(&self.at_once.0).acquire_owned().await;
        let last = mem::take(&mut self.next).freeze();
        let parts = mem::replace(&mut self.parts, Parts::None);
        let (store, path, id) = (Arc::clone(&self.bucket.store), self.path.clone(), self.id);
        let (stop, stopped) = oneshot::channel();
        let last = tokio::spawn(async move {
            let _permit = permit;
            // What is begun has to be known, to be removed.
            let begun = match parts {
                Parts::Begun(upload, on_their_way) => Ok((upload, on_their_way)),
                Parts::Beginning(beginning) => beginning.await.map_err(Error::from).flatten().map(without_parts),
                _ => begin(&*store, &path, id).await.map(without_parts),
            };
            let (mut upload, mut on_their_way) = match begun {
                Ok(begun) => begun,
                Err(error) => return (None, Err(error)),
            };
            if last.content_length() > 0 {
                on_their_way.spawn(upload.put_part(last));
            }
            let arrived = match select(pin!(all(&mut on_their_way)), stopped).await {
                Either::Left((arrived, _)) => arrived,
                Either::Right(_) => Err(given_up()),
            };
            on_their_way.shutdown().await;
            (Some(upload), arrived)
        });
        self.parts = Parts::Sealed { last, stop };
    }

    /// Writes what is left, and waits until all has arrived, or cannot. Who leaves off waiting may wait again.
    pub async fn arrive(&mut self) {
        self.seal().await;
        if let Parts::Sealed { last, .. } = &mut self.parts {
            self.parts = Parts::Arrived(last.await.unwrap_or_else(|error| (None, Err(error.into()))));
        }
    }

    /// Lets the object appear.
    ///
    /// # Errors
    /// When a part could not be written; then nothing appears, and what was written is removed.
    pub async fn finish(mut self) -> Result<(), Problem> {
        self.arrive().await;
        let Parts::Arrived((upload, written)) = self.parts else { return Ok(()) };
        let Some(mut upload) = upload else {
            return written.map_err(|error| self.bucket.explain("write", &self.key, &error));
        };
        let completed = match written {
            Ok(()) => upload.complete().await.map(drop),
            Err(error) => Err(error),
        };
        match completed {
            // The first answer was lost, and who is asked again knows of no such upload any more.
            Err(Error::NotFound { .. } | Error::Generic { .. }) if self.bucket.has(&self.path, self.id).await => Ok(()),
            Err(error) => {
                let _ = upload.abort().await;
                Err(self.bucket.explain("write", &self.key, &error))
            }
            Ok(()) => Ok(()),
        }
    }

    /// Removes what was written, and waits for no part that is on its way.
    ///
    /// # Errors
    /// When the store gives no answer; then parts stay that nobody sees.
    pub async fn abort(self) -> Result<(), Problem> {
        let upload = match self.parts {
            Parts::None => None,
            Parts::Beginning(beginning) => beginning.await.map_err(Error::from).flatten().ok(),
            Parts::Begun(upload, mut on_their_way) => {
                on_their_way.shutdown().await;
                Some(upload)
            }
            Parts::Sealed { last, stop } => {
                drop(stop);
                last.await.ok().and_then(|(upload, _)| upload)
            }
            Parts::Arrived((upload, _)) => upload,
        };
        match upload {
            Some(mut upload) => upload.abort().await.map_err(|error| self.bucket.explain("write", &self.key, &error)),
            None => Ok(()),
        }
    }

    fn failed(&self, error: &Error) -> Problem {
        self.bucket.explain("write", &self.key, error)
    }
}

/// An upload that has just begun.
fn without_parts(upload: Multipart) -> (Multipart, JoinSet<Result<(), Error>>) {
    (upload, JoinSet::new())
}

/// Waits for all parts, up to the first that cannot be written.
async fn all(on_their_way: &mut JoinSet<Result<(), Error>>) -> Result<(), Error> {
    while let Some(arrived) = on_their_way.join_next().await {
        arrived.map_err(Error::from).flatten()?;
    }
    Ok(())
}

/// What nobody is told who gives an upload up.
fn given_up() -> Error {
    Error::Generic { store: "upload", source: "it was given up".into() }
}

/// Where an object says which upload it is of.
const UPLOAD: Attribute = Attribute::Metadata(Cow::Borrowed("feastr"));

async fn begin(store: &dyn ObjectStore, path: &Path, id: Uuid) -> Result<Multipart, Error> {
    let options = || PutMultipartOptions {
        attributes: [(UPLOAD, id.to_string())].into_iter().collect(),
        ..PutMultipartOptions::default()
    };
    match store.put_multipart_opts(path, options()).await {
        // The store's client asks again only until an answer begins. What was begun has no parts, and nobody sees it.
        Err(error) if failure::is_broken_off(&error) => store.put_multipart_opts(path, options()).await,
        begun => begun,
    }
}

impl Bucket {
    /// Whether an object is that of an upload.
    async fn has(&self, path: &Path, id: Uuid) -> bool {
        let found = self.store.get_opts(path, GetOptions { head: true, ..GetOptions::default() }).await;
        found.is_ok_and(|found| found.attributes.get(&UPLOAD).is_some_and(|known| **known == *id.to_string()))
    }
}
