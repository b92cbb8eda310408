//! Files, registries and results in buckets of object stores.

mod client;
mod delta;
mod folders;
mod kept;
mod logs;
mod pages;
mod pushed;
mod results;
mod sources;
mod writing;
