//! Logging what was served of a feature service.

use uuid::Uuid;

use super::{Caller, Failure, FeatureStore};
use crate::{
    feature_log::{Appended, FeatureLog, LoggedRequest},
    model::{Object, ObjectId, ObjectKind},
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
    let service = features.selection.service.as_deref().map(|name| ObjectId::new(ObjectKind::FeatureService, name));
    let Some(Object::FeatureService(service)) = service.and_then(|id| state.objects.get(&id)) else {
        let help = "ask for a feature service, which says where its log goes".to_owned();
        return Err(Problem::new(Kind::Invalid, "only what is served of a feature service is logged", help).into());
    };
    let log = FeatureLog::of(&state, service, &store.config().repo)?;
    let request = LoggedRequest { id: Uuid::new_v4(), at: store.now() };
    if !log.takes(request) {
        return Ok(Logged::LeftOut);
    }
    let rows = log.rows(request, answer, features.full_feature_names)?;
    let Appended { rows, destination, .. } = log.append(&[rows])?;
    Ok(Logged::Written { rows, destination })
}
