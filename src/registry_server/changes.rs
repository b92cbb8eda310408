//! Changes: one object, or what belongs to a project.

use bytes::Bytes;

use super::{asked::Asked, told};
use crate::{
    app::{
        Failure,
        registered::{self, Change, Sent, Wanted},
    },
    feast::{registry::about, registry_server as wire},
    model::{Interval, ObjectId, ObjectKind, ViewId},
    problem::{Kind, Problem},
};

/// Takes an object of a kind.
pub(super) fn apply(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let wire::Apply { object, project, .. } = asked.request(body)?;
    let kind = asked.kind.unwrap_or(ObjectKind::Entity);
    put(asked, Sent { kind, proto: &object, project: Some(&project) })
}

/// Takes a view of whatever kind.
pub(super) fn apply_view(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let request: wire::ApplyFeatureView = asked.request(body)?;
    let (kind, proto) = request.view().ok_or_else(|| {
        let help = "send one of feature_view, on_demand_feature_view, stream_feature_view and label_view".to_owned();
        Problem::new(Kind::Invalid, "the request has no view", help)
    })?;
    put(asked, Sent { kind, proto, project: Some(&request.project) })
}

/// Takes a project itself.
pub(super) fn apply_project(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let wire::ApplyProject { project, .. } = asked.request(body)?;
    put(asked, Sent { kind: ObjectKind::Project, proto: &project, project: None })
}

fn put(asked: &Asked<'_>, sent: Sent<'_>) -> Result<Bytes, Failure> {
    let (id, change) = registered::apply(&asked.state.registry, asked.caller, &asked.author(), sent)?;
    tell(asked, sent.project.unwrap_or(&id.name), &id, change);
    Ok(Bytes::new())
}

/// Removes an object of a kind.
pub(super) fn delete(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let wire::Delete { name, project, .. } = asked.request(body)?;
    remove(asked, Wanted { kinds: asked.kind.as_slice(), name: &name, project: &project })
}

/// Removes a view of whatever kind.
pub(super) fn delete_view(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let wire::Delete { name, project, .. } = asked.request(body)?;
    remove(asked, Wanted { kinds: &ObjectKind::VIEWS, name: &name, project: &project })
}

/// Removes a project with all that is in it.
pub(super) fn delete_project(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let wire::DeleteProject { name, .. } = asked.request(body)?;
    remove(asked, Wanted { kinds: &[ObjectKind::Project], name: &name, project: &name })
}

fn remove(asked: &Asked<'_>, wanted: Wanted<'_>) -> Result<Bytes, Failure> {
    let id = registered::delete(&asked.state.registry, asked.caller, &asked.author(), wanted)?;
    tell(asked, wanted.project, &id, Change::Deleted);
    Ok(Bytes::new())
}

/// Notes that values of a view were written.
pub(super) fn apply_materialization(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let wire::ApplyMaterialization { feature_view, project, start_date, end_date, .. } = asked.request(body)?;
    let invalid = |message: &str| Problem::new(Kind::Invalid, message, None);
    let view =
        about(ObjectKind::FeatureView, &feature_view).ok_or_else(|| invalid("the request has no feature view"))?;
    let times = start_date.zip(end_date).ok_or_else(|| invalid("the request lacks the start or the end"))?;
    let interval = Interval { start: times.0.into(), end: times.1.into() };
    let id = ViewId { project: &project, name: &view.name };
    let id = registered::record_materialization(&asked.state.registry, asked.caller, &asked.author(), id, interval)?;
    tell(asked, &project, &id, Change::Updated);
    Ok(Bytes::new())
}

/// Takes the record of online infrastructure.
pub(super) fn update_infra(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let wire::UpdateInfra { infra, project, .. } = asked.request(body)?;
    let change = registered::put_infra(&asked.state.registry, asked.caller, &asked.author(), &project, &infra)?;
    tell(asked, &project, &ObjectId::new(ObjectKind::Project, &project), change);
    Ok(Bytes::new())
}

fn tell(asked: &Asked<'_>, project: &str, id: &ObjectId, change: Change) {
    told::tell(asked.caller, (asked.name, asked.id), project, id, change);
}
