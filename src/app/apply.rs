//! Making the registry hold what a repo declares.

use super::{Caller, Failure, FeatureStore};
use crate::{
    apply::{self, ApplyOptions, Approval},
    model::Repo,
    plan::Plan,
};

/// What is applied.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The definitions.
    pub repo: &'a Repo,
    /// What somebody agreed to before.
    pub approval: Approval<'a>,
}

/// Carries out the plan for the registry as it is under its lock, and returns what was done. Online values that it
/// leaves behind are noted, for [`cleanup::leftovers`](super::cleanup::leftovers).
///
/// # Errors
/// [`Failure::Blocked`], [`Failure::Conflicts`] and [`Failure::Stale`] when it may not be done, else when a store is
/// in the way. The registry is as it was then, or as it is wanted.
pub fn apply(store: &FeatureStore, caller: &Caller, request: Request<'_>) -> Result<Plan, Failure> {
    let options = ApplyOptions {
        repo_name: store.config().repo_name.as_deref(),
        approval: request.approval,
        author: &caller.author("apply"),
        now: store.now(),
    };
    Ok(apply::apply(request.repo, store.registry(), store.online(), options)?)
}
