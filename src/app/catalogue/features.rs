//! The features of all views, and the services that use them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    app::{Caller, Failure, FeatureStore, discovery::known},
    diagnostics::did_you_mean,
    discovery::{self, KnownFeature},
    feast::registry::Link,
    model::{ObjectKind, Tags},
    problem::{Kind, Problem},
    registry::Row,
};

/// All features.
#[derive(Debug)]
pub struct Features {
    /// Where the registry is, for messages.
    pub registry: String,
    /// By view, and then as the view has them.
    pub features: Vec<Feature>,
}

/// A feature of a view.
#[derive(Debug, Clone, Serialize)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// The view that has it.
    pub view: String,
    /// The kind of the view.
    pub kind: ObjectKind,
    /// The type as definitions write it.
    pub dtype: String,
    /// What it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its labels.
    #[serde(skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// Names of the services that select it.
    pub services: Vec<String>,
}

/// Every feature of the project.
///
/// # Errors
/// When the registry cannot be read, or a row is damaged.
pub fn features(store: &FeatureStore, _: &Caller) -> Result<Features, Failure> {
    let registry = store.registry_to_read();
    let features = listed(&registry.snapshot(store.project())?.rows)?;
    Ok(Features { registry: registry.location(), features })
}

/// The features of a name, in whatever view they are, or of `view:feature`.
///
/// # Errors
/// [`Kind::NotFound`] when there is none; else as [`features`].
pub fn feature(store: &FeatureStore, caller: &Caller, name: &str) -> Result<Vec<Feature>, Failure> {
    let Features { features, .. } = self::features(store, caller)?;
    let (view, wanted) = match name.split_once(':') {
        Some((view, feature)) => (Some(view), feature),
        None => (None, name),
    };
    let is_wanted = |feature: &&Feature| feature.name == wanted && view.is_none_or(|view| feature.view == view);
    let found: Vec<Feature> = features.iter().filter(is_wanted).cloned().collect();
    if found.is_empty() {
        let help = did_you_mean(wanted, features.iter().map(|feature| feature.name.as_str()));
        let message = format!("there is no feature `{name}` in the registry");
        return Err(Problem::new(Kind::NotFound, message, help).into());
    }
    Ok(found)
}

fn listed(rows: &[Row]) -> Result<Vec<Feature>, Problem> {
    let known = known(rows)?;
    let mut services: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for service in known.iter().filter(|known| known.id.kind == ObjectKind::FeatureService) {
        for link in &service.card.links {
            let Link::View { name: view, features } = link else { continue };
            for feature in features {
                let users = services.entry((view, feature)).or_default();
                if users.last() != Some(&service.id.name) {
                    users.push(service.id.name.clone());
                }
            }
        }
    }
    let feature = |feature: KnownFeature<'_>| Feature {
        services: services.get(&(&feature.view.id.name, &feature.field.name)).cloned().unwrap_or_default(),
        name: feature.field.name.clone(),
        view: feature.view.id.name.clone(),
        kind: feature.view.id.kind,
        dtype: feature.field.dtype.to_string(),
        description: feature.field.description.clone(),
        tags: feature.field.tags.clone(),
    };
    let mut features: Vec<Feature> = discovery::features(&known).map(feature).collect();
    features.sort_by(|a, b| a.view.cmp(&b.view));
    Ok(features)
}
