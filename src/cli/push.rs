use std::path::PathBuf;

use clap::{ValueEnum, builder::PossibleValue};

use super::{CommandError, Context, entities, exit, exit::Exit};
use crate::{
    app::push::{Request, push},
    diagnostics::counted,
    push::{PushReport, Sent, To},
    ui::{Printer, Table, Verbosity},
};

/// Write rows that you have to the views that a push source feeds
///
/// All rows are checked for all views first: columns, types, join keys, times. Then the newest row of each entity goes to the
/// online store, where a newer one stays, and with `--to offline` all of them go into new files beside those of the
/// source, or into its table. What is reported is stored; a run that was cut off can be done again.
#[derive(Debug, clap::Args)]
#[command(after_help = format!(
    "Examples:\n  feastr push driver_stats_push_source --input rows.parquet\n  \
     echo '{{\"driver_id\": 1001, \"event_timestamp\": \"2026-01-31T12:00:00Z\", \"created\": \"2026-01-31T12:00:05Z\", \
     \"conv_rate\": 0.9, \"acc_rate\": 0.8, \"avg_daily_trips\": 7}}' |\n    feastr push driver_stats_push_source --input -\n  \
     feastr push driver_stats_push_source --input rows.csv --to online_and_offline --json\n\n{}",
    exit::listed(&[
        (Exit::Done, "done"),
        (Exit::Failed, "error"),
        (Exit::Refused, "refused: a row is in the future"),
    ]),
))]
pub(crate) struct Args {
    /// The push source
    source: String,
    /// The rows: a parquet, CSV, JSON-lines or Arrow file, or - for stdin. Columns have the names that the source has for
    /// them, or those that its field_mapping gives them
    #[arg(long, short, value_name = "FILE")]
    input: PathBuf,
    /// Where the rows go
    #[arg(long, value_name = "STORE", default_value_t)]
    to: To,
    /// Let rows be in the future: until then no other value of their entities replaces them
    #[arg(long)]
    allow_future: bool,
}

impl ValueEnum for To {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Online => "The newest of each entity to the online store",
            Self::Offline => "All of them to the batch source of the push source",
            Self::OnlineAndOffline => "Both",
        };
        Some(PossibleValue::new(self.as_str()).help(help))
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let (store, caller, printer) = (context.store()?, context.caller(), context.printer);
    let rows = entities::of_file(&args.input, context)?;
    let request = Request {
        source: &args.source,
        rows: &rows,
        to: args.to,
        allow_future: args.allow_future,
        compute: true,
        look: false,
    };
    let report = push(&store, &caller, request)?;
    if printer.json {
        printer.json(&report)?;
    } else {
        show(&report, rows.shown(), printer)?;
    }
    Ok(Exit::Done)
}

fn show(report: &PushReport, shown: &str, printer: Printer) -> Result<(), CommandError> {
    if !report.ignored_columns.is_empty() {
        let columns = report.ignored_columns.join(", ");
        printer.say(format_args!("{shown}: columns that nobody needs are ignored: {columns}"));
    }
    for left in &report.left_out {
        printer.warn(format_args!("view {} is left out: {}", left.view, left.reason));
    }
    for view in report.views.iter().filter(|view| view.out_of_range > 0) {
        let values = counted(view.out_of_range, "value");
        printer.warn(format_args!("{}: {values} out of the range of the declared type, written as null", view.view));
    }
    if report.rows == 0 {
        printer.warn(format_args!("{shown} has no rows; nothing was written"));
    }
    if let Some(Sent { server, rows, views, out_of_range }) = &report.sent {
        if *out_of_range > 0 {
            let values = counted(*out_of_range, "value");
            printer.warn(format_args!("{values} out of the range of the declared type, sent as null"));
        }
        if *rows > 0 {
            let rows = counted(*rows, "row");
            let views = views.join(", ");
            printer.say(format_args!("Sent {rows}, the newest of each entity, to {server} for {views}"));
        }
    }
    if printer.verbosity > Verbosity::Quiet && !report.views.is_empty() {
        printer.result(draw(report))?;
    }
    if let Some(added) = &report.added {
        let rows = counted(added.rows, "row");
        let places = added.table.iter().map(|table| format!("table {table}")).chain(added.files.iter().cloned());
        let places = places.chain(added.server.clone()).collect::<Vec<_>>().join(", ");
        printer.say(format_args!("Added {rows} to data source {}: {places}", added.source));
    }
    Ok(())
}

fn draw(report: &PushReport) -> Table {
    let mut table = Table::new(["VIEW", "ROWS", "WRITTEN", "OLDER"]);
    for view in &report.views {
        let counts = [report.rows, view.written, view.older].map(|count| count.to_string());
        table.row([view.view.clone()].into_iter().chain(counts));
    }
    table
}
