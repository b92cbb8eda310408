//! The text of a chunk, and how far it is read.

/// Where in a chunk and in its file the next row begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) offset: usize,
    pub(super) line: u64,
}

/// The text of a chunk. It is checked as a whole, which is much faster than value by value; only
/// when something in it is not UTF-8, each value is.
pub(super) enum ChunkText {
    Utf8(String),
    Other(Vec<u8>),
}

impl ChunkText {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Other(error.into_bytes()), Self::Utf8)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Utf8(text) => text.as_bytes(),
            Self::Other(bytes) => bytes,
        }
    }

    /// A part of the text, unless it is not UTF-8.
    #[inline]
    pub(super) fn get(&self, start: usize, end: usize) -> Option<&str> {
        match self {
            Self::Utf8(text) => text.get(start..end),
            Self::Other(bytes) => str::from_utf8(bytes.get(start..end)?).ok(),
        }
    }
}
