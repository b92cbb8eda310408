//! Removing a project from registry and online store.

use super::{Caller, Event, Failure, FeatureStore};
use crate::{
    apply::{self, TeardownOptions, TeardownSummary},
    plan::Allow,
};

/// What may go.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Objects of repos with another name that may go, too.
    pub allowed: &'a [Allow],
}

/// What a teardown would remove. Changes nothing.
///
/// # Errors
/// When a store cannot be read.
pub fn summary(store: &FeatureStore, _: &Caller, request: Request<'_>) -> Result<TeardownSummary, Failure> {
    Ok(TeardownSummary::of(store.project(), store.registry(), store.online(), options(store, request))?)
}

/// Removes the project, and no other one.
///
/// # Errors
/// [`Failure::Blocked`] when objects are in the way; else when a store cannot be read or written, or a run on one of
/// the views does not end.
pub fn teardown(store: &FeatureStore, _: &Caller, request: Request<'_>) -> Result<(), Failure> {
    let page = &mut |entities| store.tell(&Event::Removed { entities });
    Ok(apply::teardown(store.project(), store.registry(), store.online(), options(store, request), page)?)
}

fn options<'a>(store: &'a FeatureStore, request: Request<'a>) -> TeardownOptions<'a> {
    TeardownOptions { repo_name: store.config().repo_name.as_deref(), allowed: request.allowed, now: store.now() }
}
