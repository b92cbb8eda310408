//! `feastr serve`: what it answers, what it refuses, what clients and stores can do to it, and how it ends.

pub mod answers;
#[cfg(target_os = "linux")]
mod applies;
mod bodies;
mod computed;
#[cfg(target_os = "linux")]
mod crowds;
pub mod described;
#[cfg(unix)]
mod ends;
mod examples;
#[cfg(target_os = "linux")]
mod failovers;
mod feature_logs;
mod limits;
#[cfg(target_os = "linux")]
mod load;
mod materializing;
mod metrics;
#[cfg(target_os = "linux")]
mod outages;
mod ready;
mod remote;
mod remote_writes;
mod requests;
pub mod server;
mod tls;
mod traces;
mod writing;
#[cfg(target_os = "linux")]
mod written_meanwhile;
mod wrong_types;
