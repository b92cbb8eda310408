//! What an account of Redis needs for the online values of the project.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Caller, Failure, FeatureStore};
use crate::{
    config::OnlineStoreConfig,
    model::View,
    online::{RedisRole, key_pattern},
    problem::{Advice, Kind, Problem},
};

/// What an account of Redis needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RedisAcl {
    /// The project.
    pub project: String,
    /// The commands, as rules name them.
    pub commands: Vec<&'static str>,
    /// The patterns of its keys.
    pub patterns: Vec<String>,
    /// Whether a pattern may match keys of projects whose name ends with that of this one.
    pub matches_others: bool,
}

/// What an account needs that does something with the values of all views that are registered.
///
/// # Errors
/// When the online store is not in Redis, no view has values there, or the registry cannot be read.
pub fn redis_acl(store: &FeatureStore, _: &Caller, role: RedisRole) -> Result<RedisAcl, Failure> {
    if !matches!(store.config().online_store, Some(OnlineStoreConfig::Redis(_))) {
        let message = "the online store is not in Redis";
        let help = "set `online_store` in feature_store.yaml to `type: redis`".to_owned();
        return Err(Problem::new(Kind::Unsupported, message, help).into());
    }
    let (state, project) = (store.registered()?, store.project());
    let views = state.views().filter(View::stores_values);
    let patterns = views.map(|view| key_pattern(project, view)).collect::<Result<BTreeSet<_>, _>>()?;
    if patterns.is_empty() {
        let message = format!("no view of project {project} has values in the online store");
        return Err(Problem::new(Kind::NotFound, message, None).advise(Advice::Apply).into());
    }
    Ok(RedisAcl {
        project: project.to_owned(),
        commands: role.commands().collect(),
        matches_others: patterns.iter().any(|pattern| pattern.contains('*')),
        patterns: patterns.into_iter().collect(),
    })
}
