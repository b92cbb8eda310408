use clap::Subcommand;
use serde_json::{Value, json};

use super::{CommandError, Context, Exit, exit::listed};
use crate::{
    app::engine_check::{Found, check},
    offline::{Cancel, EngineCheck, EngineReport, EngineStep},
    ui::{EngineProgress, Table, advice},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Connect to the engine and try the smallest query of each kind that feastr will ask of it
    ///
    /// The answers of queries are known and compared. With a `staging_location` in the settings the engine also writes a
    /// small folder there, which is removed. Nothing else is written, and no source is read.
    #[command(after_help = format!(
        "Examples:\n  feastr engine check\n  SPARK_REMOTE=sc://localhost:15002 feastr engine check\n  feastr engine check \
         --json | jq '.checks[] | select(.error)'\n\n{}",
        listed(&[(Exit::Done, "it can do everything"), (Exit::Failed, "it cannot do something, or is away")]),
    ))]
    Check(Args),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(command: &Command, context: &Context) -> Result<Exit, CommandError> {
    let Command::Check(Args {}) = command;
    let printer = context.printer;
    let store = context.store()?;
    let cancel = Cancel::default();
    #[cfg(unix)]
    super::signals::call_off_engine(&store, &cancel);
    let progress = EngineProgress::new(printer);
    let found = check(&store, &context.caller(), &cancel, &|step| match step {
        EngineStep::Begun(name) => progress.begin(name),
        EngineStep::Tasks(tasks) => progress.count((tasks.done, tasks.known), tasks.bytes),
    });
    drop(progress);
    let Found { report, left } = found?;
    for warning in &report.warnings {
        printer.warn(warning);
    }
    if let Some(folder) = &left {
        printer.warn(format_args!("{folder} cannot be removed from here: remove it, it holds nothing of use"));
    }
    if printer.json {
        printer.json(&as_json(&report, left.as_deref()))?;
    } else {
        printer.result(draw(&report))?;
    }
    let problems: Vec<_> = report.checks.iter().filter_map(|check| Some((check, check.problem.as_ref()?))).collect();
    for (check, problem) in &problems {
        printer.error(format_args!("{}: {}", check.name, problem.message));
        problem.advice.iter().for_each(|found| printer.help(advice(found)));
    }
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Failed })
}

/// The server, and what was tried.
fn draw(report: &EngineReport) -> String {
    let mut table = Table::new(["CHECK", "WHAT", "RESULT", "TIME"]);
    for check in &report.checks {
        let result = if check.problem.is_none() { "ok" } else { "failed" };
        table.row([check.name.to_owned(), check.what.to_owned(), result.to_owned(), milliseconds(check)]);
    }
    format!("{} at {}\n\n{table}", server(report), report.address)
}

fn server(report: &EngineReport) -> String {
    report.version.as_ref().map_or_else(
        || "Not Spark, but a server that speaks its protocol,".to_owned(),
        |version| format!("Spark {version}"),
    )
}

fn milliseconds(check: &EngineCheck) -> String {
    format!("{} ms", check.latency.as_millis())
}

fn as_json(report: &EngineReport, left: Option<&str>) -> Value {
    let check = |check: &EngineCheck| {
        json!({
            "name": check.name,
            "milliseconds": u64::try_from(check.latency.as_millis()).unwrap_or(u64::MAX),
            "error": check.problem,
        })
    };
    json!({
        "address": report.address,
        "spark_version": report.version,
        "warnings": report.warnings,
        "checks": report.checks.iter().map(check).collect::<Vec<_>>(),
        "missing_functions": report.missing_functions,
        "left": left,
    })
}
