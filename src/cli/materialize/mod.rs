//! `feastr materialize` and `materialize-incremental`: from arguments to an interval, and how a run ends the command.

mod give_up;
mod history;
mod outputs;
mod write;

use std::{num::NonZeroUsize, path::PathBuf, sync::Arc, time::Duration};

use clap::Subcommand;

use super::{
    CommandError, Context,
    entities::{INDEX, of_index},
    exit::{self, Exit},
    lock_timeout::lock_timeout,
    output_file::output_file,
    signals,
};
use crate::{
    app::{
        self,
        materialize::{Materialization, Request, ServerRun, WhoseValues, by_server},
    },
    config::SparkConfig,
    diagnostics::counted,
    materialize::{Event, Outcome, Range, RunReport, ViewForecast},
    model::{Interval, Timestamp, Ttl},
    offline::Cancel,
    online::Replace,
    ui::{MaterializeView, Verbosity, advice, draw_forecast, draw_report},
};

/// Write the newest values of a time range to the online store
///
/// START and END belong to the range. Values in the store that are newer stay, unless --overwrite is
/// given. A run can be cut off at any moment and started again: nothing is lost or half recorded.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = format!(
        "Examples:\n  feastr materialize 2026-01-01 2026-01-31\n  \
         feastr materialize -7d now --views driver_hourly_stats\n  \
         feastr materialize 2025-01-01 2026-01-01 --chunk 7d --jobs 4\n  \
         feastr materialize -7d now --dry-run\n  \
         feastr materialize -30d now --entities-from index:driver\n  feastr materialize history driver_hourly_stats\n  \
         feastr materialize -7d now --views driver_hourly_stats --shards 16\n\n\
         Times are ISO 8601, `now`, or relative such as -7d; without a zone they are UTC.\n\n{}",
        exit_codes(),
    )
)]
pub(crate) struct RangeArgs {
    /// The first moment of the range, such as 2026-01-01 or -7d
    #[arg(allow_hyphen_values = true, required = true)]
    start: Option<String>,
    /// The last moment of the range, such as 2026-01-31T12:00:00 or now
    #[arg(allow_hyphen_values = true, required = true)]
    end: Option<String>,
    /// Only entities that a view, or a data source, has in the range, or with index:ENTITY those that the index of entities
    /// knows. The range is not recorded as materialized, because it is not for all
    #[arg(long, value_name = "VIEW|SOURCE|index:ENTITY", value_parser = whose, conflicts_with = "shards")]
    entities_from: Option<WhoseValues>,
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    History(history::Args),
    Write(write::Args),
    GiveUp(give_up::Args),
}

/// Write the newest values since the last time to the online store
///
/// Each view starts where its last materialization ended; the first time END minus its ttl, or, if it
/// has no ttl, at the first event of its source. Made for cron: without new data it is done at once,
/// and a run that finds another one at work waits for it.
#[derive(Debug, clap::Args)]
#[command(after_help = format!(
    "Examples:\n  feastr materialize-incremental now\n  \
     feastr materialize-incremental 2026-01-31T12:00:00 --views driver_hourly_stats\n  \
     feastr materialize-incremental now --chunk 1d                Catch up day by day\n  \
     feastr materialize-incremental now --quiet --metrics-file /var/lib/node_exporter/feastr.prom\n\n{}",
    exit_codes(),
))]
pub(crate) struct IncrementalArgs {
    /// The last moment to write, such as now or 2026-01-31T12:00:00
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
    /// Write the range in parts of this length, such as 1d, each recorded when it is done: an
    /// incremental run that was cut off continues after the last one
    #[arg(long, value_name = "TIME", value_parser = chunk)]
    chunk: Option<i64>,
    /// Replace stored values also where they are newer
    #[arg(long)]
    overwrite: bool,
    /// Divide the work into N shards: the engine writes the newest rows of the view to files below its `staging_location`, and
    /// `feastr materialize write RUN --shard I/N` writes those of a shard, from 0 on, on as many machines as are wanted. Worth
    /// it with several Redis masters: one feastr fills one
    #[arg(long, value_name = "N", conflicts_with = "chunk", value_parser = clap::value_parser!(u32).range(1..=256))]
    shards: Option<u32>,
    /// Views to materialize at a time
    #[arg(long, short, value_name = "N", default_value = "1")]
    jobs: NonZeroUsize,
    /// Begin no further view after one has failed
    #[arg(long)]
    fail_fast: bool,
    /// Show what would be read, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Let END lie in the future; incremental runs then begin there, and skip what comes until then
    #[arg(long)]
    allow_future: bool,
    /// How long to wait for another run on the same view, such as 30s or 5m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = lock_timeout)]
    lock_timeout: Duration,
    /// Write what was done as JSON
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run", value_parser = output_file)]
    report: Option<PathBuf>,
    /// Write metrics as OpenMetrics text, for the textfile collector of Prometheus' node exporter
    /// (which wants names that end with .prom); one file for each cron job
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run", value_parser = output_file)]
    metrics_file: Option<PathBuf>,
}

