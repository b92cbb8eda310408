//! `feastr serve`: what it answers, what it refuses, what clients and stores can do to it, and how it ends.

mod answers;
mod bodies;
mod computed;
#[cfg(unix)]
mod ends;
mod examples;
mod limits;
mod remote;
pub mod server;
mod tls;
