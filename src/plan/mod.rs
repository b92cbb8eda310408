//! What would change: the difference between a registry and a repo, as a value.
//!
//! [`diff`] does no I/O and asks no clock. `apply` carries out exactly what a [`Plan`] says, or
//! refuses: [`guard`](Allow) says which changes need permission, [`SavedPlan`] what was approved.

mod breakages;
mod change;
mod collisions;
mod diff;
mod edits;
mod guard;
mod impact;
mod losses;
mod notes;
mod ownership;
mod rematerialization;
mod saved;
mod severity;
mod users;

#[cfg(test)]
mod tests;

pub use change::{Action, ActionKind, Change, Edit, EditKind, TableAction, TableChange};
pub use diff::{Conflict, Plan, Setting, diff};
pub use guard::{Allow, Blocked, Consent, ParseAllowError, blocked_teardown};
pub use impact::{Breakage, Collision, Harm, Impact, Loss, Rematerialization, Severity, User};
pub use ownership::removes;
pub use saved::{Difference, FORMAT_VERSION, SavedPlan, SavedPlanError};
