//! What servers do with access tokens: whether one is right, and who it says asks.
//!
//! The header of a request (`bearer`) holds a token, whose own header names an algorithm of a list in code and a key
//! (`header`). Keys are those of the identity provider, kept and looked at again (`provider_keys`, `key_set`). What a token
//! with a right signature says is checked (`claims`), and remembered until its end (`remembered`). The one token without a
//! signature is that of another server of the same store (`shared_secret`).

mod bearer;
mod claims;
mod header;
mod key_set;
mod provider_keys;
mod refusal;
mod remembered;
mod shared_secret;
mod verifier;

pub(super) use bearer::bearer;
pub(super) use claims::claimed_user;
pub(super) use remembered::{TokenDigest, digest};
pub(super) use shared_secret::SharedSecret;
pub use verifier::{Identity, Verifier};
