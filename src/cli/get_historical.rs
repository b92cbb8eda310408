use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{CommandError, Context, Exit, explain, join::JoinArgs, output::OutputArgs, read_notes, result_columns};
use crate::{
    app::get_historical::HistoricalJoin,
    diagnostics::counted,
    offline::{Cancel, Progress, ResultPlace, Tasks, WrittenResult},
    ui::{EngineProgress, JoinProgress, Printer, Steps},
};

/// Join features to entity rows as they were at each row's time
///
/// Every entity row comes back once, in its place, followed by the features; where no value was
/// valid at its time they are null. Who has no entity rows asks about everybody: in a range of time, or
/// at one time.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  feastr get-historical --entities rows.parquet --features driver_hourly_stats:conv_rate \
                        -o training.parquet\n  feastr get-historical --entities rows.csv --feature-service driver_activity_v2\n  \
                        cat rows.jsonl | feastr get-historical --entities - --feature-service driver_activity_v2 --format csv\n  \
                        feastr get-historical --features driver_hourly_stats:conv_rate --start 2026-01-01 --end 2026-02-01 \
                        -o january.parquet\n  feastr get-historical --features driver_hourly_stats:conv_rate --as-of now -o \
                        everybody.parquet\n  feastr get-historical --features driver_hourly_stats:conv_rate --entity driver_id=1001 \
                        --at now\n\n\
                        Entity rows have the join keys and a column `event_timestamp` (or one other timestamp), unless \
                        --at gives one time for all; times without a zone are UTC."
)]
pub(crate) struct Args {
    #[command(flatten)]
    join: JoinArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Show what would be read of which source, and the same in SQL; no features are read and nothing is written
    #[arg(long, conflicts_with = "dry_run")]
    explain: bool,
    /// Show the columns of the result and their types; no features are read and nothing is written
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let printer = context.printer;
    let (store, caller) = (context.store()?, context.caller());
    let (features, about) = (args.join.selection.request()?, args.join.about.about(context)?);
    let by_engine = args.output.of_engine()?;
    let join = HistoricalJoin::plan(&store, &caller, &features, args.join.filter_by_created_timestamp)?;
    let cancel = Cancel::default();
    #[cfg(unix)]
    super::signals::call_off_engine(&store, &cancel);
    let entities = join.entities(about, &cancel)?;
    if args.dry_run {
        let columns = join.columns(&entities)?;
        result_columns::show(&columns, printer)?;
        return Ok(Exit::Done);
    }
    if args.explain {
        explain::show(&join.explain(&entities)?, printer)?;
        return Ok(Exit::Done);
    }
    let began = Instant::now();
    if let Some(place) = by_engine {
        let progress = EngineProgress::new(printer);
        progress.begin("joining");
        let watch = |tasks: Tasks| progress.count((tasks.done, tasks.known), tasks.bytes);
        let written = join.write_by_engine(&entities, &place, (&cancel, &watch));
        drop(progress);
        return say_written(&written?, &place, began.elapsed(), printer);
    }
    let mut output = args.output.open(context)?;
    let progress = Arc::new(Progress::default());
    let watched = Arc::clone(&progress);
    let shown =
        JoinProgress::begin(printer, move || Steps { scanned: watched.scanned.get(), joined: watched.joined.get() });
    let joined = join.run(&entities, (&cancel, &progress), &mut output.sink);
    drop(shown);
    let (read, written) = output.finish(joined, printer)?;
    read_notes::say(read, printer);
    written.say(began.elapsed(), printer);
    Ok(Exit::Done)
}

/// Says what an engine has written.
fn say_written(
    written: &WrittenResult,
    place: &ResultPlace,
    took: Duration,
    printer: Printer,
) -> Result<Exit, CommandError> {
    if printer.json {
        printer.json(&match place {
            ResultPlace::Folder(folder) => json!({ "folder": folder, "rows": written.rows, "files": written.files }),
            ResultPlace::Table(table) => json!({ "table": table, "rows": written.rows }),
        })?;
        return Ok(Exit::Done);
    }
    let (rows, took) = (counted(written.rows, "row"), took.as_secs_f64());
    match place {
        ResultPlace::Folder(folder) => {
            let files = counted(written.files.len(), "file");
            printer.say(format_args!("The engine wrote {rows} to {folder} as {files} in {took:.1} s"));
        }
        ResultPlace::Table(table) => {
            printer.say(format_args!("The engine wrote {rows} to table {table} in {took:.1} s"))
        }
    }
    Ok(Exit::Done)
}
