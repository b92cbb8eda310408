//! Removing a project from registry and online store.

use super::{Caller, Event, Failure, FeatureStore};
use crate::{
    apply::{self, TeardownOptions, TeardownSummary},
    model::Author,
    plan::Allow,
};

/// The command, for the log of changes.
const COMMAND: &str = "teardown";

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
pub fn summary(store: &FeatureStore, caller: &Caller, request: Request<'_>) -> Result<TeardownSummary, Failure> {
    let author = caller.author(COMMAND);
    Ok(TeardownSummary::of(store.project(), store.registry(), store.online(), options(store, request, &author))?)
}

/// Removes the project, and no other one.
///
/// # Errors
/// [`Failure::Blocked`] when objects are in the way; else when a store cannot be read or written, or a run on one of
/// the views does not end.
pub fn teardown(store: &FeatureStore, caller: &Caller, request: Request<'_>) -> Result<(), Failure> {
    let author = caller.author(COMMAND);
    let page = &mut |entities| store.tell(&Event::Removed { entities });
    let options = options(store, request, &author);
    Ok(apply::teardown(store.project(), store.registry(), store.online(), options, page)?)
}

fn options<'a>(store: &'a FeatureStore, request: Request<'a>, author: &'a Author) -> TeardownOptions<'a> {
    let repo_name = store.config().repo_name.as_deref();
    TeardownOptions { repo_name, allowed: request.allowed, author, now: store.now() }
}
