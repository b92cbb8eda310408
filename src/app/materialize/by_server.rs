//! Materializing by the feature server that has the online store, with its definitions, as in Feast.

use serde::Serialize;

use super::{Request, check_end};
use crate::{
    app::{Caller, Failure, FeatureStore, access::Access},
    materialize::Range,
    model::{NamedView, PermissionAction, Timestamp, printable},
    online::{FeatureServer, Replace, ServerWork},
    problem::{Kind, Problem, Subject},
};

/// What a server has done. What it read and wrote, and of which views if none were named, it does not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerRun {
    /// The server, as messages call it.
    pub server: String,
    /// The views that were named; all of the project's if there are none.
    pub views: Vec<String>,
    /// When it was asked.
    pub started: Timestamp,
    /// When it was done.
    pub finished: Timestamp,
}

/// Lets the feature server materialize, if one has the online store, and waits for that; `None` if none has.
///
/// # Errors
/// When the end lies in the future ([`Kind::Refused`]), something is wanted that servers do not do, or this one refuses.
pub fn by_server(store: &FeatureStore, caller: &Caller, request: Request<'_>) -> Result<Option<ServerRun>, Failure> {
    let Some(server) = store.feature_server() else { return Ok(None) };
    check_end(store, request)?;
    check_wishes(server.as_ref(), request)?;
    check_views(store, caller, request)?;
    let start = match request.range {
        Range::Fixed(interval) => Some(interval.start),
        Range::Until(_) | Range::UntilNow(_) => None,
    };
    let started = store.now();
    server.materialize(&ServerWork { views: request.views, start, end: request.range.end() })?;
    let (server, views) = (server.name().to_owned(), request.views.to_vec());
    Ok(Some(ServerRun { server, views, started, finished: store.now() }))
}

/// Without names the server materializes all that it can, which may be all.
fn check_views(store: &FeatureStore, caller: &Caller, request: Request<'_>) -> Result<(), Problem> {
    if !matches!(caller, Caller::User(_)) {
        return Ok(());
    }
    let state = store.registered()?;
    let access = Access::of(store, caller, &state);
    if request.views.is_empty() {
        let views = state.objects.values().filter(|object| object.id().kind.is_view());
        access.check(&[PermissionAction::WriteOnline], views)?;
        let foreign = state.foreign_views().map(|view| view.id.name.as_str());
        return access.check_views(&[PermissionAction::WriteOnline], foreign);
    }
    // The server may have a view of which nothing is registered here.
    if let Some(unknown) = request.views.iter().find(|name| matches!(state.view(name), NamedView::None)) {
        let message = format!("there is no view `{}` in the registry", printable(unknown));
        return Err(Problem::new(Kind::NotFound, message, None).about(Subject::FeatureView));
    }
    access.check_views(&[PermissionAction::WriteOnline], request.views.iter().map(String::as_str))
}

/// A server takes a range and views, and nothing else.
fn check_wishes(server: &dyn FeatureServer, request: Request<'_>) -> Result<(), Problem> {
    let wish = match () {
        () if request.chunk.is_some() => "parts of a range",
        () if request.replace != Replace::Outdated => "other values to be replaced than older ones",
        () if request.jobs > 1 => "a number of views at a time",
        () => return Ok(()),
    };
    let message = format!("{} materializes for this repo, and cannot be asked for {wish}", server.name());
    let help = "leave it out, or materialize where `online_store` is the store itself".to_owned();
    Err(Problem::new(Kind::Unsupported, message, help))
}
