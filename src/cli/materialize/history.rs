use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    process::ExitCode,
};

use serde_json::{Value, json};

use crate::{
    cli::{CommandError, Context},
    diagnostics::did_you_mean,
    model::{RunRecord, RunState, Timestamp},
    registry::{Registry, state},
    ui::{Style, Table},
};

/// Show past runs of materialize and materialize-incremental
///
/// The newest come first. The registry keeps the last 500 of each view; Python Feast's runs are not
/// among them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  feastr materialize history\n  feastr materialize history driver_hourly_stats \
                        --limit 5\n  feastr materialize history --json | jq '.[] | select(.state == \"failed\")'")]
pub struct Args {
    /// Only these views
    #[arg(value_name = "VIEW")]
    views: Vec<String>,
    /// So many runs at most
    #[arg(long, short = 'n', value_name = "N", default_value = "20")]
    limit: NonZeroUsize,
}

pub fn run(args: &Args, context: &Context) -> Result<ExitCode, CommandError> {
    let printer = context.printer;
    let project = context.config()?.project;
    // Not a replica: that knows no locks, and so not which runs go on.
    let registry = context.registry()?;
    let runs = registry.runs(&project, &args.views, args.limit.get())?;
    check_names(&args.views, &runs, registry.as_ref(), &project)?;
    let going_on = going_on(&runs, registry.as_ref(), &project)?;
    if printer.json {
        let runs: Vec<Value> = runs.iter().map(|run| as_json(run, going_on.contains(&run.id))).collect();
        printer.json(&runs)?;
    } else if runs.is_empty() {
        printer.say("No run of feastr is in the history");
    } else {
        printer.result(draw(&runs, &going_on, printer.out))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether each view is registered, or was when it was materialized.
fn check_names(
    names: &[String],
    runs: &[RunRecord],
    registry: &dyn Registry,
    project: &str,
) -> Result<(), CommandError> {
    let in_history = |name: &String| runs.iter().any(|run| run.view == *name);
    if names.iter().all(in_history) {
        return Ok(());
    }
    let registered = state(&registry.snapshot(project)?);
    let ids = registered.objects.keys().chain(registered.foreign.iter().map(|foreign| &foreign.id));
    let views: Vec<&str> = ids.filter(|id| id.kind.is_view()).map(|id| id.name.as_str()).collect();
    for name in names.iter().filter(|name| !in_history(name) && !views.contains(&name.as_str())) {
        // Others may have filled the history up to its limit.
        if registry.runs(project, std::slice::from_ref(name), 1)?.is_empty() {
            return Err(CommandError::new(format!("there is no view `{name}`"), did_you_mean(name, views)));
        }
    }
    Ok(())
}

/// The runs that go on: of each view at most one, which has the view's lock. Others may have begun
/// after it, and were refused.
fn going_on(runs: &[RunRecord], registry: &dyn Registry, project: &str) -> Result<BTreeSet<String>, CommandError> {
    let mut without_end: BTreeMap<&str, Vec<&RunRecord>> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.state == RunState::Started) {
        without_end.entry(&run.view).or_default().push(run);
    }
    let mut going_on = BTreeSet::new();
    for (view, runs) in without_end {
        let Some(holder) = registry.view_holder(project, view)? else { continue };
        let run = match holder.who {
            // Databases may cut off long names.
            Some(who) if who.starts_with("materialize") => runs.into_iter().find(|run| run.by.starts_with(&who)),
            // Where a database does not tell the names of programs, it is most likely the newest.
            _ => runs.into_iter().next(),
        };
        going_on.extend(run.map(|run| run.id.clone()));
    }
    Ok(going_on)
}

/// Seconds from start to end, of runs that have ended.
fn seconds(run: &RunRecord) -> Option<f64> {
    let (RunState::Done { finished } | RunState::Failed { finished, .. }) = &run.state else { return None };
    let millis = finished.micros().saturating_sub(run.started.micros()) / 1_000;
    i32::try_from(millis).ok().map(|millis| f64::from(millis) / 1e3)
}

fn outcome(run: &RunRecord, goes_on: bool) -> (&'static str, &str) {
    match &run.state {
        RunState::Started if goes_on => ("running", ""),
        RunState::Started => ("interrupted", ""),
        RunState::Done { .. } => ("done", ""),
        RunState::Failed { message, .. } => ("failed", message),
    }
}

fn as_json(run: &RunRecord, goes_on: bool) -> Value {
    let (state, message) = outcome(run, goes_on);
    json!({
        "started": run.started,
        "view": run.view,
        "interval": run.interval,
        "read": run.counts.read,
        "written": run.counts.written,
        "skipped": run.counts.skipped,
        "without_key": run.counts.without_key,
        "without_time": run.counts.without_time,
        "out_of_range": run.counts.out_of_range,
        "future": run.counts.future,
        "seconds": seconds(run),
        "state": state,
        "message": Some(message).filter(|message| !message.is_empty()),
        "by": run.by,
    })
}

fn draw(runs: &[RunRecord], going_on: &BTreeSet<String>, style: Style) -> String {
    let mut table =
        Table::new(["STARTED", "VIEW", "FROM", "TO", "READ", "WRITTEN", "OLDER", "SECONDS", "OUTCOME", "BY"]);
    // Whole seconds are enough for a table.
    let second = |moment: Timestamp| Timestamp::from_micros(moment.seconds().saturating_mul(1_000_000)).to_string();
    for run in runs {
        let (state, message) = outcome(run, going_on.contains(&run.id));
        let (painted, ended) = match run.state {
            RunState::Done { .. } => (style.good(state), true),
            RunState::Failed { .. } => (style.bad(state), true),
            RunState::Started => (style.notice(state), false),
        };
        let count = |count: u64| if ended { count.to_string() } else { String::new() };
        let message = message.lines().next().unwrap_or_default();
        table.row([
            second(run.started),
            run.view.clone(),
            run.interval.start.to_string(),
            run.interval.end.to_string(),
            count(run.counts.read),
            count(run.counts.written),
            count(run.counts.skipped),
            seconds(run).map_or_else(String::new, |seconds| format!("{seconds:.1}")),
            if message.is_empty() { painted } else { format!("{painted}: {message}") },
            run.by.clone(),
        ]);
    }
    table.to_string()
}
