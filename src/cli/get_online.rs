use std::{
    io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{CommandError, Context, Exit, entities, selection::SelectionArgs};
use crate::{
    app::{
        get_online::{Request, get_online},
        log_served::{Logged, log_served},
    },
    clients::runtime::wait,
    diagnostics::counted,
    problem::Problem,
    serving::{Answer, Status},
    ui::Table,
};

/// How long reading may take at most; stores have shorter limits of their own for each answer.
const LONGEST_READ: Duration = Duration::from_secs(60);

/// Read the current features of entities from the online store
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  feastr get-online --features driver_hourly_stats:conv_rate --entity driver_id=1001 \
                        --entity driver_id=1002\n  feastr get-online --feature-service driver_activity_v2 --entities \
                        drivers.csv --json\n  feastr get-online --feature-service driver_activity_v1 --entity driver_id=1001 \
                        --request val_to_add=1,val_to_add_2=10\n  feastr get-online --features basket:total --entity shop_id=b,item_no=3"
)]
pub(crate) struct Args {
    #[command(flatten)]
    selection: SelectionArgs,
    /// An entity as KEY=VALUE, several keys with commas; once per entity. Keys of bytes are written as
    /// they are, or as base64:YWI=
    #[arg(long, short, value_name = "KEY=VALUE")]
    entity: Vec<String>,
    /// Entities from a parquet, CSV or JSON-lines file, or - for stdin, with the fields of their requests; other columns
    /// are ignored
    #[arg(long, value_name = "FILE", conflicts_with_all = ["entity", "request"])]
    entities: Option<PathBuf>,
    /// What on-demand features are computed with, as FIELD=VALUE, several fields with commas; once for all entities, or
    /// once per entity in their order
    #[arg(long, short, value_name = "FIELD=VALUE")]
    request: Vec<String>,
    /// Add what is served to the log of the feature service, as its `logging_config` says
    #[arg(long, requires = "feature_service")]
    log: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let features = args.selection.request()?;
    let entities = match &args.entities {
        Some(path) => entities::of_file(path, context)?,
        None => entities::of_requests(&args.entity, &args.request)?,
    };
    let (store, caller) = (Arc::new(context.store()?), context.caller());
    let request =
        Request { features: &features, entities: (&entities).into(), deadline: Instant::now() + LONGEST_READ };
    let answer = wait(get_online(&store, &caller, request))?;
    if context.printer.json {
        let mut json = Vec::new();
        answer.write_json(false, &mut json)?;
        context.printer.json(&serde_json::from_slice::<serde_json::Value>(&json).map_err(io::Error::from)?)?;
    } else {
        context.printer.result(draw(&answer)?)?;
    }
    if args.log {
        match log_served(&store, &caller, &features, &answer)? {
            Logged::Written { rows, destination } => {
                let rows = counted(rows as u64, "row");
                context.printer.say(format!("Logged {rows} in {destination}"));
            }
            Logged::LeftOut => context.printer.say("Not logged: the log is a sample, and this request is not in it"),
        }
    }
    Ok(Exit::Done)
}

/// One line per entity; what is not simply there says how it stands.
fn draw(answer: &Answer) -> Result<Table, Problem> {
    let mut table = Table::new(answer.columns.iter().map(|column| &*column.name));
    let rows = answer.columns.first().map_or(0, |column| column.values.len());
    for row in 0..rows {
        let cells = answer.columns.iter().map(|column| {
            let value = column.value(row)?;
            Ok(match column.values[row].status {
                Status::Present => value.to_string(),
                status @ Status::OutsideMaxAge if !value.is_null() => format!("{value} ({status})"),
                status => format!("({status})"),
            })
        });
        table.row(cells.collect::<Result<Vec<String>, Problem>>()?);
    }
    Ok(table)
}
