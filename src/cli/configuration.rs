use super::{CommandError, Context, Exit};

/// Print the settings as feastr understands them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, context: &Context) -> Result<Exit, CommandError> {
    let settings = context.config()?.settings();
    if context.printer.json {
        context.printer.json(&settings)?;
    } else {
        context.printer.result(crate::yaml::to_string(&settings)?)?;
    }
    Ok(Exit::Done)
}
