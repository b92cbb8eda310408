//! Moves the newest values of views from their sources into the online store.

mod checks;
mod computed;
mod context;
mod event;
mod forecast;
mod history;
mod interval;
mod metrics;
mod record;
mod report;
mod run;
mod shards;
mod values;
mod workers;

pub use context::{RunOptions, Stores};
pub use event::Event;
pub use forecast::{ChunkForecast, ViewForecast, forecast};
pub use interval::{Range, ViewRun, plan_runs};
pub use metrics::metrics;
pub use report::{ChunkReport, OpenShards, Outcome, RunReport, ShardReport, ViewReport};
pub use shards::{Shard, give_up, write_shard};
pub use workers::run;

#[cfg(test)]
mod tests;
