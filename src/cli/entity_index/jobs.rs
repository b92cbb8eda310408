use clap::{ValueEnum, builder::PossibleValue};

use super::indexer;
use crate::{
    cli::{CommandError, Context, Exit},
    diagnostics::counted,
    entity_index::{JobRecord, Status},
    model::printable,
    ui::Table,
};

/// Show the jobs of the index, the latest first
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  feastr entity-index jobs --status dead\n  feastr entity-index jobs --json | jq length"
)]
pub(crate) struct Args {
    /// Only those that stand so
    #[arg(long, value_name = "STATUS")]
    status: Option<Status>,
    /// How many at most
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: u32,
}

/// Let dead jobs be tried again
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  feastr entity-index retry 17\n  feastr entity-index retry --all-dead")]
pub(crate) struct RetryArgs {
    /// The numbers of jobs
    #[arg(value_name = "ID", required_unless_present = "all_dead")]
    ids: Vec<i64>,
    /// All that are dead
    #[arg(long, conflicts_with = "ids")]
    all_dead: bool,
}

impl ValueEnum for Status {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Waiting => "Noted, or to be tried again",
            Self::Running => "Somebody is at it",
            Self::Done => "Done",
            Self::Dead => "Failed too often",
        };
        Some(PossibleValue::new(self.word()).help(help))
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let jobs = indexer(context)?.jobs(args.status, args.limit)?;
    let printer = context.printer;
    if printer.json {
        printer.json(&jobs)?;
        return Ok(Exit::Done);
    }
    if jobs.is_empty() {
        printer.say("There are no such jobs");
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["ID", "STATUS", "EVENT", "VIEW", "PATH", "TRIES", "NOTED", "MESSAGE"]);
    jobs.iter().for_each(|job| table.row(cells(job)));
    printer.result(table)?;
    Ok(Exit::Done)
}

fn cells(job: &JobRecord) -> [String; 8] {
    let shown = |text: &str| printable(text).into_owned();
    [
        job.id.to_string(),
        shown(&job.status),
        shown(&job.event),
        shown(&job.feature_view),
        shown(&job.path),
        job.attempts.to_string(),
        job.noted.clone().unwrap_or_default(),
        shown(job.status_msg.as_deref().unwrap_or_default()),
    ]
}

pub(crate) fn retry(args: &RetryArgs, context: &Context) -> Result<Exit, CommandError> {
    let count = indexer(context)?.retry((!args.all_dead).then_some(args.ids.as_slice()))?;
    context.printer.say(format_args!("{} will be tried again", counted(count, "job")));
    let asked = args.ids.len() as u64;
    if count < asked {
        return Err(CommandError::new(
            format!("{} not dead, or not there", if asked - count == 1 { "a job is" } else { "some jobs are" }),
            "see `feastr entity-index jobs --status dead`".to_owned(),
        ));
    }
    Ok(Exit::Done)
}
