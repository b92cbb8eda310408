use std::collections::BTreeSet;

use crate::model::{DUMMY_JOIN_KEY, DataSource, Field, Object, Tags};

/// What views of all kinds have in common, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub name: &'a str,
    pub entity_columns: &'a [Field],
    pub features: &'a [Field],
    pub source: Option<&'a DataSource>,
    /// Whether its values are kept in the online store.
    pub online: bool,
    /// Whether it can be read at all.
    pub enabled: bool,
    pub tags: &'a Tags,
}

impl<'a> View<'a> {
    /// The view that an object is, if it is one.
    pub fn of(object: &'a Object) -> Option<Self> {
        Some(match object {
            Object::FeatureView(view) => Self {
                name: &view.name,
                entity_columns: &view.entity_columns,
                features: &view.features,
                source: view.source.as_ref(),
                online: view.online,
                enabled: view.enabled,
                tags: &view.tags,
            },
            Object::StreamFeatureView(view) => Self {
                name: &view.name,
                entity_columns: &view.entity_columns,
                features: &view.features,
                source: view.source.as_ref(),
                online: view.online,
                enabled: view.enabled,
                tags: &view.tags,
            },
            Object::LabelView(view) => Self {
                name: &view.name,
                entity_columns: &view.entity_columns,
                features: &view.features,
                source: view.source.as_ref(),
                online: view.online,
                enabled: true,
                tags: &view.tags,
            },
            Object::OnDemandFeatureView(view) => Self {
                name: &view.name,
                // Its keys are those of its inputs.
                entity_columns: &[],
                features: &view.features,
                source: None,
                online: false,
                enabled: view.enabled,
                tags: &view.tags,
            },
            _ => return None,
        })
    }

    pub fn feature(&self, name: &str) -> Option<&'a Field> {
        self.features.iter().find(|field| field.name == name)
    }

    /// Whether values of the view are found by join keys of its own.
    pub fn has_keys(&self) -> bool {
        !self.entity_columns.is_empty()
    }

    /// Names of the join keys; their order does not matter to the online store.
    pub fn join_keys(&self) -> BTreeSet<&'a str> {
        self.entity_columns.iter().map(|field| field.name.as_str()).filter(|name| *name != DUMMY_JOIN_KEY).collect()
    }

    /// Whether its kind keeps values of its own in the online store.
    pub fn stores_values(&self) -> bool {
        self.online && self.has_keys()
    }
}
