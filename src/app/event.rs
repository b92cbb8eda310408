use crate::{materialize, registry::Waiting};

/// What happens while a use case is carried out, for faces that show it.
#[derive(Debug)]
pub enum Event<'a> {
    /// Somebody else has a lock; said now and then while it is waited for.
    Waiting(&'a Waiting<'a>),
    /// Values were removed from the online store.
    Removed {
        /// Entities whose values were removed since the use case began, counted per view.
        entities: u64,
    },
    /// A file of entities has columns that nobody asked for.
    IgnoredColumns {
        /// What messages call the file.
        file: &'a str,
        /// Their names.
        columns: &'a [&'a str],
    },
    /// A view is being materialized; from several threads, if several are at a time.
    Materializing(&'a materialize::Event<'a>),
}

/// Hears what happens.
pub type Observer = dyn Fn(&Event<'_>) + Send + Sync;
