//! What is fuzzed: each function takes any bytes and must come back, without a panic and in bounded memory.
//!
//! The programs in `fuzz_targets/` try them for as long as somebody wants (`scripts/fuzz`); `tests/it/fuzz.rs` tries
//! them for a moment on each run of the tests.

mod commands;
mod registry;
mod words;
mod yaml;

pub use commands::commands;
pub use registry::{KINDS, registry, values};
pub use words::words;
pub use yaml::{definitions, settings};
