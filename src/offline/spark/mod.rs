//! Spark, asked over Spark Connect: a thin client, and the offline store that will hand work to it. For now a server can be
//! looked at; rows of sources cannot be asked for.

mod check;
mod client;
mod error;
mod execution;
mod messages;
mod plan;
mod rows;
mod session;
mod store;

pub use check::{EngineCheck, EngineReport, EngineStep, check_engine};
pub use session::{Session as SparkSession, Tasks};
pub(super) use store::SparkStore;

#[cfg(test)]
mod tests;
