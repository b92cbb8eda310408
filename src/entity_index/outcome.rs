//! What became of an object that a job is about.

use crate::diagnostics::counted;

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// So many rows of it are in the index.
    Indexed(u64),
    /// It was in the index as it is.
    Known,
    /// It is gone, and so are its rows.
    Removed,
    /// It was not in the index, and does not belong there.
    Nothing,
}

impl Outcome {
    /// As the table of jobs has it.
    pub(super) fn message(self) -> String {
        match self {
            Self::Indexed(rows) => counted(rows, "row"),
            Self::Known => "it is in the index as it is".to_owned(),
            Self::Removed => "removed".to_owned(),
            Self::Nothing => "there is nothing to index".to_owned(),
        }
    }
}
