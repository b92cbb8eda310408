use super::created;
use crate::{
    feast::{registry::messages as wire, values::data_types},
    model::{Entity, Tags, Timestamp},
};

/// A stored entity.
pub(crate) fn entity_from_message(message: &wire::Entity) -> Entity {
    let spec = message.spec.clone().unwrap_or_default();
    let value_type = (spec.value_type != 0).then(|| data_types::from_wire(spec.value_type, &Tags::new()).0);
    Entity {
        name: spec.name,
        join_key: spec.join_key,
        value_type,
        description: spec.description,
        owner: spec.owner,
        tags: wire::to_map(&spec.tags),
    }
}

/// The row of an entity that is new or changed at `now`.
pub(crate) fn entity_to_message(entity: &Entity, stored: Option<wire::Entity>, now: Timestamp) -> wire::Entity {
    let stored = stored.unwrap_or_default();
    let meta = stored.meta.unwrap_or_default();
    wire::Entity {
        spec: Some(wire::EntitySpecV2 {
            name: entity.name.clone(),
            value_type: entity.value_type.as_ref().map_or(0, |dtype| data_types::to_wire(dtype).number),
            description: entity.description.clone(),
            join_key: entity.join_key.clone(),
            tags: wire::from_map(&entity.tags),
            project: stored.spec.unwrap_or_default().project,
            owner: entity.owner.clone(),
        }),
        meta: Some(wire::EntityMeta {
            created_timestamp: created(meta.created_timestamp, now),
            last_updated_timestamp: Some(now.into()),
        }),
    }
}
