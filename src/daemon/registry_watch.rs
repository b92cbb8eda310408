//! Whether what is registered can be read: it is told when that changes. What is known is served meanwhile.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::app::FeatureStore;

/// How often it is looked at, which asks nobody.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells it as long as it is waited for.
pub(crate) async fn tell_when_it_is_away(store: Arc<FeatureStore>) {
    let mut was_away = false;
    loop {
        sleep(PAUSE).await;
        let problem = store.registry_status().and_then(|status| status.problem);
        match &problem {
            Some(problem) if !was_away => {
                tracing::warn!("The registry cannot be read, and what was read of it is served: {problem}");
            }
            None if was_away => tracing::info!("The registry is read again"),
            Some(_) | None => {}
        }
        was_away = problem.is_some();
    }
}
