//! A registry with all its projects, as it is for those who ask a server of it: what is stored, as it is stored, to those who
//! may know it; and changes of one object or several, each in one transaction.
//!
//! Whatever a request names decides whose permissions count: those of its project.

mod get;
mod list;
mod paging;
mod project_objects;
mod shared_registry;

pub use get::{Wanted, get};
pub use list::{ListRequest, list, list_projects};
pub use paging::{Page, Paging, SortValue, Sorting, sort_value};
pub use project_objects::{ProjectObjects, StoredObject};
pub use shared_registry::{Freshness, SharedRegistry};
