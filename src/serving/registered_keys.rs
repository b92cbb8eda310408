//! The join keys of all registered entities: under which other names requests may have them, and which they may have
//! although nobody needs them.

use crate::model::{DUMMY_ENTITY, DataType, Object, RegistryState};

/// The join keys of what is registered.
#[derive(Debug, Clone, Default)]
pub(super) struct RegisteredKeys(Vec<RegisteredKey>);

#[derive(Debug, Clone)]
struct RegisteredKey {
    entity: String,
    join_key: String,
    /// `None` if only views know it.
    dtype: Option<DataType>,
}

impl RegisteredKeys {
    /// Those of all entities but the one of views that have none.
    pub(super) fn of(state: &RegistryState) -> Self {
        let keys = state.objects.values().filter_map(|object| match object {
            Object::Entity(entity) if entity.name != DUMMY_ENTITY => Some(RegisteredKey {
                entity: entity.name.clone(),
                join_key: entity.join_key.clone(),
                dtype: entity.value_type.clone(),
            }),
            _ => None,
        });
        Self(keys.collect())
    }

    /// The names of the entities that have a join key: as Feast does, feastr takes them for the name of the key.
    pub(super) fn entities<'a>(&'a self, join_key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |key| key.join_key == join_key).map(|key| key.entity.as_str())
    }

    /// The type of a join key, where there is one of this name.
    pub(super) fn join_key(&self, name: &str) -> Option<Option<&DataType>> {
        self.0.iter().find(|key| key.join_key == name).map(|key| key.dtype.as_ref())
    }
}