/// The exit codes of both commands.
fn exit_codes() -> String {
    exit::listed(&[
        (Exit::Done, "done"),
        (Exit::Failed, "error or a view failed"),
        (Exit::Refused, "refused: END is in the future"),
    ])
}

/// A duration as definitions write it, in microseconds.
fn chunk(text: &str) -> Result<i64, String> {
    let length: Ttl = text.parse().map_err(|_| format!("`{text}` is not a duration; write 1h, 1d or 1w"))?;
    length.limit().ok_or_else(|| "a chunk takes some time; write 1h, 1d or 1w".to_owned())
}

/// Whose values are to be written.
fn whose(text: &str) -> Result<WhoseValues, String> {
    Ok(match text.strip_prefix(INDEX) {
        Some(names) => WhoseValues::Index(of_index(names)),
        None => WhoseValues::From(text.to_owned()),
    })
}

pub(crate) fn run_range(args: &RangeArgs, context: &Context) -> Result<Exit, CommandError> {
    match (&args.command, &args.start, &args.end) {
        (Some(Command::History(args)), _, _) => history::run(args, context),
        (Some(Command::Write(args)), _, _) => write::run(args, context),
        (Some(Command::GiveUp(args)), _, _) => give_up::run(args, context),
        (None, Some(start), Some(end)) => {
            let interval = Interval { start: moment(start, context)?, end: moment(end, context)? };
            let entities = args.entities_from.as_ref();
            Materialize { range: Range::Fixed(interval), entities, args: &args.common, context }.run()
        }
        _ => Err(CommandError::new("START and END are missing", None)),
    }
}

pub(crate) fn run_incremental(args: &IncrementalArgs, context: &Context) -> Result<Exit, CommandError> {
    let end = moment(&args.end, context)?;
    let range = if end == context.now { Range::UntilNow(end) } else { Range::Until(end) };
    Materialize { range, entities: None, args: &args.common, context }.run()
}

fn moment(text: &str, context: &Context) -> Result<Timestamp, CommandError> {
    Timestamp::parse(text, context.now).map_err(|error| CommandError::new(error.to_string(), None))
}

/// Shows what concerns materializations.
fn show(view: &MaterializeView, event: &app::Event<'_>) {
    match event {
        app::Event::Waiting(waiting) => {
            view.show(&Event::Waiting { lock: waiting.lock, holder: waiting.holder.to_string() });
        }
        app::Event::Materializing(event) => view.show(event),
        app::Event::Removed { .. } | app::Event::IgnoredColumns { .. } => {}
    }
}

/// A run with all that was said about it.
struct Materialize<'a> {
    range: Range,
    entities: Option<&'a WhoseValues>,
    args: &'a CommonArgs,
    context: &'a Context,
}

