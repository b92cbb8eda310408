//! Tables and queries of PostgreSQL: what is in their columns, and their rows, which come as binary `COPY` in constant
//! memory and become Arrow arrays.

mod column;
mod decode;
mod keys;
mod numeric;
mod rows;
mod select;
mod sent;
mod server;
mod source_table;
mod table;

pub(crate) use column::TableColumn;
pub(super) use rows::TableRows;
pub(super) use select::Conditions;
pub(crate) use select::between;
pub(crate) use sent::{SentRows, sent_type};
pub use source_table::SourceTable;
pub(crate) use table::Table;
