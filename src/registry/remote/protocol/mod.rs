//! The service `feastr.registry.v1.RegistryStore`, which registry servers of feastr offer beside Feast's: what a registry
//! holds and how it is changed, in whole. Both ends are made of these messages.
//!
//! Times are Unix seconds where a registry has seconds, and microseconds (UTC) where a name says so. Fields are only ever
//! added; what one end does not know it leaves alone, but for writes, which it refuses.

mod convert;
mod description;
mod failure;
mod messages;
mod parts;
mod revision;

pub use convert::{Unknown, changes_request, names_of, read_name, read_write, version_row, wanted_changes, written};
pub use description::descriptor;
pub use messages::*;
pub use parts::{Gathered, snapshot_parts, update_parts, version_parts};
pub use revision::revision;

/// The name of the service.
pub const SERVICE: &str = "feastr.registry.v1.RegistryStore";

/// Bytes of one message after which the next one begins; what is larger by itself comes alone.
pub const PART: usize = 1 << 20;

/// How often both ends of a lock that is held say that they are there, in seconds.
pub const BEAT_SECONDS: u64 = 5;

/// After how many seconds without a word the other end of a lock counts as gone.
pub const SILENCE_SECONDS: u64 = 20;
