//! What is known of a project as a whole, and of the whole registry.

use bytes::Bytes;

use super::asked::{Asked, freshness};
use crate::{
    app::{Failure, registered},
    feast::registry_server as wire,
};

/// The record of online infrastructure.
pub(super) fn infra(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let wire::OfProject { project, allow_cache } = asked.request(body)?;
    Ok(registered::infra(&asked.state.registry, asked.caller, &project, freshness(allow_cache))?)
}

/// The random id of a project.
pub(super) fn project_metadata(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let wire::OfProject { project, allow_cache } = asked.request(body)?;
    let uuid = registered::project_uuid(&asked.state.registry, asked.caller, &project, freshness(allow_cache))?;
    Ok(uuid.map_or_else(Bytes::new, |uuid| wire::project_metadata(&project, &uuid)))
}

/// Looks at a project again.
pub(super) fn refresh(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let wire::Refresh { project } = asked.request(body)?;
    registered::refresh(&asked.state.registry, asked.caller, &project)?;
    Ok(Bytes::new())
}

/// Nothing is left to be confirmed: changes are stored when they are answered.
pub(super) fn commit(asked: &Asked<'_>, _: &[u8]) -> Result<Bytes, Failure> {
    registered::commit(&asked.state.registry, asked.caller)?;
    Ok(Bytes::new())
}

/// The whole registry, as far as the caller may know it. Unlike those of Feast, objects in it say whose project they are of.
pub(super) fn everything(asked: &Asked<'_>, _: &[u8]) -> Result<Bytes, Failure> {
    let all = registered::everything(&asked.state.registry, asked.caller)?;
    let mut whole = wire::WholeRegistry::default();
    for (project, object) in &all {
        whole.add(project, object.kind, &object.proto);
    }
    Ok(whole.end())
}
