//! Whether what is registered can be read: it is told when that changes. What is known is served meanwhile.

use std::time::Duration;

use tokio::time::sleep;

use crate::registry::Status;

/// How often it is looked at, which asks nobody.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells it as long as it is waited for; `status` is how right what is known is.
pub(crate) async fn tell_when_it_is_away(status: impl Fn() -> Option<Status>) {
    let mut was_away = false;
    loop {
        sleep(PAUSE).await;
        let problem = status().and_then(|status| status.problem);
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
