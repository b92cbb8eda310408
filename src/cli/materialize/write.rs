use std::sync::Arc;

use super::show;
use crate::{
    app::materialize::{Written, write_shard},
    cli::{CommandError, Context, Exit, exit::listed},
    diagnostics::counted,
    materialize::{Shard, ShardReport},
    registry::LOCK_TIMEOUT,
    ui::MaterializeView,
};

/// Write the values of a shard of a run to the online store
///
/// `feastr materialize START END --views VIEW --shards N` begins a run and names it. Its shards can be written in any order, on any
/// machine that reaches the files and the stores, and again; who writes the last one records the range as materialized and removes
/// the files. The engine is not asked.
#[derive(Debug, clap::Args)]
#[command(after_help = format!(
    "Examples:\n  feastr materialize write 5f1f3e0c-1b1f-4c3a-9a44-0e0f6c1f7a10 --shard 0/16\n  \
     feastr materialize write \"$RUN\" --shard \"$JOB_COMPLETION_INDEX\"      In an indexed Job of Kubernetes\n\n{}",
    listed(&[(Exit::Done, "written, now or before"), (Exit::Failed, "error, or shards have to be written again")]),
))]
pub(crate) struct Args {
    /// The run
    run: String,
    /// Which shard, from 0, and of how many: 3/16, or 3
    #[arg(long, value_name = "I/N", value_parser = shard)]
    shard: Shard,
}

/// A shard as it is written.
fn shard(text: &str) -> Result<Shard, String> {
    let (index, of) = text.split_once('/').map_or((text, None), |(index, of)| (index, Some(of)));
    let number = |text: &str| text.parse::<u32>().map_err(|_| format!("`{text}` is no number; write 3/16"));
    let (index, of) = (number(index)?, of.map(number).transpose()?);
    match of {
        Some(of) if index >= of => {
            Err(format!("shards are counted from 0: of {of} the last one is {}", of.saturating_sub(1)))
        }
        of => Ok(Shard { index, of }),
    }
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let printer = context.printer;
    let view = Arc::new(MaterializeView::new(printer));
    let shown = Arc::clone(&view);
    let store = context.store_observed(LOCK_TIMEOUT, move |event| show(&shown, event))?;
    let written = write_shard(&store, &context.caller(), &args.run, args.shard);
    view.finish();
    let report = match written? {
        Written::Now(report) => report,
        Written::Before { finished } => {
            if printer.json {
                printer.json(&serde_json::json!({ "run": args.run, "complete": true, "finished": finished }))?;
            } else {
                printer.say(format_args!("Run {} was done at {finished}", args.run));
            }
            return Ok(Exit::Done);
        }
    };
    if printer.json {
        printer.json(&report)?;
    } else {
        printer.say(said(&report));
    }
    if report.again.is_empty() {
        return Ok(Exit::Done);
    }
    let again: Vec<String> = report.again.iter().map(u32::to_string).collect();
    let again = again.join(", ");
    Err(CommandError::new(
        format!(
            "a server of the online store was started again or replaced, so that values of shards may be lost: {again}"
        ),
        "write these shards again: values that are there are left as they are".to_owned(),
    ))
}

/// What became of a shard, in a line.
fn said(report: &ShardReport) -> String {
    let ShardReport { view, shard, shards, counts, .. } = report;
    let rows = counted(counts.written, "row");
    let older = if counts.skipped > 0 { format!(", {} older", counts.skipped) } else { String::new() };
    let run = match report.complete {
        true => format!("the run is done until {}", report.interval.end),
        false => format!("{} of {} shards are done", shards.done, shards.of),
    };
    format!("{view}, shard {shard}: {rows}{older} in {:.1} s; {run}", report.seconds)
}
