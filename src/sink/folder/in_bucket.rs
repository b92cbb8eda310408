//! A folder in a bucket. No name of it could be taken at once, so its files appear one after another, quickly, when all of
//! them have arrived; meanwhile a mark says that it is not whole, and another one at the end that it is.

use std::{future::ready, path::Path, slice};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use uuid::Uuid;

use super::added::{AddedFiles, Additions};
use crate::{
    clients::{
        buckets::{Bucket, Expected, INCOMPLETE, PartsAtOnce, Put, SUCCESS, Upload, Version},
        runtime::wait,
    },
    config::BucketUrl,
    diagnostics::counted,
    problem::{Kind, Problem},
    sink::{
        Target,
        object::{UnfinishedObjects, appear, give_up},
    },
};

/// Parts of files that are on their way at a time.
const PARTS_AT_ONCE: usize = 8;
/// So many objects are removed at a time.
const REMOVED_AT_ONCE: usize = 16;

/// A folder whose files are uploaded, and appear when it is finished.
pub(super) struct BucketFolder {
    bucket: Bucket,
    /// Without a slash at its end.
    folder: String,
    objects: UnfinishedObjects,
    at_once: PartsAtOnce,
    end: End,
}

/// What becomes of the files when the folder is finished.
enum End {
    /// They are the folder, also if there are others, which are removed.
    Appears(New),
    /// They are added to those that are there.
    Adds(Additions),
}

/// A new folder.
struct New {
    replaces: bool,
    /// Stands in names of files where others are replaced, so that these are whole until the new ones are.
    id: Option<Uuid>,
    /// The mark of somebody who was stopped.
    mark: Option<Version>,
}

impl BucketFolder {
    pub(super) fn create(bucket: &Bucket, url: &BucketUrl, replaces: bool) -> Result<Self, Problem> {
        let folder = url.key.trim_end_matches('/');
        let (is_file, there) = wait(async {
            let file = match folder {
                "" => None,
                folder => bucket.head(folder).await?,
            };
            // Some tools leave empty objects for folders.
            let is_file = file.is_some_and(|file| file.bytes > 0);
            Ok::<_, Problem>((is_file, bucket.list(folder).take(1).try_collect::<Vec<_>>().await?))
        })?;
        if is_file {
            let message = format!("cannot write {url}: there is an object of this name, and not a folder");
            return Err(Problem::new(Kind::Conflict, message, ANOTHER.to_owned()));
        }
        // What begins with an underscore sorts behind most names, so it is asked for.
        let mark = match there.is_empty() {
            true => None,
            false => wait(bucket.head(&below(folder, INCOMPLETE)))?.map(|mark| mark.version),
        };
        if !there.is_empty() && !replaces {
            return Err(taken(url, mark.is_some()));
        }
        let id = (!there.is_empty()).then(Uuid::new_v4);
        let end = End::Appears(New { replaces, id, mark });
        Ok(Self::of(bucket, url, end))
    }

    pub(super) fn adding_to(bucket: &Bucket, url: &BucketUrl, (beginning, ending): (&str, &str)) -> (Self, AddedFiles) {
        let additions = Additions::new(beginning, ending);
        let added = additions.added();
        (Self::of(bucket, url, End::Adds(additions)), added)
    }

    fn of(bucket: &Bucket, url: &BucketUrl, end: End) -> Self {
        let folder = url.key.trim_end_matches('/').to_owned();
        let (objects, at_once) = (UnfinishedObjects::new(), PartsAtOnce::new(PARTS_AT_ONCE));
        Self { bucket: bucket.clone(), folder, objects, at_once, end }
    }

    /// A new file. The first one shows whether one may write.
    pub(super) fn file(&mut self, folder: &Path, number: usize, ending: &str) -> Result<Target, Problem> {
        let file = match &mut self.end {
            End::Appears(New { id: None, .. }) => folder.join(format!("data_{number}.{ending}")),
            End::Appears(New { id: Some(id), .. }) => folder.join(format!("data_{number}-{}.{ending}", id.simple())),
            End::Adds(additions) => additions.begin(folder, number),
        };
        let upload = self.bucket.upload(&below(&self.folder, &file.to_string_lossy()), &self.at_once)?;
        let bytes = if self.objects.is_empty() { self.objects.begin(upload)? } else { self.objects.add(upload) };
        Ok(Target::object_of_folder(bytes))
    }

