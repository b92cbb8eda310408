//! Spark, asked over Spark Connect: a thin client, and the offline store that hands work to it. Statements are what both
//! Spark and Sail understand, and come to the same.

mod answer;
mod carried;
mod check;
mod client;
mod cluster;
mod computed;
mod counts;
mod day_column;
mod entities;
mod entity_columns;
mod entity_parts;
mod error;
mod execution;
mod expression;
mod form;
mod historical;
mod in_order;
mod joined;
mod joined_feature;
mod joined_side;
mod messages;
mod named_rows;
mod newest;
mod numbered;
mod only;
mod plan;
mod results;
mod rows;
mod session;
mod source;
mod source_rows;
mod sql;
mod store;
mod taking;
mod time_column;
mod upload;
mod view_rows;
mod written;

pub use check::{EngineCheck, EngineReport, EngineStep, check_engine};
pub(super) use newest::read_file;
pub use session::Session as SparkSession;
pub(super) use store::SparkStore;

#[cfg(test)]
mod tests;
