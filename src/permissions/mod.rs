//! Who may do what with which objects: the permissions of a project (`feast.permissions`), decided from what is registered.
//!
//! A permission is about objects of some types, by patterns of names and by tags; it allows actions, and its policy says to
//! whom. Nothing here asks a server: a decision is a value, which also says why.

mod decision;
mod rule;
mod user;

pub use decision::{Decision, Permissions, Reason, Unruled};
pub use rule::{Mismatch, Resource};
pub use user::User;
