//! Tests over recordings of real Feast: those in `tests/golden`, or below `$FEASTR_GOLDEN`.

mod demo_results;
mod descriptors;
mod historical;
mod listings;
mod online_redis;
mod online_store;
mod online_values;
mod python_conversions;
mod python_literals;
mod recording;
mod refusals;
mod registry_dump;
mod registry_model;
pub mod registry_rows;
mod registry_written;
mod timestamps;
mod transcripts;
mod vectors;

pub use recording::{TABLES, recorded_tables, recorded_writes};
pub use registry_rows::{bytes, golden_root, read_json};
pub use vectors::every_value;
