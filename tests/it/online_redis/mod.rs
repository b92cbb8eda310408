//! The online store in Redis: what can go wrong with one server, a cluster, or a master that sentinels know.

mod acl;
mod changes;
mod creation;
mod errors;
mod faults;
mod interop;
pub mod kills;
mod races;
