use crate::{
    model::{DUMMY_JOIN_KEY, Field, OnlineTables, Timestamp, View},
    problem::Problem,
};

/// A store of the newest values per entity, in a layout that Python Feast reads and writes, too.
/// Each call connects on its own, so that threads can share a store.
pub trait OnlineStore: Send + Sync {
    /// The tables, if the store has such that the registry records.
    fn recorded_tables(&self) -> Option<&dyn RecordedTables>;

    /// The table of a view, where each view has one: views with the same share their values.
    fn table(&self, _project: &str, _view: &str) -> Option<String> {
        None
    }

    /// Makes room for the values of views. What is there stays.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn prepare_views(&self, project: &str, views: &[&str]) -> Result<(), Problem>;

    /// Removes all values of views under their join keys and nothing else, page by page, and returns how
    /// many entities had some. `on_page` hears how many that were so far.
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

    /// Removes the values of views whose event is before a moment, page by page, and returns of how
    /// many entities (counted per view). Values that are written meanwhile stay.
    ///
    /// # Errors
    /// As [`Self::remove_views`].
    fn remove_expired(&self, views: &[(ViewLayout, Timestamp)], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem>;

    /// Starts writing values of a view.
    ///
    /// # Errors
    /// When the store cannot be opened for writing.
    fn writer(&self, layout: ViewLayout, replace: Replace) -> Result<Box<dyn OnlineWriter>, Problem>;

    /// The stored values of several views: for each request, each key, each feature, in that order.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn read(&self, project: &str, requests: &[ReadRequest]) -> Result<Vec<Vec<Vec<StoredValue>>>, Problem>;
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

/// Writes rows of one view.
pub trait OnlineWriter: Send {
    /// Takes rows, each of another entity, and returns counts for rows whose outcome became known since
    /// the last call. An entity's values are replaced as a whole or not at all.
    ///
    /// # Errors
    /// When the store refuses, or stays away in spite of waiting for it; then it is unknown which of
    /// the rows that were not counted are stored, and the writer takes no more.
    fn write(&mut self, rows: &[EncodedRow<'_>]) -> Result<WriteCounts, Problem>;

    /// Waits until all rows taken are stored for certain, and returns the counts of those that were not
    /// counted yet. More rows may follow.
    ///
    /// # Errors
    /// As [`Self::write`].
    fn flush(&mut self) -> Result<WriteCounts, Problem>;

    /// Flushes for the last time: nothing can be written afterwards.
    ///
    /// # Errors
    /// As [`Self::write`].
    fn finish(mut self: Box<Self>) -> Result<WriteCounts, Problem> {
        self.flush()
    }
}

/// Which stored values give way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// Those that are older, and in some stores, as in Feast, those of the same moment.
    Outdated,
    /// Those that are not newer, because what they were made by has changed.
    NotNewer,
    /// All of them.
    Everything,
}

/// Whose values they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewLayout {
    pub project: String,
    pub view: String,
    /// Feature names, in the order of the values of a row.
    pub features: Vec<String>,
    /// Names of the join keys; the dummy key for a view without entities.
    pub join_keys: Vec<String>,
}

impl ViewLayout {
    /// The layout of a view's values in the online store; there are none of a computed view.
    pub fn of<'a>(project: &str, view: impl Into<View<'a>>) -> Self {
        let view = view.into();
        let names = |fields: &[Field]| fields.iter().map(|field| field.name.clone()).collect();
        let join_keys = match view.join_keys() {
            [] => vec![DUMMY_JOIN_KEY.to_owned()],
            keys => names(keys),
        };
        let (project, name) = (project.to_owned(), view.name.to_owned());
        Self { project, view: name, features: names(view.features), join_keys }
    }
}

/// A row in wire form, borrowed from the buffers of a batch.
#[derive(Debug, Clone)]
pub struct EncodedRow<'a> {
    /// Serialized entity key, without project.
    pub key: &'a [u8],
    pub event: Timestamp,
    pub created: Option<Timestamp>,
    /// One serialized value per feature; empty for null.
    pub values: Vec<&'a [u8]>,
}

/// What became of written rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteCounts {
    pub written: u64,
    /// Rows that gave way to a newer stored one.
    pub skipped: u64,
}

/// Features of one view for some entities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRequest {
    pub view: String,
    pub features: Vec<String>,
    /// Serialized entity keys, without project.
    pub keys: Vec<Vec<u8>>,
}

/// What a store holds of one feature of one entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredValue {
    NotFound,
    Found {
        /// Serialized value; empty for null.
        value: Vec<u8>,
        event: Timestamp,
    },
}
