use std::process::ExitCode;

use super::{CommandError, Context};
use crate::{
    materialize::{self, Outcome, Range, RunReport, Stores},
    model::{Interval, Timestamp},
    registry::state,
    ui::{MaterializeView, Verbosity, draw_report},
};

/// Write the newest values of a time range to the online store
///
/// START and END belong to the range. Values in the store that are newer stay.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  feastr materialize 2026-01-01 2026-01-31\n  feastr materialize -7d now \
                        --views driver_hourly_stats\n\nTimes are ISO 8601, `now`, or relative such as -7d; without a \
                        zone they are UTC.")]
pub struct RangeArgs {
    #[arg(allow_hyphen_values = true)]
    start: String,
    #[arg(allow_hyphen_values = true)]
    end: String,
    #[command(flatten)]
    common: CommonArgs,
}

/// Write the newest values since the last time to the online store
///
/// Each view starts where its last materialization ended; the first time, END minus its ttl.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  feastr materialize-incremental now\n  feastr materialize-incremental \
                        2026-01-31T12:00:00 --views driver_hourly_stats")]
pub struct IncrementalArgs {
    #[arg(allow_hyphen_values = true)]
    end: String,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, clap::Args)]
struct CommonArgs {
    /// Only these views
    #[arg(long, short = 'v', value_name = "VIEW", num_args = 1.., value_delimiter = ',')]
    views: Vec<String>,
}

pub fn run_range(args: &RangeArgs, context: &Context) -> Result<ExitCode, CommandError> {
    let interval = Interval { start: moment(&args.start, context)?, end: moment(&args.end, context)? };
    run(Range::Fixed(interval), &args.common, context)
}

pub fn run_incremental(args: &IncrementalArgs, context: &Context) -> Result<ExitCode, CommandError> {
    run(Range::Until(moment(&args.end, context)?), &args.common, context)
}

fn moment(text: &str, context: &Context) -> Result<Timestamp, CommandError> {
    Timestamp::parse(text, context.now).map_err(|error| CommandError::new(error.to_string(), None))
}

fn run(range: Range, args: &CommonArgs, context: &Context) -> Result<ExitCode, CommandError> {
    let printer = context.printer;
    let config = context.config()?;
    let registry = context.registry()?;
    let online = context.required_online()?;
    let offline = context.offline()?;
    let registered = state(&registry.snapshot(&config.project)?);
    if registered.objects.is_empty() {
        return Err(CommandError::new(
            format!("project {} is not in the registry {}", config.project, registry.location()),
            "run `feastr apply` first".to_owned(),
        ));
    }
    let (runs, left_out) = materialize::plan_runs(&registered, &args.views, range)?;
    for foreign in &left_out {
        printer.warn(format_args!("{} is left out: {}", foreign.id, foreign.reason));
    }
    let stores = Stores {
        project: &config.project,
        registry: registry.as_ref(),
        offline: offline.as_ref(),
        online: online.as_ref(),
        clock: &Timestamp::now,
    };
    let mut view = MaterializeView::new(printer);
    let views = materialize::run(&stores, runs, &mut |event| view.show(event));
    let report = RunReport { views, left_out };
    if printer.json {
        printer.json(&report)?;
    } else if printer.verbosity > Verbosity::Quiet {
        printer.result(draw_report(&report, printer.out))?;
    }
    finish(&report, context)
}

fn finish(report: &RunReport, context: &Context) -> Result<ExitCode, CommandError> {
    for view in &report.views {
        if let Outcome::Failed { message, help } = &view.outcome {
            context.printer.error(format_args!("{}: {message}", view.view));
            if let Some(help) = help {
                context.printer.help(help);
            }
        }
    }
    if report.failed() == 0 { Ok(ExitCode::SUCCESS) } else { Err(CommandError::Reported) }
}
