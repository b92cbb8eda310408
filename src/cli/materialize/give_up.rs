use crate::{
    app::materialize::give_up,
    cli::{CommandError, Context, Exit, exit::listed},
};

/// End a run of shards that nobody goes on with
///
/// Values that its shards have written stay, nothing is recorded as materialized, and the files are removed. Other runs of the view can
/// begin then.
#[derive(Debug, clap::Args)]
#[command(after_help = format!(
    "Examples:\n  feastr materialize give-up 5f1f3e0c-1b1f-4c3a-9a44-0e0f6c1f7a10\n\n{}",
    listed(&[(Exit::Done, "ended"), (Exit::Failed, "there is no such run, or an error")]),
))]
pub(crate) struct Args {
    /// The run
    run: String,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let run = give_up(&context.store()?, &context.caller(), &args.run)?;
    let (printer, done) = (context.printer, run.shards_done());
    if printer.json {
        printer.json(&serde_json::json!({ "run": run.id, "view": run.view, "shards": done }))?;
    } else {
        printer
            .say(format_args!("Ended run {} of {}: {} of {} shards were done", run.id, run.view, done.done, done.of));
    }
    Ok(Exit::Done)
}
