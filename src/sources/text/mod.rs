//! Files of text – CSV and JSON lines – as columns of declared types.
//!
//! A type is never guessed from the data: every text is read as what was declared, or it is unfit,
//! which is told with its line and column. A file is cut into [`Chunks`] of whole records by one
//! thread; any number of threads turn them into Arrow columns, each with its own [`Rows`].

mod batch;
mod chunk_text;
mod chunks;
mod column;
pub(crate) mod csv;
mod first_rows;
pub(crate) mod json_lines;
mod numbers;
mod problem;
mod rows;
mod times;
mod unfit;

pub(crate) use batch::{Batch, Wanted};
pub(crate) use chunks::{CHUNK_BYTES, Chunk, Chunks};
pub(crate) use column::TextColumn;
pub(crate) use first_rows::FirstRows;
pub use numbers::integer;
pub(crate) use problem::RowProblem;
pub(crate) use rows::Rows;
pub use times::{TimeFormat, moment};
pub(crate) use unfit::Unfit;

/// How texts are read where their type alone does not tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TextRules {
    /// How times are written.
    pub times: TimeFormat,
}
