//! Tables and queries of PostgreSQL: what is in their columns, and their rows, which come as binary `COPY` in constant
//! memory and become Arrow arrays.

mod column;
mod decode;
mod keys;
mod numeric;
mod rows;
mod select;
mod server;
mod table;

pub(super) use keys::KeyValues;
pub(super) use rows::TableRows;
pub(super) use select::Conditions;
pub(super) use table::Table;
