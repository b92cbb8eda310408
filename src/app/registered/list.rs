//! Objects of a kind, as far as who asks may know them.

use std::sync::Arc;

use super::{Freshness, SharedRegistry, StoredObject, rights::those};
use crate::{
    app::Caller,
    model::{ObjectKind, Tags},
    problem::Problem,
};

/// Which objects are wanted.
#[derive(Debug, Clone, Copy)]
pub struct ListRequest<'a> {
    /// Of these kinds, one after the other.
    pub kinds: &'a [ObjectKind],
    /// The project; in one that does not exist there are none.
    pub project: &'a str,
    /// Only those with all of these labels.
    pub tags: &'a Tags,
}

/// The objects that a caller may describe, by kind and name. What the caller may not know is left out.
///
/// # Errors
/// When the registry cannot be read, or nobody can say what the caller may.
pub fn list(
    registry: &SharedRegistry,
    caller: &Caller,
    request: ListRequest<'_>,
    freshness: Freshness,
) -> Result<Vec<Arc<StoredObject>>, Problem> {
    let objects = registry.objects(request.project, freshness)?;
    let mut listed = Vec::new();
    for kind in request.kinds {
        let all = objects.rights.allow_list(caller, *kind)?;
        let wanted = objects.of_kind(*kind).filter(|object| has_tags(object, request.tags));
        let known = those(wanted, |object| Ok(all || objects.rights.allow_describe(caller, object)?))?;
        listed.extend(known.into_iter().cloned());
    }
    Ok(listed)
}

/// All projects that a caller may describe, by name; each by its own permissions.
///
/// # Errors
/// When the registry cannot be read.
pub fn list_projects(
    registry: &SharedRegistry,
    caller: &Caller,
    tags: &Tags,
    freshness: Freshness,
) -> Result<Vec<Arc<StoredObject>>, Problem> {
    let projects = registry.projects(freshness)?;
    let mut permitted = Vec::new();
    for project in projects.iter().filter(|project| has_tags(project, tags)) {
        let may_know = match caller {
            Caller::User(_) => {
                let objects = registry.objects(&project.name, freshness)?;
                objects.rights.allow_describe(caller, project)?
            }
            Caller::Operator(_) | Caller::Internal => true,
        };
        if may_know {
            permitted.push(Arc::clone(project));
        }
    }
    Ok(permitted)
}

fn has_tags(object: &StoredObject, wanted: &Tags) -> bool {
    wanted.iter().all(|(key, value)| object.tags.get(key) == Some(value))
}
