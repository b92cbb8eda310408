//! Where rows come from: the files or the table that a source has, what is in their columns, and their rows as Arrow
//! arrays of one type per column, decided before anything is read.
//!
//! What [`OpenSource::scan`] takes is read exactly or refused with a place; the check that `plan`
//! makes is the same decision without the reading.

mod batches;
mod columns;
mod content;
mod convert;
mod files;
mod header;
mod key_values;
mod opened;
mod parquet;
mod part;
mod places;
pub(crate) mod postgres;
mod pruned;
mod said;
mod scan;
mod scan_run;
mod seen;
mod size;
mod stored_group;
mod target;
mod text;
mod text_files;
mod ticks;
mod told;
mod unify;
mod wanted;
mod whereabouts;

pub(crate) use columns::type_name;
pub use columns::{Column, ColumnKind, Columns, Holds};
pub use content::ContentOrder;
pub use convert::{Converted, as_texts, key_values};
pub use files::{
    DataFile, Format, LeftOut, NewFiles, NewFolder, Place, SourceFiles, Stored, day_of, read_object, start_of_day,
};
pub use opened::OpenSource;
pub use part::{Part, Rows};
pub use places::Places;
pub use postgres::SourceTable;
pub use said::SaidTimes;
pub use scan::Scan;
pub use scan_run::ScanRun;
pub use size::{Share, Size};
pub use target::Role;
pub use text::{TimeFormat, integer, moment};
pub use ticks::Ticks;
pub use told::{FileOfSource, ListedFile};
pub use wanted::Wanted;
pub use whereabouts::Whereabouts;
pub(crate) use whereabouts::look_at_all;
