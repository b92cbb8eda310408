//! What a registry holds, for people and programs that look around.

mod dump;
mod features;
mod objects;

pub use crate::feast::registry::{Computed, Listed, ListedView};
pub use dump::dump;
pub use features::{Feature, Features, feature, features};
pub(super) use objects::damaged;
pub use objects::{Entry, Objects, Request, object, objects};
