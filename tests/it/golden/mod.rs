//! Tests over recordings of real Feast: those in `tests/golden`, or below `$FEASTR_GOLDEN`.

mod demo_results;
mod described_service;
mod descriptors;
mod discovery;
mod field_numbers;
mod historical;
mod listings;
mod online_redis;
mod online_store;
mod online_values;
mod python_conversions;
mod python_literals;
pub mod recording;
mod refusals;
mod registry_dump;
mod registry_model;
pub mod registry_rows;
mod registry_written;
mod repos;
mod served_on_demand;
mod serving;
mod serving_writes;
mod timestamps;
mod transcripts;
pub mod vectors;

pub use recording::{
    Recording, TABLES, committed_tables, recorded_project, recorded_tables, recorded_writes, recordings, recordings_of,
};
pub use registry_rows::{bytes, committed_root, golden_root, read_json};
pub use repos::{imported_repos, registry_files};
pub use vectors::every_value;
