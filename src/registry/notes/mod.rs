//! Notes about a project, which registries keep beside its objects: who applied an object, which online values are to
//! be removed, and which were made by an earlier definition. Python Feast does not read them.

mod leftover;
mod note;
mod of_view;
mod owner;
mod stale;

pub use leftover::{Leftover, forget_leftover, left_of, leftovers, put_leftover, same_keys};
pub(crate) use leftover::{is_leftover, leftover_of};
pub(crate) use of_view::{LAST_UPDATED, PROJECT_UUID, of_view};
pub(crate) use owner::owners;
pub use owner::{forget_owner, put_owner};
pub use stale::{forget_stale, put_stale, stale_until};
