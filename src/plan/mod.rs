//! What would change: the difference between a registry and a repo, as a value.
//!
//! [`diff`] does no I/O and asks no clock. `apply` carries out exactly what a [`Plan`] says.

mod change;
mod diff;
mod edits;

pub use change::{Action, Change, Edit, EditKind, TableAction, TableChange};
pub use diff::{Conflict, Plan, diff};
