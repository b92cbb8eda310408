//! Objects as they are stored, one or many.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;

use super::{
    asked::{Asked, freshness},
    state::State,
};
use crate::{
    app::{
        Failure,
        registered::{self, Freshness, ListRequest, Page, Paging, SortValue, StoredObject, Wanted},
    },
    feast::{registry::to_json, registry_server as wire},
    model::{HIDDEN_PROJECT_TAG, ObjectKind, Tags},
    problem::Problem,
};

/// Whether one object that is asked for is in memory, and may be given from there.
pub(super) fn is_at_hand(kind: Option<ObjectKind>, state: &State, body: &[u8]) -> bool {
    let (project, allow_cache) = match kind {
        Some(ObjectKind::Project) => match wire::GetProject::decode(body) {
            Ok(wire::GetProject { name, allow_cache }) => (name, allow_cache),
            Err(_) => return false,
        },
        _ => match wire::Get::decode(body) {
            Ok(wire::Get { project, allow_cache, .. }) => (project, allow_cache),
            Err(_) => return false,
        },
    };
    allow_cache && state.registry.at_hand(&project).is_some()
}

/// An object of a kind.
pub(super) fn get(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let request: wire::Get = asked.request(body)?;
    Ok(found(asked, asked.kind.as_slice(), &request)?.proto.clone())
}

/// A view of whatever kind.
pub(super) fn get_any_view(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let request: wire::Get = asked.request(body)?;
    let view = found(asked, &ObjectKind::VIEWS, &request)?;
    Ok(wire::one_field(&wire::any_view(view.kind, &view.proto)))
}

/// A project itself.
pub(super) fn get_project(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let wire::GetProject { name, allow_cache } = asked.request(body)?;
    let request = wire::Get { project: name.clone(), name, allow_cache };
    Ok(found(asked, &[ObjectKind::Project], &request)?.proto.clone())
}

fn found(asked: &Asked<'_>, kinds: &[ObjectKind], request: &wire::Get) -> Result<Arc<StoredObject>, Problem> {
    let wire::Get { name, project, allow_cache } = request;
    let wanted = Wanted { kinds, name, project };
    registered::get(&asked.state.registry, asked.caller, wanted, freshness(*allow_cache))
}

/// The objects of a kind.
pub(super) fn list(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let request: wire::ListObjects = asked.request(body)?;
    let kinds = asked.kind.as_slice();
    let wanted = ListRequest { kinds, project: &request.project, tags: &request.labels() };
    let objects = registered::list(&asked.state.registry, asked.caller, wanted, freshness(request.allow_cache))?;
    Ok(answer(&paging(request.pagination, request.sorting).cut(objects, value)))
}

/// The projects, without those that Feast hides.
pub(super) fn list_projects(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let request: wire::ListProjects = asked.request(body)?;
    let (registry, tags): (_, Tags) = (&asked.state.registry, request.labels());
    let freshness: Freshness = freshness(request.allow_cache);
    let mut projects = registered::list_projects(registry, asked.caller, &tags, freshness)?;
    projects.retain(|project| project.tags.get(HIDDEN_PROJECT_TAG).is_none_or(|value| value != "true"));
    Ok(answer(&paging(request.pagination, request.sorting).cut(projects, value)))
}

/// What part is wanted.
pub(super) fn paging(pagination: Option<wire::Pagination>, sorting: Option<wire::Sorting>) -> Paging {
    let positive = |number: i32| u32::try_from(number).ok().filter(|number| *number > 0);
    Paging {
        page: pagination.and_then(|pagination| Some((positive(pagination.page)?, positive(pagination.limit)?))),
        sorting: sorting.map(|wire::Sorting { sort_by, sort_order }| registered::Sorting {
            by: sort_by,
            is_descending: sort_order.eq_ignore_ascii_case("desc"),
        }),
    }
}

/// What an object is compared by.
pub(super) fn value(object: &Arc<StoredObject>, path: &str) -> SortValue {
    if path == "name" {
        return SortValue::text(&object.name);
    }
    to_json(object.kind, &object.proto).map_or_else(|_| SortValue::none(), |json| registered::sort_value(&json, path))
}

/// A list of objects.
pub(super) fn answer(page: &Page<Arc<StoredObject>>) -> Bytes {
    wire::List::of(page.entries.iter().map(|object| &*object.proto)).end(info(page))
}

/// Where a page is.
pub(super) fn info<T>(page: &Page<T>) -> wire::PageInfo {
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    wire::PageInfo {
        page: number(page.number),
        limit: number(page.limit),
        total_count: count(page.total),
        total_pages: count(page.pages),
        has_next: page.has_next,
        has_previous: page.has_previous,
    }
}
