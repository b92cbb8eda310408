//! `feastr serve-registry`: what it answers to clients of Feast, what it refuses, and what it keeps.

mod applies;
mod client;
mod crowds;
mod datasets;
mod keycloak;
mod noted;
#[cfg(target_os = "linux")]
mod outages;
mod permitted;
mod recorded;
mod stock;
mod together;
mod wrong;

use feastr::feast::registry::messages as wire;

use crate::support::{Project, settings};

/// A repo with a registry of its own and nothing in it.
fn repo() -> Project {
    Project::new(&[("feature_store.yaml", &settings("shop"))])
}

/// An entity.
fn entity(name: &str) -> wire::Entity {
    let spec =
        wire::EntitySpecV2 { name: name.to_owned(), join_key: format!("{name}_id"), ..wire::EntitySpecV2::default() };
    wire::Entity { spec: Some(spec), ..wire::Entity::default() }
}

/// A view with a feature.
fn view(name: &str, feature: &str) -> wire::FeatureView {
    let column = wire::FeatureSpecV2 { name: feature.to_owned(), value_type: 3, ..wire::FeatureSpecV2::default() };
    let spec = wire::FeatureViewSpec {
        name: name.to_owned(),
        entities: vec!["user".to_owned()],
        features: vec![column],
        ..wire::FeatureViewSpec::default()
    };
    wire::FeatureView { spec: Some(spec), ..wire::FeatureView::default() }
}
