//! Where output goes, and when it appears there.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tempfile::NamedTempFile;

use super::{
    object::{self, ObjectBytes, UnfinishedObjects},
    unfinished::Unfinished,
};
use crate::{
    clients::buckets::{Bucket, PartsAtOnce},
    problem::Problem,
};

/// So many letters of a file's name are in that of the hidden one: with 4 bytes each they leave room in 255.
const SHOWN: usize = 60;

/// A place for bytes: a file that appears when it is complete, or what takes them at once.
pub struct Target {
    place: Place,
    failure: LastFailure,
    waiting: Waiting,
}

enum Place {
    File {
        temporary: BufWriter<NamedTempFile>,
        path: PathBuf,
        unfinished: Unfinished,
    },
    /// A file in a folder that appears as a whole.
    Part(BufWriter<File>),
    /// In a bucket.
    Object(BufWriter<ObjectBytes>, UnfinishedObjects),
    /// In a folder of a bucket that appears as a whole.
    ObjectOfFolder(BufWriter<ObjectBytes>),
    /// Standard output, a pipe, a device: nothing that could be put in its place.
    Stream(BufWriter<Box<dyn Write + Send>>),
}

/// What was wrong last, because writers of formats pass it on as mere text.
#[derive(Debug, Clone, Default)]
pub struct LastFailure(Arc<Mutex<Option<Failed>>>);

#[derive(Debug, Clone)]
enum Failed {
    Io(io::ErrorKind),
    /// What a store of buckets said.
    Problem(Problem),
}

/// How many bytes a target keeps in memory until there are enough of them.
#[derive(Debug, Clone, Default)]
pub struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    /// As of the last bytes that were written.
    pub fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl LastFailure {
    /// The last error of the target, if it had one.
    pub fn get(&self) -> Option<io::Error> {
        let failed = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        failed.map(|failed| match failed {
            Failed::Io(kind) => kind.into(),
            Failed::Problem(problem) => io::Error::other(problem),
        })
    }

    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            let problem = Problem::within(error).cloned().map(Failed::Problem);
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = problem.or(Some(Failed::Io(error.kind())));
        }
        result
    }
}

impl Target {
    /// A file that will be found at `path`. Links are followed: what they lead to is replaced. Pipes
    /// and devices are written as they are; a pipe is waited for until somebody reads it.
    ///
    /// # Errors
    /// When `path` is a folder, or its folder or the pipe cannot be written.
    pub fn file(path: &Path) -> io::Result<Self> {
        let place = match fs::metadata(path) {
            Ok(there) if is_stdout(&there) => return Ok(Self::stdout()),
            Ok(there) if there.is_dir() => return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")),
            Ok(there) if !there.is_file() => {
                Place::Stream(BufWriter::new(Box::new(OpenOptions::new().write(true).open(path)?)))
            }
            _ => {
                let path = follow_links(path)?;
                let make = || hidden(&path, |builder| builder.tempfile_in(folder_of(&path)));
                let (temporary, unfinished) = Unfinished::make(make, tempfile::NamedTempFile::path)?;
                Place::File { temporary: BufWriter::new(temporary), path, unfinished }
            }
        };
        Ok(Self::at(place))
    }

    /// An object that will be found under a key.
    ///
    /// # Errors
    /// When the store does not take it.
    pub fn object(bucket: &Bucket, key: &str) -> Result<Self, Problem> {
        /// Parts that are on their way at a time.
        const AT_ONCE: usize = 4;
        let objects = UnfinishedObjects::new();
        let bytes = objects.begin(bucket.upload(key, &PartsAtOnce::new(AT_ONCE))?)?;
        Ok(Self::at(Place::Object(bytes, objects)))
    }

    /// A new object in a folder of a bucket, which appears with the others.
    pub(super) fn object_of_folder(bytes: BufWriter<ObjectBytes>) -> Self {
        Self::at(Place::ObjectOfFolder(bytes))
    }

    /// A new file in a folder that nobody knows yet.
    ///
    /// # Errors
    /// When there is one already, or the folder cannot be written.
    pub(super) fn part(path: &Path) -> io::Result<Self> {
        Ok(Self::at(Place::Part(BufWriter::new(File::create_new(path)?))))
    }

    /// The standard output.
    pub fn stdout() -> Self {
        Self::at(Place::Stream(BufWriter::new(Box::new(io::stdout()))))
    }

