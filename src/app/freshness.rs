//! Until when the values of views are materialized.

use super::{Caller, FeatureStore};
use crate::model::Timestamp;

/// The end of what was materialized of each view, by its name, in the state that a store knows without asking anybody.
pub fn freshness(store: &FeatureStore, _: &Caller) -> Vec<(String, Timestamp)> {
    let Some(state) = store.registered_at_hand() else { return Vec::new() };
    let ends = state.materialized.iter().filter_map(|(view, materialized)| {
        let end = materialized.intervals.iter().map(|interval| interval.end).max()?;
        Some((view.clone(), end))
    });
    ends.collect()
}
