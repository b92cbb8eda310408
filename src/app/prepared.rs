//! Features that are ready to be read from the online store: for a store that is held they are prepared once.

use std::sync::Arc;

use super::{
    FeatureStore,
    remembered::{Features, Prepared},
    retrieval::resolved,
};
use crate::{
    online::Online,
    problem::Problem,
    retrieval::{FeatureRequest, Purpose},
    serving::{OnlineFeatures, ServedFeatures},
};

/// The features of a request, if they are known without waiting for anything.
pub(super) fn at_hand(store: &FeatureStore, request: &FeatureRequest) -> Option<Arc<Prepared>> {
    store.remembered()?.get(&store.registered_at_hand()?, request)
}

/// The features of a request.
///
/// # Errors
/// When there is no online store, something does not exist or cannot be served, or the registry cannot be read.
pub(super) fn prepared(store: &FeatureStore, request: &FeatureRequest) -> Result<Arc<Prepared>, Problem> {
    let (online, remembered) = (store.online_values()?, store.remembered());
    let state = store.registered()?;
    if let Some(prepared) = remembered.and_then(|remembered| remembered.get(&state, request)) {
        return Ok(prepared);
    }
    let retrieval = Arc::new(resolved(store, &state, request, Purpose::Serving)?);
    let (strict, resolved) = (store.config().strict, Arc::clone(&retrieval));
    let features = match online {
        Online::Store(online) => Features::Stored(
            OnlineFeatures::new(store.project(), resolved, online.as_ref(), store.expressions())?
                .strict(strict)
                .feast_statuses(store.has_feast_statuses())
                .knowing(&state),
        ),
        Online::Server(server) => {
            Features::Served(ServedFeatures::new(request, resolved, Arc::clone(server)).strict(strict))
        }
    };
    let prepared = Arc::new(Prepared { state: Arc::clone(&state), retrieval, features });
    if let Some(remembered) = remembered {
        remembered.put(&state, request, &prepared);
    }
    Ok(prepared)
}
