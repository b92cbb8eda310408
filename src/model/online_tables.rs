//! Tables of online stores that have one per view: how they are called, and where they are.

use super::ViewId;

impl ViewId<'_> {
    /// The name of the view's table, as Feast makes it.
    pub fn table(self) -> String {
        format!("{}_{}", self.project, self.name)
    }
}

/// Where the tables of an online store are that the registry records.
#[derive(Debug, Clone, Copy)]
pub struct OnlineTables<'a> {
    /// Kind of the store, such as `sqlite`.
    pub store: &'static str,
    /// The file the tables are in; tables recorded in other files do not count as there.
    pub file: &'a str,
}
