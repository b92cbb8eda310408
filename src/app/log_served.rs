//! Logging what was served of a feature service.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use uuid::Uuid;

use super::{Caller, Failure, FeatureStore};
use crate::{
    feature_log::{Appended, FeatureLog, LoggedRequest, Places},
    model::{FeatureService, Object, ObjectId, ObjectKind, RegistryState},
    problem::{Kind, Problem},
    retrieval::FeatureRequest,
    serving::Answer,
};

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logged {
    /// It is in the log.
    Written {
        /// How many rows it has.
        rows: usize,
        /// Where they are, as it is declared.
        destination: String,
    },
    /// The log is a sample of the requests, and this one is not among them.
    LeftOut,
}

/// Logs what was answered to a request for a feature service, as the service's `logging_config` says.
///
/// # Errors
/// When no service was asked for, it is not to be logged, or the log cannot be written.
pub fn log_served(
    store: &FeatureStore,
    _: &Caller,
    features: &FeatureRequest,
    answer: &Answer,
) -> Result<Logged, Failure> {
    let state = store.registered()?;
    let Some(service) = features.selection.service.as_deref().and_then(|name| registered(&state, name)) else {
        let help = "ask for a feature service, which says where its log goes".to_owned();
        return Err(Problem::new(Kind::Invalid, "only what is served of a feature service is logged", help).into());
    };
    let log = FeatureLog::of(&state, service, log_places(store))?;
    let request = LoggedRequest { id: Uuid::new_v4(), at: store.now() };
    if !log.takes(request) {
        return Ok(Logged::LeftOut);
    }
    let rows = log.rows(request, answer, features.full_feature_names)?;
    let mut open = log.begin()?;
    open.write(&rows)?;
    let Appended { rows, destination, .. } = open.complete()?;
    Ok(Logged::Written { rows, destination })
}

/// Where logs go.
pub(super) fn log_places(store: &FeatureStore) -> Places<'_> {
    Places { repo: &store.config().repo, buckets: &store.whereabouts().buckets }
}

/// The service of a name.
pub(super) fn registered<'a>(state: &'a RegistryState, service: &str) -> Option<&'a FeatureService> {
    match state.objects.get(&ObjectId::new(ObjectKind::FeatureService, service)) {
        Some(Object::FeatureService(service)) => Some(service),
        _ => None,
    }
}

/// The logs of services, for faces that live and write them in batches: looked up once in each state of the registry.
#[derive(Default)]
pub struct ServiceLogs(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Where they were looked up.
    state: Option<Arc<RegistryState>>,
    /// `None` of services that are not logged.
    logs: HashMap<String, Option<Arc<FeatureLog>>>,
    /// Those of the states before.
    earlier: HashMap<String, Arc<FeatureLog>>,
}

impl ServiceLogs {
    /// The log of a service; `None` if it has none. It is the same as long as its rows are of the same kind.
    ///
    /// # Errors
    /// When it is declared and cannot be written; said once in each state of the registry.
    pub fn of(&self, store: &FeatureStore, _: &Caller, service: &str) -> Result<Option<Arc<FeatureLog>>, Problem> {
        // Who was answered has had it.
        let Some(state) = store.registered_at_hand() else { return Ok(None) };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.state.as_ref().is_none_or(|looked_up| !Arc::ptr_eq(looked_up, &state)) {
            let logs = std::mem::take(&mut known.logs);
            known.earlier.extend(logs.into_iter().filter_map(|(service, log)| Some((service, log?))));
            known.state = Some(Arc::clone(&state));
        }
        if let Some(log) = known.logs.get(service) {
            return Ok(log.clone());
        }
        let declared = registered(&state, service).filter(|service| service.logging_config.is_some());
        let made = declared.map(|service| FeatureLog::of(&state, service, log_places(store))).transpose();
        let earlier = known.earlier.remove(service);
        let log = match (made, earlier) {
            (Ok(Some(made)), Some(earlier)) if made.is_same(&earlier) => Ok(Some(earlier)),
            (Ok(made), _) => Ok(made.map(Arc::new)),
            (Err(problem), _) => Err(problem),
        };
        // Only services that exist are asked for here, so that nobody makes names up.
        known.logs.insert(service.to_owned(), log.as_ref().ok().cloned().flatten());
        log
    }
}
