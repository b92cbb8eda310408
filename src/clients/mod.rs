//! Reaching servers and files: one place per kind for connecting, limits of time, encryption and the words of what goes
//! wrong. What is asked there, and in which tables and keys, is decided by the rooms above.

mod authorities;
pub mod buckets;
mod causes;
pub mod grpc;
pub mod http;
pub mod postgres;
pub mod readiness;
pub mod redis;
pub mod runtime;
pub mod sqlite;
mod verifier;