    fn at(place: Place) -> Self {
        Self { place, failure: LastFailure::default(), waiting: Waiting::default() }
    }

    /// Watches this target's errors.
    pub fn failure(&self) -> LastFailure {
        self.failure.clone()
    }

    /// Watches what this target keeps in memory.
    pub fn waiting(&self) -> Waiting {
        self.waiting.clone()
    }

    /// Makes sure that everything is written, and gives a file its name.
    ///
    /// # Errors
    /// When the last bytes cannot be written or the name cannot be taken.
    pub fn finish(self) -> io::Result<()> {
        match self.place {
            Place::Stream(mut stream) => stream.flush(),
            Place::Object(bytes, objects) => {
                drop(bytes.into_inner().map_err(io::IntoInnerError::into_error)?);
                objects.arrive().map_err(io::Error::other)?;
                objects.finish_by(|uploads| object::appear(uploads).1).map_err(io::Error::other)
            }
            Place::ObjectOfFolder(bytes) => bytes.into_inner().map_err(io::IntoInnerError::into_error)?.seal(),
            Place::Part(file) => file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all(),
            Place::File { temporary, path, unfinished: _unfinished } => {
                let temporary = temporary.into_inner().map_err(io::IntoInnerError::into_error)?;
                temporary.as_file().sync_all()?;
                let permissions = readable_by_others(temporary.as_file())?;
                temporary.as_file().set_permissions(permissions)?;
                temporary.persist(path).map_err(|error| error.error)?;
                Ok(())
            }
        }
    }
}

/// Makes something under a hidden name that reminds of the one it will have.
pub(super) fn hidden<T>(path: &Path, make: impl FnOnce(&tempfile::Builder<'_, '_>) -> io::Result<T>) -> io::Result<T> {
    // The hidden name is longer, and may not be too long.
    let name: String = path.file_name().unwrap_or_default().to_string_lossy().chars().take(SHOWN).collect();
    make(tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".part"))
}

/// The folder in which a file lies.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// The longest chain of links that is followed, as in Linux.
const MAX_LINKS: usize = 40;

/// Where the links at `path` lead, also if nothing is there yet.
///
/// # Errors
/// When they lead in a circle.
pub fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(next) => path = folder_of(&path).join(next),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("its links lead in a circle"))
}

/// Whether a file is what standard output was redirected to, as `/dev/stdout` always is: its place
/// cannot be taken, because what is written to the screen goes there, too.
#[cfg(unix)]
fn is_stdout(file: &Metadata) -> bool {
    use std::os::{fd::AsFd as _, unix::fs::MetadataExt as _};
    let stdout = io::stdout().as_fd().try_clone_to_owned().and_then(|stdout| File::from(stdout).metadata());
    stdout.is_ok_and(|stdout| (stdout.dev(), stdout.ino()) == (file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn is_stdout(_: &Metadata) -> bool {
    false
}

/// Temporary files are private; a result is a file like any other.
#[cfg(unix)]
fn readable_by_others(file: &File) -> io::Result<fs::Permissions> {
    use std::os::unix::fs::PermissionsExt;
    const ORDINARY: u32 = 0o644;
    let mut permissions = file.metadata()?.permissions();
    permissions.set_mode(ORDINARY);
    Ok(permissions)
}

#[cfg(not(unix))]
fn readable_by_others(file: &File) -> io::Result<fs::Permissions> {
    Ok(file.metadata()?.permissions())
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.place {
            Place::File { temporary, .. } => temporary.write(bytes),
            Place::Part(file) => file.write(bytes),
            Place::Object(object, _) => object.write(bytes),
            Place::ObjectOfFolder(object) => {
                let written = object.write(bytes);
                let waiting = object.get_ref().waiting() + object.buffer().len();
                self.waiting.0.store(waiting, Ordering::Relaxed);
                written
            }
            Place::Stream(stream) => stream.write(bytes),
        };
        self.failure.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = match &mut self.place {
            Place::File { temporary, .. } => temporary.flush(),
            Place::Part(file) => file.flush(),
            Place::Object(object, _) | Place::ObjectOfFolder(object) => object.flush(),
            Place::Stream(stream) => stream.flush(),
        };
        self.failure.note(flushed)
    }
}
