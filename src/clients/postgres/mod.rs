//! PostgreSQL: how it is connected to, how long an answer may take, which connections are kept, and what went wrong in
//! words; for the registry, the online store, sources and results.

mod binary;
mod connection;
mod copy;
mod explain;
mod pool;
mod problem;
mod server;
mod tls;

pub use binary::{COPY_END, COPY_FLAGS, COPY_SIGNATURE, ORIGIN};
pub use connection::{ANSWER_LIMIT, Connection};
pub use copy::{CopyIn, CopyOut};
pub use pool::{Lent, Pool};
pub use problem::{PostgresError, PostgresProblem, Role};
pub use server::PostgresServer;
