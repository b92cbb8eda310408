//! Notes about a project, which registries keep beside its objects: who applied an object, which online values are to
//! be removed, and which were made by an earlier definition. Python Feast does not read them.

mod keys;
mod leftover;
mod note;
mod owner;
mod stale;

pub(crate) use keys::{LAST_UPDATED, PROJECT_UUID, of_object, of_view};
pub use leftover::{Leftover, forget_leftover, left_of, leftovers, put_leftover, same_keys};
pub(crate) use leftover::{is_leftover, leftover_of};
pub(crate) use owner::owners;
pub use owner::{forget_owner, put_owner};
pub use stale::{forget_stale, put_stale, stale_until};
