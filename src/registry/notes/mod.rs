//! Notes about a project, which registries keep beside its objects: who applied an object, which online values are to
//! be removed, which were made by an earlier definition, and which runs of several programs are open. Python Feast does not read them.

mod keys;
mod leftover;
mod note;
mod owner;
mod sharded;
mod stale;

pub(crate) use keys::{LAST_UPDATED, PROJECT_UUID, of_object, of_view};
pub use leftover::{Leftover, forget_leftover, left_of, leftovers, put_leftover, same_keys};
pub(crate) use leftover::{is_leftover, leftover_of};
pub(crate) use owner::owners;
pub use owner::{forget_owner, put_owner};
pub(crate) use sharded::is_sharded_run;
pub use sharded::{forget_sharded_run, put_sharded_run, sharded_run, sharded_runs};
pub use stale::{forget_stale, put_stale, stale_until};
