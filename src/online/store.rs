//! What an online store is: a place to read, to write and to be looked after, open as long as it is held.

use super::{
    admin::Admin,
    reader::Reader,
    view_layout::ViewLayout,
    writer::{EncodedRow, Replace, WriteCounts, Writer},
};
use crate::problem::Problem;

/// A store of the newest values per entity, in a layout that Python Feast reads and writes, too.
pub trait OnlineStore: Reader + Admin {
    /// Starts writing many values of a view.
    ///
    /// # Errors
    /// When the store cannot be opened for writing.
    fn writer(&self, layout: ViewLayout, replace: Replace) -> Result<Box<dyn Writer>, Problem>;

    /// Writes a few rows of a view, each of another entity, for certain. A store for which many rows are a matter of
    /// threads and connections does without them here.
    ///
    /// # Errors
    /// As those of a [`Writer`].
    fn put(&self, layout: &ViewLayout, replace: Replace, rows: &[EncodedRow<'_>]) -> Result<WriteCounts, Problem> {
        let mut writer = self.writer(layout.clone(), replace)?;
        let written = writer.write(rows)?;
        Ok(written + writer.finish()?)
    }
}
