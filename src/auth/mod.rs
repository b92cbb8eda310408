//! Who somebody is: what an identity provider (OpenID Connect) says of itself, what its tokens say, and how one gets one.
//!
//! Servers check tokens, clients get them; both begin with what the provider says of itself.

mod discovery;
pub mod kubernetes;
pub mod login;
pub mod tokens;

pub use discovery::{Discovery, Provider};
