//! SQL expressions of on-demand views: what they can name, of which types it is, and the query that
//! computes them. Pure, so that everybody who computes a view does it the same way.

mod inputs;
mod misfit;
mod query;
#[cfg(test)]
pub mod testing;
mod types;

pub use inputs::{Input, inputs};
pub use misfit::Misfit;
pub use query::{Computation, NamedInput, Output};
pub use types::sql_type;
