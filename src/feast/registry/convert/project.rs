use super::created;
use crate::{
    feast::registry::messages as wire,
    model::{Project, Timestamp},
};

/// A stored project.
pub(crate) fn project_from_message(message: &wire::Project) -> Project {
    let spec = message.spec.clone().unwrap_or_default();
    Project { name: spec.name, description: spec.description, owner: spec.owner, tags: wire::to_map(&spec.tags) }
}

/// The row of a project that is new or changed at `now`.
pub(crate) fn project_to_message(project: &Project, stored: Option<wire::Project>, now: Timestamp) -> wire::Project {
    let stored = stored.unwrap_or_default();
    let meta = stored.meta.unwrap_or_default();
    wire::Project {
        spec: Some(wire::ProjectSpec {
            name: project.name.clone(),
            description: project.description.clone(),
            tags: wire::from_map(&project.tags),
            owner: project.owner.clone(),
        }),
        meta: Some(wire::ProjectMeta {
            created_timestamp: created(meta.created_timestamp, now),
            last_updated_timestamp: Some(now.into()),
        }),
    }
}
