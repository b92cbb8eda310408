use serde_json::{Value, json};

use super::{
    CommandError, Context,
    exit::{self, Exit},
    skipped_checks::SkippedChecks,
};
use crate::{
    app::drift::drift,
    drift::{Area, Finding},
};

/// Show where definitions, registry, sources and online store have drifted apart
///
/// Changes nothing. For cron: the exit code says whether somebody has to look.
#[derive(Debug, clap::Args)]
#[command(after_help = format!(
    "Examples:\n  feastr drift --quiet || mail -s drift team@example.com\n  \
     feastr drift --json | jq -r '.findings[] | select(.drift) | .kind'\n\n{}",
    exit::listed(&[(Exit::Done, "no drift"), (Exit::Failed, "error"), (Exit::Changes, "drift")]),
))]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, context: &Context) -> Result<Exit, CommandError> {
    let printer = context.printer;
    let store = context.store()?;
    let repo = context.repo(&store, SkippedChecks { skip_source_validation: true, ..SkippedChecks::default() })?;
    let findings = drift(&store, &context.caller(), &repo)?;
    let has_drifted = findings.iter().any(|finding| finding.kind.is_drift());
    if printer.json {
        printer.json(&json!({
            "project": repo.project(),
            "drift": has_drifted,
            "findings": findings.iter().map(as_json).collect::<Vec<_>>(),
        }))?;
    } else {
        printer.result(draw(&findings))?;
        if !has_drifted {
            printer.result_line("No drift")?;
        }
    }
    Ok(if has_drifted { Exit::Changes } else { Exit::Done })
}

fn as_json(finding: &Finding) -> Value {
    json!({
        "area": finding.kind.area(),
        "kind": finding.kind,
        "drift": finding.kind.is_drift(),
        "object": finding.object,
        "message": finding.message,
    })
}

/// A line per finding, below what is compared.
fn draw(findings: &[Finding]) -> String {
    let mut text = String::new();
    for (area, title) in [
        (Area::Definitions, "Registry and definitions"),
        (Area::Sources, "Sources and registered views"),
        (Area::OnlineStore, "Online store and registry"),
    ] {
        let lines = findings.iter().filter(|finding| finding.kind.area() == area);
        let lines: String = lines
            .map(|finding| {
                let note = if finding.kind.is_drift() { "" } else { " (no drift)" };
                format!("  {} {}{note}\n", finding.object, finding.message)
            })
            .collect();
        if !lines.is_empty() {
            text.push_str(&format!("{title}:\n{lines}\n"));
        }
    }
    text
}
