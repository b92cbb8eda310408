use std::num::NonZeroUsize;

use serde_json::{Value, json};

use crate::{
    app::history::{Request, Run, history},
    cli::{CommandError, Context, Exit},
    model::{RunRecord, RunState, Timestamp},
    ui::{Style, Table},
};

/// Show past runs of materialize and materialize-incremental
///
/// The newest come first. The registry keeps the last 500 of each view; Python Feast's runs are not
/// among them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  feastr materialize history\n  feastr materialize history driver_hourly_stats \
                        --limit 5\n  feastr materialize history --json | jq '.[] | select(.state == \"failed\")'")]
pub(crate) struct Args {
    /// Only these views
    #[arg(value_name = "VIEW")]
    views: Vec<String>,
    /// How many runs to show at most
    #[arg(long, short = 'n', value_name = "N", default_value = "20")]
    limit: NonZeroUsize,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let printer = context.printer;
    let request = Request { views: &args.views, limit: args.limit.get() };
    let runs = history(&context.store()?, &context.caller(), request)?;
    if printer.json {
        printer.json(&runs.iter().map(as_json).collect::<Vec<_>>())?;
    } else if runs.is_empty() {
        printer.say("No run of feastr is in the history");
    } else {
        printer.result(draw(&runs, printer.out))?;
    }
    Ok(Exit::Done)
}

/// Seconds from start to end, of runs that have ended.
fn seconds(run: &RunRecord) -> Option<f64> {
    let (RunState::Done { finished } | RunState::Failed { finished, .. }) = &run.state else { return None };
    let millis = finished.micros().saturating_sub(run.started.micros()) / 1_000;
    i32::try_from(millis).ok().map(|millis| f64::from(millis) / 1e3)
}

fn outcome(run: &Run) -> (&'static str, &str) {
    match &run.record.state {
        RunState::Started if run.goes_on => ("running", ""),
        RunState::Started if run.record.shards.is_some() => ("open", ""),
        RunState::Started => ("interrupted", ""),
        RunState::Done { .. } => ("done", ""),
        RunState::Failed { message, .. } => ("failed", message),
    }
}

fn as_json(run: &Run) -> Value {
    let ((state, message), run) = (outcome(run), &run.record);
    json!({
        "run": run.id,
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
        "shards": run.shards,
        "message": Some(message).filter(|message| !message.is_empty()),
        "by": run.by,
    })
}

fn draw(runs: &[Run], style: Style) -> String {
    let mut table =
        Table::new(["STARTED", "VIEW", "FROM", "TO", "READ", "WRITTEN", "OLDER", "SECONDS", "OUTCOME", "BY"]);
    // Whole seconds are enough for a table.
    let second = |moment: Timestamp| Timestamp::from_micros(moment.seconds().saturating_mul(1_000_000)).to_string();
    for run in runs {
        let ((state, message), run) = (outcome(run), &run.record);
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
            match run.shards {
                Some(shards) if !ended => format!("{painted}: {} of {} shards of {}", shards.done, shards.of, run.id),
                _ if message.is_empty() => painted,
                _ => format!("{painted}: {message}"),
            },
            run.by.clone(),
        ]);
    }
    table.to_string()
}
