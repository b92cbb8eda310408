//! Removing online values that nobody can read any more.

use serde::Serialize;

use super::{Caller, Event, Failure, FeatureStore};
use crate::{
    apply::clean_up,
    diagnostics::did_you_mean,
    model::{RegistryState, Timestamp, Ttl, View},
    online::ViewLayout,
    problem::{Kind, Problem},
    registry::{leftovers as noted, read_objects},
};

/// What is cleaned up.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Only expired values of these views; of all, and what was left behind, if there are none.
    pub views: &'a [String],
    /// Whether nothing is removed.
    pub dry_run: bool,
}

/// What a cleanup is about.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Whether this is only what would be looked for.
    pub dry_run: bool,
    /// Views with values older than their ttl, if any are.
    pub expired: Vec<Expired>,
    /// Removed views, or views with removed features, whose values are left.
    pub leftovers: Vec<String>,
    /// Entities whose values were removed, counted per view; `None` for a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<u64>,
}

/// Values of a view that are too old.
#[derive(Debug, Clone, Serialize)]
pub struct Expired {
    /// The view.
    pub view: String,
    /// Its ttl.
    pub ttl: Ttl,
    /// Their events are before this.
    pub before: Timestamp,
    /// Entities whose values were removed; `None` for a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<u64>,
}

/// Removes values older than the ttl of their view, and what an apply that was cut off left behind.
///
/// # Errors
/// When a view is unknown or its values do not expire, or a store cannot be read or written.
pub fn clean(store: &FeatureStore, caller: &Caller, request: Request<'_>) -> Result<Summary, Failure> {
    let online = store.required_online()?;
    let snapshot = store.registry().snapshot(store.project())?;
    let state = read_objects(&snapshot);
    let mut views = expiring(&state, store.project(), store.now());
    check_names(request.views, &views, &state)?;
    views.retain(|(expired, _)| request.views.is_empty() || request.views.contains(&expired.view));
    let mut left: Vec<String> = noted(&snapshot.metadata).into_iter().map(|leftover| leftover.view).collect();
    left.dedup();
    if !request.views.is_empty() {
        left.clear();
    }
    let mut summary = Summary { dry_run: request.dry_run, expired: Vec::new(), leftovers: left, removed: None };
    if request.dry_run {
        summary.expired = views.into_iter().map(|(expired, _)| expired).collect();
        return Ok(summary);
    }
    let mut total = 0;
    for (expired, layout) in views {
        let page = &mut |entities| store.tell(&Event::Removed { entities: total + entities });
        let removed = online.remove_expired(&[(layout, expired.before)], page)?;
        total += removed;
        summary.expired.push(Expired { removed: Some(removed), ..expired });
    }
    if !summary.leftovers.is_empty() {
        total += leftovers(store, caller, total)?;
    }
    summary.removed = Some(total);
    Ok(summary)
}

/// Removes the online values that applies left behind, and returns how many entities had some. Events add `before`, the
/// number of those whose values were removed earlier.
///
/// # Errors
/// When a store cannot be read or written; what is left stays noted.
pub fn leftovers(store: &FeatureStore, _: &Caller, before: u64) -> Result<u64, Failure> {
    let Some(online) = store.online() else { return Ok(0) };
    let page = &mut |entities| store.tell(&Event::Removed { entities: before + entities });
    Ok(clean_up(store.project(), store.registry(), online, page)?)
}

/// The online views whose values expire.
fn expiring(state: &RegistryState, project: &str, now: Timestamp) -> Vec<(Expired, ViewLayout)> {
    let expiring = |view: View<'_>| {
        let before = now.minus(view.ttl.limit()?);
        let expired = Expired { view: view.name.to_owned(), ttl: view.ttl, before, removed: None };
        Some((expired, ViewLayout::of(project, view)))
    };
    state.views().filter(View::stores_values).filter_map(expiring).collect()
}

fn check_names(names: &[String], views: &[(Expired, ViewLayout)], state: &RegistryState) -> Result<(), Problem> {
    for name in names {
        if views.iter().any(|(expired, _)| expired.view == *name) {
            continue;
        }
        if state.views().any(|view| view.name == name) {
            return Err(Problem::new(
                Kind::Invalid,
                format!("values of view `{name}` do not expire"),
                "only online views with a ttl have expired values".to_owned(),
            ));
        }
        let help = did_you_mean(name, state.views().map(|view| view.name));
        return Err(Problem::new(Kind::NotFound, format!("there is no view `{name}`"), help));
    }
    Ok(())
}
