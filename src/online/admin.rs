//! Looking after a store: making room for views and removing values. What is to be removed is decided by `apply`.

use super::view_layout::ViewLayout;
use crate::{
    model::{OnlineTables, Timestamp, ViewId},
    problem::Problem,
};

/// The tables of a store, and how values leave it. Every call blocks and connects on its own.
pub trait Admin: Send + Sync {
    /// Asserts that the store can be reached and used; one that need not exist yet may be missing.
    ///
    /// # Errors
    /// When it cannot.
    fn reach(&self) -> Result<(), Problem>;

    /// The tables, for stores whose tables Feast records in the registry (SQLite).
    fn recorded_tables(&self) -> Option<&dyn RecordedTables>;

    /// The table that holds a view's values, in stores that have one per view. Two views with one table
    /// name overwrite each other.
    fn table(&self, _view: ViewId<'_>) -> Option<String> {
        None
    }

    /// Makes room for the values of views. What is there stays.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn prepare_views(&self, project: &str, views: &[&str]) -> Result<(), Problem>;

    /// Removes all values of views under their join keys and nothing else, page by page, and returns how
    /// many entities had some. After each page `on_page` is called with their number so far.
    ///
    /// # Errors
    /// When the store cannot be written; what was removed until then is gone, and the rest can be
    /// removed by another call.
    fn remove_views(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem>;

    /// Removes the values of the features of these layouts, page by page, and returns how many entities
    /// had some. Other features of the views stay, and with them the times of their events.
    ///
    /// # Errors
    /// As [`Self::remove_views`].
    fn remove_features(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem>;

    /// Removes the values of views whose event is before a moment, page by page, and returns how
    /// many entities had some, counted per view. Values that are written meanwhile stay.
    ///
    /// # Errors
    /// As [`Self::remove_views`].
    fn remove_expired(&self, views: &[(ViewLayout, Timestamp)], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem>;
}

/// A table per view in a place that the registry names, with a record of which are there.
pub trait RecordedTables {
    /// How they are named, and where they are.
    fn layout(&self) -> OnlineTables<'_>;

    /// Whether both names are of one table.
    fn is_same(&self, one: &str, other: &str) -> bool;

    /// Which of these exist. Writes nothing.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn existing(&self, tables: &[&str]) -> Result<Vec<String>, Problem>;

    /// Creates those that are missing.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn create(&self, tables: &[&str]) -> Result<(), Problem>;

    /// Removes some with their values; those that are missing already are fine.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn remove(&self, tables: &[&str]) -> Result<(), Problem>;
}
