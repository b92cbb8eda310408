use std::{
    io,
    path::{Path, PathBuf},
};

use super::{CommandError, Context, Exit, entities, output_format::OutputFormat, selection::SelectionArgs};
use crate::{
    app::get_historical::HistoricalJoin,
    diagnostics::counted,
    offline::{Cancel, HistoricalRead},
    sink::{SinkError, Target},
    ui::Verbosity,
};

/// Join features to entity rows as they were at each row's time
///
/// Every entity row comes back once, in its place, followed by the features; where no value was
/// valid at its time they are null.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  feastr get-historical --entities rows.parquet --features driver_hourly_stats:conv_rate \
                        -o training.parquet\n  feastr get-historical --entities rows.csv --feature-service driver_activity_v2\n  \
                        cat rows.jsonl | feastr get-historical --entities - --feature-service driver_activity_v2 --format csv\n\n\
                        The entity file has the join keys and a column `event_timestamp` (or one other timestamp); \
                        times without a zone are UTC."
)]
pub(crate) struct Args {
    #[command(flatten)]
    selection: SelectionArgs,
    /// Entity rows: a parquet, CSV or JSON-lines file, or - for stdin
    #[arg(long, value_name = "FILE")]
    entities: PathBuf,
    /// Use a feature row only if it was written (created) by the entity row's time
    #[arg(long)]
    filter_by_created_timestamp: bool,
    /// Where the result goes; the ending gives the format [default: the screen]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How the result is written [default: as the ending of the output says, else a table]
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let printer = context.printer;
    let (store, caller) = (context.store()?, context.caller());
    let join = HistoricalJoin::plan(&store, &caller, &args.selection.request()?)?;
    let format = output_format(args, printer.json)?;
    let entities = entities::of_file(&args.entities)?;
    let output = args.output.as_deref().filter(|path| *path != Path::new("-"));
    let target = match output {
        Some(path) => Target::file(path).map_err(|error| unwritable(path, &error))?,
        None => Target::stdout(),
    };
    let mut sink = format.sink(target);
    let joined = join.run(&entities, args.filter_by_created_timestamp, &Cancel::default(), &mut sink);
    let read = if sink.failed() { HistoricalRead::default() } else { joined? };
    let rows = sink.finish().map_err(|error| match (error, output) {
        (SinkError::Io(error), Some(path)) => unwritable(path, &error),
        (SinkError::Io(error), None) => error.into(),
        (error @ SinkError::Nested(_), _) => {
            CommandError::new(error.to_string(), "use --format parquet or jsonl".to_owned())
        }
        (error, _) => CommandError::new(error.to_string(), None),
    })?;
    let not_shown = format.left_out(rows);
    if not_shown > 0 {
        printer.say(format_args!("… and {}; write them all with --output FILE", counted(not_shown, "more row")));
    }
    if read.unfit > 0 {
        let values = counted(read.unfit, "value");
        printer.warn(format_args!("{values} out of the range of the declared type, read as null"));
    }
    if read.ties > 0 && printer.verbosity == Verbosity::Verbose {
        let rows = counted(read.ties, "source row");
        printer.say(format_args!("{rows} as new as another one of the entity, decided by the values"));
    }
    if let Some(path) = output {
        printer.say(format_args!("Wrote {} to {}", counted(rows, "row"), path.display()));
    }
    Ok(Exit::Done)
}

fn unwritable(path: &Path, error: &io::Error) -> CommandError {
    let message = match error.kind() {
        io::ErrorKind::StorageFull => format!("no space left for {}; no file was left behind", path.display()),
        _ => format!("cannot write {}: {error}", path.display()),
    };
    CommandError::new(message, None)
}

fn output_format(args: &Args, json: bool) -> Result<OutputFormat, CommandError> {
    if let Some(format) = args.format {
        return Ok(format);
    }
    match args.output.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => OutputFormat::from_path(path).ok_or_else(|| {
            CommandError::new(
                format!("the ending of {} says no format", path.display()),
                "end it with .parquet, .csv, .jsonl or .arrow, or give --format".to_owned(),
            )
        }),
        None if json => Ok(OutputFormat::Jsonl),
        None => Ok(OutputFormat::Table),
    }
}
