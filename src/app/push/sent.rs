//! Rows for the feature server that has the online store.

use crate::{
    diagnostics::counted,
    online::FeatureServer,
    problem::Problem,
    push::{Newest, Outgoing, Sent},
};

/// Sends the newest rows of views, part by part.
///
/// # Errors
/// When the server does not take them; some may be stored then.
pub(super) fn send(server: &dyn FeatureServer, source: &str, pushed: &[&Newest<'_>]) -> Result<Sent, Problem> {
    let rows = Outgoing::of(pushed)?;
    let views = pushed.iter().map(|newest| newest.view().name.clone()).collect();
    let (name, out_of_range) = (server.name().to_owned(), rows.out_of_range);
    let mut sent = Sent { server: name, rows: 0, views, out_of_range };
    for part in rows.parts() {
        let count = part.first().map_or(0, |(_, values)| values.len());
        server.push(source, part).map_err(|problem| before(problem, &sent))?;
        sent.rows += count as u64;
    }
    Ok(sent)
}

/// The problem with what was sent before it came.
pub(super) fn before(problem: Problem, sent: &Sent) -> Problem {
    if sent.rows == 0 {
        return problem;
    }
    let rows = counted(sent.rows, "row");
    Problem { message: format!("{}; it has {rows} already, and takes them again", problem.message), ..problem }
}
