//! How far a query is at an engine elsewhere.

/// How far a query is, as the server tells it. More tasks may become known until its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tasks {
    /// Tasks that are done.
    pub done: u64,
    /// Tasks that are known.
    pub known: u64,
    /// Bytes that were read.
    pub bytes: u64,
}
