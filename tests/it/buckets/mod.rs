//! Files, registries and results in buckets of object stores.

mod client;
mod results;
mod sources;
