//! Who somebody is to Kubernetes, and what it lets them do.
//!
//! The API server (`api_server`) is asked whose a token is (`token_review`), and either which roles that account has, of which
//! it tells as they change (`watches`, `role_bindings`), or for each thing whether the account may do it (`access_review`).
//! What it said is kept for a while (`kept`). No token is looked into before the API server has found it right.

mod access_review;
mod api_server;
mod kept;
mod role_bindings;
mod token_review;
mod verifier;
mod watches;

pub use access_review::{AccessReviews, Attempt, Verdict};
pub use token_review::reviewed_user;
pub use verifier::KubernetesVerifier;
