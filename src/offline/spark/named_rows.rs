use super::day_column::DayColumn;
use crate::sources::OpenSource;

/// Rows of a source that have a name in a session.
pub(super) struct NamedRows {
    /// What statements call them.
    pub(super) name: String,
    /// Their columns, as the server knows them.
    pub(super) columns: OpenSource,
    /// The column that says their days, if there is one.
    pub(super) day: Option<DayColumn>,
}
