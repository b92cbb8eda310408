use super::{WorkArgs, indexer};
use crate::{
    app::entity_index::{Done, Step, backfill},
    cli::{CommandError, Context, Exit},
    diagnostics::counted,
    ui::{IndexProgress, Printer},
};

/// Bring files into the index that were there before anybody told of them
///
/// What differs between files and index is noted as jobs, and done: new and changed files, and files that are gone. It may be
/// cut off and done again, and servers may go on meanwhile.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  feastr entity-index backfill\n  feastr entity-index backfill --views driver_hourly_stats"
)]
pub(crate) struct Args {
    /// Only these views
    #[arg(long, value_name = "VIEW", num_args = 1.., value_delimiter = ',')]
    views: Vec<String>,
    #[command(flatten)]
    work: WorkArgs,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let printer = context.printer;
    let indexer = indexer(context)?;
    let selected = (!args.views.is_empty()).then_some(args.views.as_slice());
    let progress = IndexProgress::new(printer);
    let how = (args.work.workers(), args.work.attempts);
    let done = backfill(&indexer, selected, how, &|step| show(step, &progress, printer));
    drop(progress);
    let done = done?;
    if printer.json {
        let report = serde_json::json!({
            "indexed": done.indexed, "rows": done.rows, "removed": done.removed, "failed": done.failed,
        });
        printer.json(&report)?;
    } else {
        printer.say(format_args!(
            "Indexed {} with {}, removed {}",
            counted(done.indexed, "file"),
            counted(done.rows, "row"),
            counted(done.removed, "file")
        ));
    }
    if done.failed > 0 {
        return Err(CommandError::new(
            format!("{} failed", counted(done.failed, "attempt")),
            "the server tries them again, or do this again; see `feastr entity-index jobs`".to_owned(),
        ));
    }
    Ok(Exit::Done)
}

/// Shows how far it is.
pub(super) fn show(step: &Step<'_>, progress: &IndexProgress, printer: Printer) {
    match step {
        Step::Listed(view, files) => progress.listed(view, *files),
        Step::Differ(objects) => progress.expect(*objects),
        Step::Done(done) => {
            progress.step();
            if let Done::Failed(job, problem, _) = done {
                progress.around(|| {
                    printer.warn(format_args!("{} of `{}`: {problem}", job.path, job.view));
                    if let Some(help) = &problem.advice {
                        printer.help(crate::ui::advice(help));
                    }
                });
            }
        }
    }
}
