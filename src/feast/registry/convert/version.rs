use crate::model::ViewVersion;

/// Which version a written view row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowVersion {
    /// The one that is stored.
    Same,
    /// Another one, with this number.
    Number(i32),
}

impl RowVersion {
    /// The number in the row.
    pub(super) fn number(self, stored: i32) -> i32 {
        match self {
            Self::Same => stored,
            Self::Number(number) => number,
        }
    }

    /// The project in the row: Feast writes it together with a version and forgets it at other times.
    pub(super) fn project(self, stored: String, project: &str) -> String {
        match self {
            Self::Same => stored,
            Self::Number(_) => project.to_owned(),
        }
    }
}

/// The text of a version; one that is stored and says the same stays.
pub(crate) fn version_to_text(version: ViewVersion, stored: String) -> String {
    if !stored.is_empty() && stored.parse() == Ok(version) { stored } else { version.to_string() }
}
