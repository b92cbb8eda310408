//! A registry with all its projects, as it is for those who ask a server of it: what is stored, as it is stored, to those who
//! may know it; and changes of one object or several, each in one transaction.
//!
//! Whatever a request names decides whose permissions count: those of its project.

mod around;
mod change;
mod declare;
mod get;
mod guard;
mod list;
pub mod own;
mod paging;
mod project_objects;
mod rights;
mod shared_registry;
mod stored_object;
mod whole;

pub use around::{ViewRequest, known, known_views, list_services, list_views};
pub use change::{Change, Sent, apply, delete, put_infra, record_materialization};
pub use declare::{declare, definition, model_of};
pub use get::{Wanted, get};
pub use guard::guard;
pub use list::{ListRequest, list, list_projects};
pub use paging::{Page, Paging, SortValue, Sorting, sort_value};
pub use project_objects::ProjectObjects;
pub use rights::Rights;
use shared_registry::Written;
pub use shared_registry::{Freshness, SharedRegistry};
pub use stored_object::StoredObject;
pub use whole::{commit, everything, infra, project_uuid, refresh};
