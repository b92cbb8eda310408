//! Files, registries and results in buckets of object stores.

mod client;
mod sources;
