//! Values on their way into the database and out of it.

/// A value in a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Parameter<'a> {
    Text(&'a str),
    Integer(i64),
    Bytes(&'a [u8]),
}

impl Parameter<'_> {
    /// About how many bytes it takes in a statement.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Integer(_) => 8,
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

/// A value in an answer. Some databases give texts as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Cell {
    pub(crate) fn integer(&self) -> i64 {
        if let Self::Integer(number) = self { *number } else { 0 }
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Text(text) => text.into_bytes(),
            Self::Null | Self::Integer(_) => Vec::new(),
        }
    }

    pub(crate) fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            other => String::from_utf8_lossy(&other.bytes()).into_owned(),
        }
    }
}