    /// Lets the files appear.
    ///
    /// # Errors
    /// When they cannot; then those that were there are there as they were, or a mark says that this is not so.
    pub(super) fn finish(self) -> Result<(), Problem> {
        let Self { bucket, folder, objects, end, .. } = self;
        let place = Place { bucket, folder };
        objects.arrive()?;
        objects.finish_by(|uploads| match end {
            End::Appears(new) => match place.begin(&new) {
                Ok(there) => place.fill(&new, there, uploads),
                Err(problem) => {
                    give_up(uploads);
                    Err(problem)
                }
            },
            End::Adds(additions) => {
                place.appear(uploads)?;
                additions.are_there(Path::new(&place.url().to_string()));
                Ok(())
            }
        })
    }
}

/// Where the files are.
struct Place {
    bucket: Bucket,
    folder: String,
}

impl Place {
    fn url(&self) -> BucketUrl {
        self.bucket.url(&self.folder)
    }

    fn key(&self, name: &str) -> String {
        below(&self.folder, name)
    }

    /// All files or none of them.
    fn appear(&self, uploads: Vec<Upload>) -> Result<Vec<String>, Problem> {
        let (appeared, result) = appear(uploads);
        match result {
            Ok(()) => Ok(appeared),
            Err(problem) => {
                self.remove(&appeared).map_err(|left| {
                    let count = counted(appeared.len(), "file");
                    let message =
                        format!("{}; and {count} of it could not be removed: {}", problem.message, left.message);
                    Problem { message, ..problem.clone() }
                })?;
                Err(problem)
            }
        }
    }

    /// Marks the folder, and gives the keys of what is in it. The mark is a lock: of those who write to one folder at once the
    /// first one fills it.
    fn begin(&self, new: &New) -> Result<Vec<String>, Problem> {
        let expected = new.mark.clone().map_or(Expected::Nothing, Expected::This);
        match self.put(INCOMPLETE, expected)? {
            Put::Done(_) => {}
            Put::Outrun => return Err(taken(&self.url(), true)),
            Put::Unconditional => _ = self.put(INCOMPLETE, Expected::Anything)?,
        }
        let mark = self.key(INCOMPLETE);
        let listed = self.bucket.list(&self.folder).map_ok(|object| object.key);
        let there = wait(listed.try_filter(|key| ready(*key != mark)).try_collect::<Vec<_>>());
        match there {
            Ok(there) if new.replaces || there.is_empty() => Ok(there),
            other => {
                self.unmark(new);
                Err(other.err().unwrap_or_else(|| taken(&self.url(), false)))
            }
        }
    }

    /// Fills the folder, which is marked and has these objects.
    fn fill(&self, new: &New, there: Vec<String>, uploads: Vec<Upload>) -> Result<(), Problem> {
        let success = self.key(SUCCESS);
        let was_whole = there.contains(&success);
        if was_whole && let Err(problem) = self.remove(slice::from_ref(&success)) {
            give_up(uploads);
            self.unmark(new);
            return Err(problem);
        }
        let appeared = self.appear(uploads).inspect_err(|_| {
            // What was there is there as it was.
            if was_whole {
                let _ = self.put(SUCCESS, Expected::Anything);
            }
            self.unmark(new);
        })?;
        let old: Vec<String> = there.into_iter().filter(|key| *key != success && !appeared.contains(key)).collect();
        let finished = self.remove(&old).and_then(|()| {
            self.put(SUCCESS, Expected::Anything)?;
            self.remove(&[self.key(INCOMPLETE)])
        });
        finished.map_err(|problem| {
            let message = format!(
                "{}; the new files are there, and {} still says that they are not whole",
                problem.message,
                self.bucket.url(&self.key(INCOMPLETE))
            );
            Problem { message, ..problem }
        })
    }

    /// Takes the mark away from a folder in which nothing has changed, unless it was there before.
    fn unmark(&self, new: &New) {
        if new.mark.is_none() {
            // Who finds it is told what to do.
            let _ = self.remove(&[self.key(INCOMPLETE)]);
        }
    }

    fn put(&self, name: &str, expected: Expected) -> Result<Put, Problem> {
        wait(self.bucket.put(&self.key(name), Bytes::new(), expected))
    }

    fn remove(&self, keys: &[String]) -> Result<(), Problem> {
        wait(stream::iter(keys).map(Ok).try_for_each_concurrent(REMOVED_AT_ONCE, |key| self.bucket.delete(key)))
    }
}

/// What to do where something is in the way.
const ANOTHER: &str = "remove it, or name another folder";

fn taken(url: &BucketUrl, is_incomplete: bool) -> Problem {
    let what = match is_incomplete {
        true => "there is a folder already that somebody is filling, or began to and was stopped",
        false => "there is a folder with files already",
    };
    Problem::new(Kind::Conflict, format!("cannot write {url}: {what}"), ANOTHER.to_owned())
}

/// The key of a name in a folder.
fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
