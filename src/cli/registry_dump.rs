use super::{CommandError, Context, Exit};
use crate::app::catalogue;

/// Print the whole project as JSON, as Feast prints it
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, context: &Context) -> Result<Exit, CommandError> {
    context.printer.json(&catalogue::dump(&context.store()?, &context.caller())?)?;
    Ok(Exit::Done)
}
