//! What all uses of the embedded DuckDB share: how its functions find what they read, what its results and its errors are
//! to others.

mod numbers;
mod results;
mod words;

pub(crate) use numbers::{Numbered, Numbers};
pub(crate) use results::plain_schema;
pub(crate) use words::words;
