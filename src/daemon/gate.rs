//! Who may ask: whoever runs a server is told when it starts.

use std::sync::Arc;

use crate::{
    app::{Gate, Notice},
    clients::runtime::blocking,
    problem::Problem,
};

/// Gets ready for the first one who asks, and tells who may; `notices` looks at what is registered.
pub(crate) async fn tell_who_may_ask(
    gate: Arc<Gate>,
    notices: impl FnOnce(&Gate) -> Result<Vec<Notice>, Problem> + Send + 'static,
) {
    if let Err(problem) = gate.prepare().await {
        tracing::warn!("Nobody can be let in yet: {problem}");
    }
    match blocking(move || notices(&gate)).await {
        Ok(notices) => notices.into_iter().for_each(tell),
        Err(problem) => tracing::warn!("Who may what is not known yet: {problem}"),
    }
}

fn tell(notice: Notice) {
    match notice {
        Notice::Fine(text) => tracing::info!("{text}"),
        Notice::Warning(text) => tracing::warn!("{text}"),
    }
}
