use serde::Serialize;

use super::Tags;

/// The namespace of a team's objects and online data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Project {
    /// Letters, digits, `_` and `-`.
    pub name: String,
    /// What it is about; empty if not given.
    pub description: String,
    /// Whom to ask; empty if not given.
    pub owner: String,
    /// What else is known of it.
    pub tags: Tags,
}

impl Project {
    /// A project of which nothing but its name is known.
    pub fn undescribed(name: &str) -> Self {
        Self { name: name.to_owned(), description: String::new(), owner: String::new(), tags: Tags::new() }
    }
}
