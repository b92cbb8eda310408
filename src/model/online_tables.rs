use super::ViewId;

/// How an online store with one table per view names them, and where they are.
#[derive(Debug, Clone, Copy)]
pub struct OnlineTables<'a> {
    /// Kind of the store, such as `sqlite`.
    pub store: &'static str,
    /// The file the tables are in; tables recorded in other files do not count as there.
    pub file: &'a str,
    /// The table of a view.
    pub name: fn(view: ViewId<'_>) -> String,
}