impl Materialize<'_> {
    fn run(&self) -> Result<Exit, CommandError> {
        outputs::check(self.args.report.as_deref(), self.args.metrics_file.as_deref(), self.context)?;
        let view = Arc::new(MaterializeView::new(self.context.printer));
        let shown = Arc::clone(&view);
        let store = self.context.store_observed(self.args.lock_timeout, move |event| show(&shown, event))?;
        let caller = self.context.caller();
        if store.feature_server().is_some() {
            self.check_flags()?;
        }
        if let Some(run) = by_server(&store, &caller, self.request())? {
            return self.finish_by_server(&run);
        }
        let materialization = Materialization::plan(&store, &caller, self.request())?;
        for foreign in &materialization.left_out {
            let message = format!("{} is left out: {}", foreign.id, foreign.reason);
            view.show(&Event::Warning { message, help: None });
        }
        if materialization.views() == 0 {
            let message = "there is no view to write: none that may be seen is enabled and served online".to_owned();
            view.show(&Event::Warning { message, help: None });
        }
        if self.args.dry_run {
            let views = materialization.forecast()?;
            return self.show_forecast(&views, store.config().engine());
        }
        if let Some(whose) = self.entities {
            let message = format!("only {whose} are written, and the range is not recorded as materialized");
            view.show(&Event::Warning { message, help: None });
        }
        view.expect(materialization.views());
        let cancel = Cancel::default();
        #[cfg(unix)]
        signals::call_off_engine(&store, &cancel);
        let report = materialization.run(&cancel)?;
        view.finish();
        self.finish(&report)
    }

    fn request(&self) -> Request<'_> {
        Request {
            views: &self.args.views,
            range: self.range,
            allow_future: self.args.allow_future,
            chunk: self.args.chunk,
            replace: if self.args.overwrite { Replace::Everything } else { Replace::Outdated },
            jobs: self.args.jobs.get(),
            shards: self.args.shards,
            fail_fast: self.args.fail_fast,
            entities: self.entities,
        }
    }

    /// What is known of a run only where it is carried out.
    fn check_flags(&self) -> Result<(), CommandError> {
        let flag = match () {
            () if self.args.dry_run => "--dry-run",
            () if self.args.shards.is_some() => "--shards",
            () if self.args.report.is_some() => "--report",
            () if self.args.metrics_file.is_some() => "--metrics-file",
            () if self.entities.is_some() => "--entities-from",
            () => return Ok(()),
        };
        let message =
            format!("{flag} does not go together with an online store of type remote: its server materializes");
        Err(CommandError::new(
            message,
            "leave it out, or materialize where `online_store` is the store itself".to_owned(),
        ))
    }

    fn finish_by_server(&self, run: &ServerRun) -> Result<Exit, CommandError> {
        let printer = self.context.printer;
        if printer.json {
            printer.json(run)?;
        } else {
            let views = if run.views.is_empty() { "all views".to_owned() } else { run.views.join(", ") };
            let took = (run.finished.micros() - run.started.micros()) / 1_000_000;
            printer.say(format_args!("Materialized {views} by {} in {took} s", run.server));
        }
        Ok(Exit::Done)
    }

    fn show_forecast(&self, views: &[ViewForecast], engine: Option<&SparkConfig>) -> Result<Exit, CommandError> {
        let printer = self.context.printer;
        if printer.json {
            printer.json(&serde_json::json!({ "views": views }))?;
        } else {
            printer.result(draw_forecast(views, printer.out))?;
            self.say_where(engine);
        }
        let fails = views.iter().any(|view| view.problem.is_some());
        Ok(if fails { Exit::Failed } else { Exit::Done })
    }

    /// Says what an engine would do, and what is done here.
    fn say_where(&self, engine: Option<&SparkConfig>) {
        let Some(engine) = engine else { return };
        let printer = self.context.printer;
        let address = engine.address.as_ref().map_or_else(|| "no address".to_owned(), ToString::to_string);
        match (self.args.shards, &engine.staging_location) {
            (None, _) => printer.say(format_args!("The newest rows are found by the engine at {address}, and written from here")),
            (Some(_), None) => printer.warn("the engine has no `staging_location`, where it could write files for shards"),
            (Some(shards), Some(staging)) => printer.say(format_args!(
                "The newest rows are found by the engine at {address}, which writes them to files below {staging}; {shards} \
                 workers write those, which is worth it where the online store is more than one can fill, such as several masters of Redis"
            )),
        }
    }

    /// Says in every way that was asked for what was done.
    fn finish(&self, report: &RunReport) -> Result<Exit, CommandError> {
        let printer = self.context.printer;
        if printer.json {
            printer.json(report)?;
        } else if printer.verbosity > Verbosity::Quiet {
            printer.result(draw_report(report, printer.out))?;
        }
        for view in report.views.iter().filter(|view| view.counts.ties > 0) {
            if printer.verbosity >= Verbosity::Verbose {
                let rows = counted(view.counts.ties, "row");
                printer.say(format_args!("{}: {rows} as new as another one, decided by the values", view.view));
            }
        }
        for view in &report.views {
            if let (Outcome::Open(open), false) = (&view.outcome, printer.json) {
                let (run, last) = (&open.run, open.shards - 1);
                printer.say(format_args!(
                    "Write each shard from 0 to {last}: feastr materialize write {run} --shard 0/{}",
                    open.shards
                ));
            }
            if let Outcome::Failed(problem) = &view.outcome {
                printer.error(format_args!("{}: {problem}", view.view));
                problem.advice.iter().for_each(|given| printer.help(advice(given)));
            }
        }
        if let Some(path) = &self.args.report {
            outputs::write_report(path, report, self.context)?;
        }
        if let Some(path) = &self.args.metrics_file {
            outputs::write_metrics(path, report, self.context)?;
        }
        if report.failed() == 0 { Ok(Exit::Done) } else { Err(CommandError::Reported) }
    }
}
