use super::{Style, Table};
use crate::materialize::{Outcome, RunReport};

/// What became of a materialization, as a table.
pub fn draw(report: &RunReport, style: Style) -> String {
    let mut table = Table::new(["VIEW", "FROM", "TO", "WRITTEN", "OLDER", "SECONDS", "OUTCOME"]);
    for view in &report.views {
        let outcome = match &view.outcome {
            Outcome::Done => style.good("done"),
            Outcome::Failed { .. } => style.bad("failed"),
        };
        table.row([
            view.view.clone(),
            view.interval.start.to_string(),
            view.interval.end.to_string(),
            view.written.to_string(),
            view.skipped.to_string(),
            format!("{:.1}", view.seconds),
            outcome,
        ]);
    }
    table.to_string()
}
