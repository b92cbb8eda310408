//! Where a file is: on this machine, or in a bucket.

use std::{
    fmt,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
};

use bytes::{Buf as _, Bytes};

use super::{object_text::ObjectText, stored::Stored};
use crate::problem::{Kind, Problem};

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On this machine: the repo's path and what the source says below it; links in it are kept.
    Local(PathBuf),
    /// In a bucket.
    Stored(Stored),
}

impl Place {
    /// What messages call it, for files of a repo.
    pub fn shown_from(&self, repo: &Path) -> String {
        match self {
            Self::Local(path) => path.strip_prefix(repo).unwrap_or(path).display().to_string(),
            Self::Stored(stored) => stored.to_string(),
        }
    }

    /// Whether it is in a bucket.
    pub(crate) const fn is_stored(&self) -> bool {
        matches!(self, Self::Stored(_))
    }

    /// The problem of it when it cannot be read.
    pub(super) fn unreadable(&self, error: &io::Error) -> Problem {
        let problem = || Problem::new(Kind::Unavailable, format!("cannot read {self}: {error}"), None);
        Problem::within(error).cloned().unwrap_or_else(problem)
    }

    /// Its name, from which formats are told.
    pub(crate) fn name(&self) -> &Path {
        match self {
            Self::Local(path) => path,
            Self::Stored(stored) => Path::new(&stored.object().key),
        }
    }

    /// The file, to read its end.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) fn end(&self) -> io::Result<End<'_>> {
        match self {
            Self::Local(path) => {
                let mut file = File::open(path)?;
                Ok(End { bytes: file.seek(SeekFrom::End(0))?, file: EndOf::File(file) })
            }
            Self::Stored(stored) => Ok(End { bytes: stored.object().bytes, file: EndOf::Stored(stored) }),
        }
    }

    /// Some bytes of it.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn part(&self, range: Range<u64>) -> io::Result<Bytes> {
        match self {
            Self::Local(path) => {
                let mut file = File::open(path)?;
                let mut bytes = vec![0; usize::try_from(range.end - range.start).map_err(io::Error::other)?];
                file.seek(SeekFrom::Start(range.start))?;
                file.read_exact(&mut bytes)?;
                Ok(bytes.into())
            }
            Self::Stored(stored) => stored.part(range),
        }
    }

    /// As many bytes of its beginning as tell what it is.
    pub(super) fn beginning(&self) -> io::Result<Box<dyn Read + Send>> {
        /// Enough also of packed texts.
        const BEGINNING: u64 = 64 << 10;
        Ok(match self {
            Self::Local(path) => Box::new(File::open(path)?),
            Self::Stored(stored) => Box::new(stored.part(0..stored.object().bytes.min(BEGINNING))?.reader()),
        })
    }

    /// The bytes from the first on.
    pub(super) fn read(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Local(path) => Box::new(File::open(path)?),
            Self::Stored(stored) => Box::new(ObjectText::new(stored.clone())),
        })
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::Local(PathBuf::new())
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::Local(path.to_owned())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
            Self::Stored(stored) => stored.fmt(f),
        }
    }
}

/// The end of a file.
pub(crate) struct End<'a> {
    /// The size of the file.
    pub bytes: u64,
    file: EndOf<'a>,
}

enum EndOf<'a> {
    File(File),
    Stored(&'a Stored),
}

impl End<'_> {
    /// How much is read before anybody knows how much is needed: asking a store costs more than bytes.
    pub(crate) const fn guess(&self) -> u64 {
        match self.file {
            EndOf::File(_) => 16 << 10,
            EndOf::Stored(_) => 64 << 10,
        }
    }

    /// The last bytes of the file.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn last(&mut self, bytes: u64) -> io::Result<Bytes> {
        let start = self.bytes.saturating_sub(bytes);
        match &mut self.file {
            EndOf::File(file) => {
                let mut end = vec![0; usize::try_from(self.bytes - start).map_err(io::Error::other)?];
                file.seek(SeekFrom::Start(start))?;
                file.read_exact(&mut end)?;
                Ok(end.into())
            }
            EndOf::Stored(stored) => stored.part(start..self.bytes),
        }
    }
}
