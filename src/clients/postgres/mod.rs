//! PostgreSQL: how it is connected to, how long an answer may take, which connections are kept, and what went wrong in
//! words; for the registry and the online store.

mod connection;
mod explain;
mod pool;
mod server;
mod tls;

pub use connection::{ANSWER_LIMIT, Connection, PostgresError};
pub use pool::{Lent, Pool};
pub use server::{PostgresProblem, PostgresServer, Role};
