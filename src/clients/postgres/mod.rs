//! Connecting to PostgreSQL and saying what went wrong with it; for the registry and the online store.

mod explain;
mod server;
mod tls;

pub use server::{PostgresProblem, PostgresServer, Role};
