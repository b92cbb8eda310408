//! `feastr serve`: what it answers, what it refuses, what clients and stores can do to it, and how it ends.

mod answers;
mod bodies;
mod computed;
#[cfg(unix)]
mod ends;
mod examples;
mod feature_logs;
mod limits;
mod metrics;
mod remote;
mod requests;
pub mod server;
mod tls;
mod traces;
