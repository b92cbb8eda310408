//! The current features of entities, from the online store.

use std::{sync::Arc, time::Instant};

use super::{
    Caller, Event, Failure, FeatureStore,
    access::Access,
    prepared::{at_hand, prepared as prepare},
    remembered::Prepared,
};
use crate::{
    clients::runtime::blocking,
    model::{ObjectId, ObjectKind, PermissionAction},
    problem::Problem,
    retrieval::FeatureRequest,
    serving::{Answer, Asked},
};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Which features.
    pub features: &'a FeatureRequest,
    /// Of whom.
    pub entities: Asked<'a>,
    /// When nobody waits for the answer any more.
    pub deadline: Instant,
}

/// Reads the features as they stand now. What does not depend on the entities is prepared once for a store that is
/// held. It can be awaited on any executor of tokio; a call that is dropped leaves nothing behind.
///
/// # Errors
/// When the caller may not, something does not exist or cannot be served, a join key is missing or not of its type, or a store cannot be
/// read, or not before the deadline.
pub async fn get_online(store: &Arc<FeatureStore>, caller: &Caller, request: Request<'_>) -> Result<Answer, Failure> {
    let prepared = prepared(store, request.features).await?;
    check(store, caller, request.features, &prepared)?;
    tell_ignored(store, &prepared, request.entities)?;
    Ok(prepared.features.of(request.entities, store.now(), request.deadline).await?)
}

async fn prepared(store: &Arc<FeatureStore>, request: &FeatureRequest) -> Result<Arc<Prepared>, Problem> {
    if let Some(prepared) = at_hand(store, request) {
        return Ok(prepared);
    }
    let (store, request) = (Arc::clone(store), request.clone());
    blocking(move || prepare(&store, &request)).await
}

/// As in Feast a service stands for its views; without one each view has to be allowed, also those that on-demand features are
/// computed of.
fn check(store: &FeatureStore, caller: &Caller, request: &FeatureRequest, prepared: &Prepared) -> Result<(), Problem> {
    let access = Access::of(store, caller, &prepared.state);
    if let Some(service) = &request.selection.service {
        let service = ObjectId::new(ObjectKind::FeatureService, service);
        return access.check(&[PermissionAction::ReadOnline], prepared.state.objects.get(&service));
    }
    let views = prepared.retrieval.views.iter().map(|selected| selected.view.name.as_str());
    let on_demand = prepared.retrieval.on_demand.iter().map(|selected| selected.view.name.as_str());
    access.check_views(&[PermissionAction::ReadOnline], views.chain(on_demand))
}

/// A file of training rows will do for entities: what is not asked for is left out.
fn tell_ignored(store: &FeatureStore, prepared: &Prepared, asked: Asked<'_>) -> Result<(), Problem> {
    let Asked::Rows(entities) = asked else { return Ok(()) };
    if !entities.is_file() {
        return Ok(());
    }
    let file = entities.open()?;
    let (keys, fields) = (prepared.retrieval.entity_columns(), prepared.retrieval.request_fields());
    let is_asked =
        |name: &str| keys.iter().any(|key| key.column == name) || fields.iter().any(|(field, _)| field.name == name);
    let names = file.columns().columns.iter().map(|column| column.name.as_str());
    let columns: Vec<&str> = names.filter(|name| !is_asked(name)).collect();
    if !columns.is_empty() {
        store.tell(&Event::IgnoredColumns { file: entities.shown(), columns: &columns });
    }
    Ok(())
}
