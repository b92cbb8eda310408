//! Rows that somebody has, written to the views that a push source feeds, and to on-demand views whose values are stored.

mod computed;
mod one_view;
mod sent;

pub use one_view::{ViewRequest, push_to_view};

use super::{Caller, Failure, FeatureStore, access::Access};
use crate::{
    model::PermissionAction,
    online::Online,
    problem::{Kind, Problem},
    push::{Checks, Fed, History, Naming, Newest, PushReport, Staged, To, ViewReport},
    retrieval::Entities,
};

/// What is pushed, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The push source.
    pub source: &'a str,
    /// Its rows, wherever they come from.
    pub rows: &'a Entities,
    /// Where they go.
    pub to: To,
    /// Whether rows may be of a moment that is not there yet.
    pub allow_future: bool,
    /// Whether on-demand views whose values are stored are computed of the rows.
    pub compute: bool,
    /// Whether a store that is held looks at the registry first, so that what was applied just now counts.
    pub look: bool,
}

/// Checks all rows for all views, and then writes them: the newest of each entity to the online store, or to the feature
/// server that has it, and all of them beside the history of the source, where nobody sees them before the online values
/// are stored.
///
/// # Errors
/// When the caller may not, there is no such source or a row is not right for one of its views: then nothing is written. When a store cannot
/// be written, values of some entities may be there, and the history has no row: the same rows can be pushed again.
pub fn push(store: &FeatureStore, caller: &Caller, request: Request<'_>) -> Result<PushReport, Failure> {
    let Request { source, rows, to, allow_future, compute, look } = request;
    let online = if to.online() { Some(store.online_values()?) } else { None };
    let state = if look { store.registered_now()? } else { store.registered()? };
    let fed = Fed::find(&state, source, to)?;
    let views = fed.views.iter().map(|fed| fed.view.name.as_str());
    // What is left out here may be written by a server that has the store.
    let beside = fed.left_out.iter().filter(|_| store.feature_server().is_some()).map(|left| left.view.as_str());
    Access::of(store, caller, &state).check_views(&actions(to), views.chain(beside))?;
    let opened = rows.open()?;
    if opened.has_nothing() {
        return Ok(nothing(store, request, fed));
    }
    let batch = fed.history()?;
    let opened = opened.written_like(batch)?;
    let naming = Naming { rows: &opened, shown: rows.shown() };
    let history = match to.offline() {
        true => {
            let history = History::new(batch, store.offline().inspect(batch)?, store.whereabouts());
            // Its views have the same history.
            let view = fed.views.first().map_or("", |fed| fed.view.name.as_str());
            Some(history.behind(store.offline().writer(), view))
        }
        false => None,
    };

    let mut needs = fed.views.iter().map(|view| view.needs()).collect::<Result<Vec<_>, _>>()?;
    needs.extend(history.as_ref().map(|history| history.needs(naming)));
    let ignored_columns = naming.check(&needs)?;
    if let (Some(column), true) = (ignored_columns.first(), to.offline()) {
        let message = format!("{}: column `{column}` is none of data source `{}`", rows.shown(), batch.name);
        let help = "leave it out; the columns of a source stay what they are".to_owned();
        return Err(Problem::new(Kind::Invalid, message, help).into());
    }
    let checks = Checks { now: store.now(), allow_future };
    let views = fed.views.iter().map(|view| Newest::of(view, naming, checks)).collect::<Result<Vec<_>, _>>()?;
    let count = views.first().map_or(0, Newest::rows);
    let staged = match &history {
        Some(history) if count > 0 => Some(history.stage(naming)?),
        _ => None,
    };

    let pushed: Vec<&Newest<'_>> = views.iter().filter(|newest| newest.goes_online()).collect();
    let (mut reports, mut sent) = (Vec::new(), None);
    match online {
        Some(Online::Store(online)) => {
            let online = online.as_ref();
            for newest in &pushed {
                reports.push(newest.write(store.project(), online).map_err(|problem| after(problem, &reports))?);
            }
            if compute {
                let computed =
                    computed::write(store, online, &state, &pushed).map_err(|problem| after(problem, &reports))?;
                reports.extend(computed);
            }
        }
        // On-demand views whose values are stored are its business, too.
        Some(Online::Server(server)) => sent = Some(sent::send(server.as_ref(), source, &pushed)?),
        None => {}
    }
    let added = staged.map(Staged::finish).transpose().map_err(|problem| match &sent {
        Some(sent) => sent::before(problem, sent),
        None => after(problem, &reports),
    })?;
    Ok(PushReport {
        format_version: PushReport::FORMAT_VERSION,
        project: store.project().to_owned(),
        source: source.to_owned(),
        to,
        rows: count,
        views: reports,
        sent,
        left_out: fed.left_out,
        added,
        ignored_columns,
    })
}

/// What is done with each view. As in Feast one permission has to allow both.
fn actions(to: To) -> Vec<PermissionAction> {
    let offline = to.offline().then_some(PermissionAction::WriteOffline);
    let online = to.online().then_some(PermissionAction::WriteOnline);
    offline.into_iter().chain(online).collect()
}

/// The report on rows that are none: an empty frame has no columns, either.
fn nothing(store: &FeatureStore, request: Request<'_>, fed: Fed) -> PushReport {
    PushReport {
        format_version: PushReport::FORMAT_VERSION,
        project: store.project().to_owned(),
        source: request.source.to_owned(),
        to: request.to,
        rows: 0,
        views: Vec::new(),
        sent: None,
        left_out: fed.left_out,
        added: None,
        ignored_columns: Vec::new(),
    }
}

/// The problem with what was done before it came.
fn after(problem: Problem, written: &[ViewReport]) -> Problem {
    if written.is_empty() {
        return problem;
    }
    let views: Vec<String> = written.iter().map(|report| format!("`{}`", report.view)).collect();
    let message = format!("{}; the online values of {} are written already", problem.message, views.join(", "));
    Problem { message, ..problem }
}
