use super::{Style, Table};
use crate::materialize::{Outcome, RunReport, ViewForecast};

/// The outcome of a materialization, as a table.
pub fn draw(report: &RunReport, style: Style) -> String {
    let mut table = Table::new(["VIEW", "FROM", "TO", "READ", "WRITTEN", "OLDER", "SECONDS", "OUTCOME"]);
    for view in &report.views {
        let outcome = match &view.outcome {
            Outcome::Done if view.counts.read == 0 => style.good("nothing new"),
            Outcome::Done => style.good("done"),
            Outcome::Open(_) => style.notice("open"),
            Outcome::Failed(_) => style.bad("failed"),
            Outcome::NotStarted => style.bad("not started"),
        };
        table.row([
            view.view.clone(),
            view.interval.start.to_string(),
            view.interval.end.to_string(),
            view.counts.read.to_string(),
            view.counts.written.to_string(),
            view.counts.skipped.to_string(),
            format!("{:.1}", view.seconds),
            outcome,
        ]);
    }
    table.to_string()
}

/// What a materialization would do, as a table.
pub fn draw_forecast(views: &[ViewForecast], style: Style) -> String {
    let mut table = Table::new(["VIEW", "FROM", "TO", "ROWS", "ENTITIES"]);
    for view in views {
        for chunk in &view.chunks {
            table.row([
                view.view.clone(),
                chunk.interval.start.to_string(),
                chunk.interval.end.to_string(),
                chunk.rows.to_string(),
                format!("about {}", chunk.entities),
            ]);
        }
        if let Some(problem) = &view.problem {
            table.row([view.view.clone(), style.bad("would fail"), problem.clone()]);
        }
    }
    table.to_string()
}
